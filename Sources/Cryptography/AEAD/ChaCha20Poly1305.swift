internal import OpenSSLShim

/// ChaCha20-Poly1305 (RFC 8439) with a key of 256 bits: for machines without AES instructions, and for protocols that
/// ask for it. Like AES-GCM it does not commit to its key.
public struct ChaCha20Poly1305: AuthenticatedCipher {
    private let key: AEADKey

    /// 32 bytes.
    public static var keyByteCounts: [Int] { [32] }

    /// Takes a key of 32 bytes.
    public init(key: borrowing SecretBytes) throws(CryptographyError) {
        guard key.count == 32 else {
            throw CryptographyError(.invalidKey, "a ChaCha20-Poly1305 key has 32 bytes, not \(key.count)")
        }
        let copy = key.copy()
        do {
            self.key = try AEADKey(.chaCha20Poly1305, key: copy.intoBuffer())
        } catch { throw CryptographyError(error) }
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
