internal import CStrongroomOpenSSL

/// A cipher, fetched once in the library context.
@safe package struct CipherAlgorithm: @unchecked Sendable {
    // Safe to send: fetched algorithms are immutable and live as long as the process.
    let pointer: OpaquePointer?

    /// OpenSSL's name.
    package let name: String
    /// The key's length in bytes.
    package let keyByteCount: Int
    /// The default length of the nonce or initialisation vector in bytes.
    package let ivByteCount: Int

    private init(_ name: String) {
        let cipher = unsafe LibraryContext.with { context in unsafe EVP_CIPHER_fetch(context, name, nil) }
        unsafe pointer = unsafe cipher
        self.name = name
        keyByteCount = unsafe cipher.map { unsafe Int(EVP_CIPHER_get_key_length($0)) } ?? 0
        ivByteCount = unsafe cipher.map { unsafe Int(EVP_CIPHER_get_iv_length($0)) } ?? 0
        ERR_clear_error()
    }

    /// Whether the linked OpenSSL has it.
    package var isAvailable: Bool { unsafe pointer != nil }

    package static let aes128GCM = CipherAlgorithm("AES-128-GCM")
    package static let aes192GCM = CipherAlgorithm("AES-192-GCM")
    package static let aes256GCM = CipherAlgorithm("AES-256-GCM")
    package static let chaCha20Poly1305 = CipherAlgorithm("ChaCha20-Poly1305")
}
