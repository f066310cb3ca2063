internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// Keys whose private half is a seed: ML-DSA's (FIPS 204).
extension NativeKey {
    /// Whether the linked OpenSSL has a signature algorithm.
    package static func isOffered(signature algorithm: String) -> Bool {
        let signature = unsafe LibraryContext.with { unsafe EVP_SIGNATURE_fetch($0, algorithm, nil) }
        unsafe EVP_SIGNATURE_free(signature)
        ERR_clear_error()
        return unsafe signature != nil
    }

    /// The key pair of a seed.
    package static func privateKey(seeded algorithm: String, _ seed: Span<UInt8>) throws(NativeError) -> NativeKey {
        let key = unsafe seed.withUnsafeBufferPointer { seed in
            unsafe LibraryContext.with { library in
                unsafe strongroom_key_from_seed(library, algorithm, seed.baseAddress, seed.count)
            }
        }
        guard let key = unsafe key else { throw .drained("EVP_PKEY_fromdata") }
        return unsafe NativeKey(taking: key, isPrivate: true)
    }

    /// Writes the seed, all of it.
    package func writeSeed(into bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        let key = unsafe try pointer
        var count = bytes.count
        let isRead = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe EVP_PKEY_get_octet_string_param(key, "seed", bytes.baseAddress, bytes.count, &count) == 1
        }
        guard isRead, count == bytes.count else { throw .drained("EVP_PKEY_get_octet_string_param") }
    }
}
