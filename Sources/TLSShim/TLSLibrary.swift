internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
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
        return unsafe strongroom_tls_library()
    }()
}
