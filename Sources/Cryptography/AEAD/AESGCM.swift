internal import OpenSSLShim

/// AES in Galois/Counter Mode (SP 800-38D) with a key of 128, 192 or 256 bits.
///
/// It does not commit to its key: who may choose keys can make one ciphertext open under two of them. Where that
/// matters, use an envelope or a managed key, whose formats commit.
public struct AESGCM: AuthenticatedCipher {
    private let key: AEADKey

    /// 16, 24 or 32 bytes.
    public static var keyByteCounts: [Int] { [16, 24, 32] }

    /// Takes a key of 16, 24 or 32 bytes.
    public init(key: borrowing SecretBytes) throws(CryptographyError) { try self.init(takingOver: key.copy()) }

    /// Takes over a key that nobody else needs, without a copy.
    package init(takingOver key: consuming SecretBytes) throws(CryptographyError) {
        let algorithm: CipherAlgorithm
        switch key.count {
        case 16: algorithm = .aes128GCM
        case 24: algorithm = .aes192GCM
        case 32: algorithm = .aes256GCM
        default: throw CryptographyError(.invalidKey, "an AES key has 16, 24 or 32 bytes, not \(key.count)")
        }
        do { self.key = try AEADKey(algorithm, key: key.intoBuffer()) } catch { throw CryptographyError(error) }
    }

    /// Encrypts into the caller's buffers; see ``AuthenticatedCipher``.
    public func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8>, uniqueNonce nonce: Span<UInt8>,
        ciphertext: inout MutableSpan<UInt8>, tag: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        do {
            try key.seal(plaintext, authenticating: data, nonce: nonce, ciphertext: &ciphertext, tag: &tag)
        } catch {
            throw CryptographyError(error)
        }
    }

    /// Decrypts into the caller's buffer; see ``AuthenticatedCipher``.
    public func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, authenticating data: Span<UInt8>, nonce: Span<UInt8>,
        plaintext: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        do {
            try key.open(ciphertext, tag: tag, authenticating: data, nonce: nonce, plaintext: &plaintext)
        } catch {
            throw CryptographyError(error)
        }
    }

    /// Counts a message with a random nonce.
    public func countRandomNonce() throws(CryptographyError) {
        try key.countMessage()
    }
}
