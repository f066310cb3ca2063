internal import CStrongroomOpenSSL

/// Keys whose encoding is their bytes (RFC 7748, RFC 8032), and agreement of secrets.
extension NativeKey {
    /// A key pair from its private bytes. OpenSSL calculates the public ones.
    package static func privateKey(raw algorithm: String, _ bytes: Span<UInt8>) throws(NativeError) -> NativeKey {
        let key = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe EVP_PKEY_new_raw_private_key_ex(
                LibraryContext.pointer, algorithm, nil, bytes.baseAddress, bytes.count)
        }
        guard let key = unsafe key else { throw .drained("EVP_PKEY_new_raw_private_key_ex") }
        return unsafe NativeKey(taking: key, isPrivate: true)
    }

    /// A public key from its bytes.
    package static func publicKey(raw algorithm: String, _ bytes: Span<UInt8>) throws(NativeError) -> NativeKey {
        let key = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe EVP_PKEY_new_raw_public_key_ex(
                LibraryContext.pointer, algorithm, nil, bytes.baseAddress, bytes.count)
        }
        guard let key = unsafe key else { throw .drained("EVP_PKEY_new_raw_public_key_ex") }
        return unsafe NativeKey(taking: key, isPrivate: false)
    }

    /// The public bytes.
    package func rawPublicKey(count expected: Int = 32) throws(NativeError) -> [UInt8] {
        let key = unsafe try pointer
        var bytes = [UInt8](repeating: 0, count: expected)
        var count = bytes.count
        let isRead = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe EVP_PKEY_get_raw_public_key(key, $0.baseAddress, &count) == 1
        }
        guard isRead, count == bytes.count else { throw .drained("EVP_PKEY_get_raw_public_key") }
        return bytes
    }

    /// Writes the private bytes, all of them.
    package func writeRawPrivateKey(into bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        let key = unsafe try pointer
        var count = bytes.count
        let isRead = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe EVP_PKEY_get_raw_private_key(key, $0.baseAddress, &count) == 1
        }
        guard isRead, count == bytes.count else { throw .drained("EVP_PKEY_get_raw_private_key") }
    }

    /// Writes the secret that this private key shares with another's public key. OpenSSL checks the point, and refuses
    /// a secret of zeros (RFC 7748, 6.1).
    ///
    /// - Returns: how many bytes were written.
    package func sharedSecret(
        with peer: NativeKey, into secret: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let (key, other) = unsafe (try pointer, try peer.pointer)
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(LibraryContext.pointer, key, nil) else { throw .memory }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_derive_init(context) == 1, unsafe EVP_PKEY_derive_set_peer(context, other) == 1 else {
            throw .drained("EVP_PKEY_derive_set_peer")
        }
        var count = secret.count
        let isDone = unsafe secret.withUnsafeMutableBufferPointer {
            unsafe EVP_PKEY_derive(context, $0.baseAddress, &count) == 1
        }
        guard isDone else { throw .drained("EVP_PKEY_derive") }
        return count
    }
}
