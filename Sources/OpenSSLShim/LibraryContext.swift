internal import CStrongroomOpenSSL

/// The one OpenSSL library context of this process that is ours.
///
/// It is never the default context: a host program that configures, locks down or unloads OpenSSL's default context
/// changes nothing here, and we change nothing there. Every algorithm is fetched in it once.
package enum LibraryContext {
    /// The context with the default provider loaded, or nil where OpenSSL could not make one.
    ///
    /// Safe because it is made once, never freed, and OpenSSL locks what changes inside it.
    nonisolated(unsafe) static let pointer: OpaquePointer? = {
        // Without an exit handler of OpenSSL's, threads that outlive main() still find their algorithms.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let context = unsafe OSSL_LIB_CTX_new() else { return nil }
        guard unsafe OSSL_PROVIDER_load(context, "default") != nil else {
            unsafe OSSL_LIB_CTX_free(context)
            return nil
        }
        return unsafe context
    }()

    /// Sets OpenSSL up, for a library context of another kind.
    package static func prepare() { _ = unsafe pointer }

    /// The version of the linked library, such as "3.0.19".
    package static var version: String {
        unsafe String(cString: OpenSSL_version(OPENSSL_VERSION_STRING))
    }

    /// Runs `body` with the context, or fails where there is none.
    static func with<T>(_ body: (OpaquePointer) -> T?) -> T? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe body(pointer)
    }
}
