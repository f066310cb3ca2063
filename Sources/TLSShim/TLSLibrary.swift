internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
internal import CStrongroomOpenSSL
internal import OpenSSLShim

/// The library context of TLS: OpenSSL's default provider, and beside it ours for keys that are elsewhere.
///
/// It is not the one of ``LibraryContext``, so that no key of Cryptography's ever meets a provider that cannot use it.
enum TLSLibrary {
    /// The context, or nil where OpenSSL could not make one.
    ///
    /// Safe because it is made once, never freed, and OpenSSL locks what changes inside it.
    nonisolated(unsafe) static let pointer: OpaquePointer? = {
        LibraryContext.prepare()
        guard let library = unsafe OSSL_LIB_CTX_new() else { return nil }
        guard unsafe OSSL_PROVIDER_load(library, "default") != nil,
            unsafe strongroom_signing_provider_load(library) == 1
        else {
            unsafe OSSL_LIB_CTX_free(library)
            return nil
        }
        return unsafe library
    }()
}
