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

    package static let aes128CBC = CipherAlgorithm("AES-128-CBC")
    package static let aes192CBC = CipherAlgorithm("AES-192-CBC")
    package static let aes256CBC = CipherAlgorithm("AES-256-CBC")
    package static let aes128CTR = CipherAlgorithm("AES-128-CTR")
    package static let aes192CTR = CipherAlgorithm("AES-192-CTR")
    package static let aes256CTR = CipherAlgorithm("AES-256-CTR")
    package static let aes128XTS = CipherAlgorithm("AES-128-XTS")
    package static let aes256XTS = CipherAlgorithm("AES-256-XTS")
    package static let aes128Wrap = CipherAlgorithm("AES-128-WRAP")
    package static let aes192Wrap = CipherAlgorithm("AES-192-WRAP")
    package static let aes256Wrap = CipherAlgorithm("AES-256-WRAP")
    package static let aes128WrapPad = CipherAlgorithm("AES-128-WRAP-PAD")
    package static let aes192WrapPad = CipherAlgorithm("AES-192-WRAP-PAD")
    package static let aes256WrapPad = CipherAlgorithm("AES-256-WRAP-PAD")
}
