internal import CStrongroomOpenSSL
internal import Synchronization

/// The one OpenSSL library context of this process that is ours.
///
/// It is never the default context: a host program that configures, locks down or unloads OpenSSL's default context
/// changes nothing here, and we change nothing there. Every algorithm is fetched in it once.
package enum LibraryContext {
    /// The context with its provider loaded, or nil where OpenSSL could not make one.
    ///
    /// Safe because it is made once, never freed, and OpenSSL locks what changes inside it.
    nonisolated(unsafe) static let pointer: OpaquePointer? = unsafe chosen.withLock { chosen in
        chosen.isTaken = true
        // Without an exit handler of OpenSSL's, threads that outlive main() still find their algorithms.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let configuration = chosen.fips else {
            return unsafe make { unsafe OSSL_PROVIDER_load($0, "default") != nil }
        }
        return unsafe make { unsafe load(configuration, in: $0) }
    }

    /// Where OpenSSL's FIPS provider is: its configuration, and the folder of modules where it is not OpenSSL's own.
    package struct FIPSConfiguration: Sendable {
        let file: String
        let modules: String?

        package init(file: String, modules: String?) { (self.file, self.modules) = (file, modules) }
    }

    private struct Choice {
        var fips: FIPSConfiguration?
        /// Whether the context was made, or is being made.
        var isTaken = false
    }

    private static let chosen = Mutex(Choice())

    /// Sets OpenSSL up, for a library context of another kind.
    package static func prepare() { _ = unsafe pointer }

    /// Has the context have the FIPS provider, and what is approved alone.
    ///
    /// - Throws: `unavailable` where it cannot be loaded, `length` where the context is in use already.
    package static func choose(_ configuration: FIPSConfiguration) throws(NativeError) {
        // Whether it loads is seen first: what is chosen stays.
        let trial = unsafe make { unsafe load(configuration, in: $0) }
        guard let trial = unsafe trial else {
            ERR_clear_error()
            throw .unavailable("a FIPS provider by \(configuration.file)")
        }
        unsafe OSSL_LIB_CTX_free(trial)
        let isChosen = chosen.withLock { chosen in
            guard !chosen.isTaken else { return false }
            chosen.fips = configuration
            return true
        }
        guard isChosen, unsafe pointer != nil else { throw .length }
    }

    /// Whether the FIPS provider calculates.
    package static var isFIPS: Bool { chosen.withLock { $0.isTaken && $0.fips != nil } }

    private static func make(_ load: (OpaquePointer) -> Bool) -> OpaquePointer? {
        guard let context = unsafe OSSL_LIB_CTX_new() else { return nil }
        guard unsafe load(context) else {
            unsafe OSSL_LIB_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    /// The provider tests itself when it is loaded, and refuses otherwise. The base provider reads and writes keys, and calculates nothing.
    private static func load(_ configuration: FIPSConfiguration, in context: OpaquePointer) -> Bool {
        if let modules = configuration.modules {
            guard unsafe OSSL_PROVIDER_set_default_search_path(context, modules) == 1 else { return false }
        }
        return unsafe OSSL_LIB_CTX_load_config(context, configuration.file) == 1
            && OSSL_PROVIDER_available(context, "fips") == 1 && OSSL_PROVIDER_load(context, "base") != nil
            && EVP_set_default_properties(context, "fips=yes") == 1
    }

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
