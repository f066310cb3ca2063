/// A key of a cipher that encrypts and authenticates (AEAD, RFC 5116) with 96-bit nonces and 128-bit tags.
///
/// The two usual calls need no nonce from the caller: ``seal(_:authenticating:)`` draws a random one and returns
/// `nonce || ciphertext || tag`, ``open(_:authenticating:)`` reads that back. Protocols that define their nonces use the
/// calls with buffers, whose label `uniqueNonce` states the duty that comes with it: a nonce used twice under one key
/// gives away the plaintexts' difference and lets anybody forge.
///
/// Conformers are safe to use from several threads at once.
public protocol AuthenticatedCipher: Sealer {
    /// The lengths of key that the cipher takes, in bytes.
    static var keyByteCounts: [Int] { get }

    /// Takes a key of one of ``keyByteCounts``.
    init(key: borrowing SecretBytes) throws(CryptographyError)

    /// Encrypts into the caller's buffers. Allocates nothing.
    ///
    /// - Parameters:
    ///   - plaintext: at most 2^36 - 32 bytes (SP 800-38D, 5.2.1.1).
    ///   - data: authenticated along with the plaintext, and not part of the output.
    ///   - nonce: 12 bytes, never used with this key before.
    ///   - ciphertext: as long as the plaintext.
    ///   - tag: 16 bytes.
    func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8>, uniqueNonce nonce: Span<UInt8>,
        ciphertext: inout MutableSpan<UInt8>, tag: inout MutableSpan<UInt8>
    ) throws(CryptographyError)

    /// Decrypts into the caller's buffer. Allocates nothing. When the tag does not match, the buffer is zeroed.
    func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, authenticating data: Span<UInt8>, nonce: Span<UInt8>,
        plaintext: inout MutableSpan<UInt8>
    ) throws(CryptographyError)

    /// Counts a message with a random nonce, and refuses once the key has had its 2^32 (SP 800-38D, 8.3).
    func countRandomNonce() throws(CryptographyError)
}

extension AuthenticatedCipher {
    /// The length of a nonce in bytes.
    public static var nonceByteCount: Int { 12 }
    /// The length of a tag in bytes.
    public static var tagByteCount: Int { 16 }
    /// What sealing adds to a message: nonce and tag.
    public static var overhead: Int { nonceByteCount + tagByteCount }

    /// Encrypts under a random nonce and returns `nonce || ciphertext || tag`. One allocation.
    public func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8> = Span()
    ) throws(CryptographyError) -> [UInt8] {
        try countRandomNonce()
        var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.overhead)
        let tagStart = plaintext.count + Self.nonceByteCount
        var nonce: InlineArray<12, UInt8> = .init(repeating: 0)
        var nonceSpan = nonce.mutableSpan
        try SystemRandom().fill(&nonceSpan)
        var tag: InlineArray<16, UInt8> = .init(repeating: 0)
        var all = sealed.mutableSpan
        var ciphertext = all._mutatingExtracting(Self.nonceByteCount..<tagStart)
        var tagSpan = tag.mutableSpan
        try seal(plaintext, authenticating: data, uniqueNonce: nonce.span, ciphertext: &ciphertext, tag: &tagSpan)
        all.overwrite(with: nonce.span)
        all.overwrite(at: tagStart, with: tag.span)
        return sealed
    }

    /// Encrypts an array under a random nonce and returns `nonce || ciphertext || tag`.
    public func seal(_ plaintext: [UInt8], authenticating data: [UInt8] = []) throws(CryptographyError) -> [UInt8] {
        try seal(plaintext.span, authenticating: data.span)
    }

    /// Encrypts a secret under a random nonce and returns `nonce || ciphertext || tag`.
    public func seal(
        _ plaintext: borrowing SecretBytes, authenticating data: [UInt8] = []
    ) throws(CryptographyError) -> [UInt8] {
        try seal(plaintext.bytes, authenticating: data.span)
    }

    /// Decrypts `nonce || ciphertext || tag`. Too short is refused like a wrong tag.
    public func open(
        _ sealed: Span<UInt8>, authenticating data: Span<UInt8> = Span()
    ) throws(CryptographyError) -> SecretBytes {
        let count = sealed.count - Self.overhead
        guard count >= 0 else { throw CryptographyError(.authenticationFailure) }
        let nonce = sealed.extracting(..<Self.nonceByteCount)
        let ciphertext = sealed.extracting(Self.nonceByteCount..<(Self.nonceByteCount + count))
        let tag = sealed.extracting((Self.nonceByteCount + count)...)
        return try SecretBytes(count: count) { plaintext throws(CryptographyError) in
            try open(ciphertext, tag: tag, authenticating: data, nonce: nonce, plaintext: &plaintext)
        }
    }

    /// Decrypts an array `nonce || ciphertext || tag`.
    public func open(_ sealed: [UInt8], authenticating data: [UInt8] = []) throws(CryptographyError) -> SecretBytes {
        try open(sealed.span, authenticating: data.span)
    }
}
