/// AES-SIV (RFC 5297): deterministic authenticated encryption, with keys of 32, 48 or 64 bytes.
///
/// Equal messages with equal data give equal ciphertexts, which shows nothing else. For wrapping keys and for
/// searchable fields. Built on OpenSSL's CMAC and CTR, because its AES-SIV takes no empty message.
public struct AESSIV: Sendable {
    private let mac: CMAC
    private let counter: UnauthenticatedAES.CTR

    /// Takes a key, whose first half authenticates and whose second half encrypts.
    public init(key: borrowing SecretBytes) throws(CryptographyError) {
        guard [32, 48, 64].contains(key.count) else {
            throw CryptographyError(.invalidKey, "an AES-SIV key has 32, 48 or 64 bytes, not \(key.count)")
        }
        mac = try CMAC(key: key.slice(..<(key.count / 2)))
        counter = try UnauthenticatedAES.CTR(key: key.slice((key.count / 2)...))
    }

    /// Encrypts: 16 bytes of synthetic vector, then the ciphertext.
    ///
    /// - Parameter data: up to 126 strings that are authenticated along with the plaintext, in their order.
    public func seal(_ plaintext: Span<UInt8>, authenticating data: [[UInt8]] = []) throws(CryptographyError) -> [UInt8]
    {
        let vector = try vector(data, plaintext)
        return vector + (try counter.apply(to: plaintext, initialCounter: AESSIV.counterBlock(vector).span))
    }

    /// Decrypts.
    ///
    /// - Throws: `authenticationFailure` for anything that this key did not seal with this data.
    public func open(_ sealed: Span<UInt8>, authenticating data: [[UInt8]] = []) throws(CryptographyError)
        -> SecretBytes
    {
        guard sealed.count >= 16 else { throw CryptographyError(.authenticationFailure) }
        let given = (0..<16).map { sealed[$0] }
        let plaintext = try counter.applySecretly(
            to: sealed.extracting(16...), initialCounter: AESSIV.counterBlock(given).span)
        let expected = try plaintext.withBytes { bytes throws(CryptographyError) in try vector(data, bytes) }
        guard expected.span.isEqualInConstantTime(to: given.span) else {
            throw CryptographyError(.authenticationFailure)
        }
        return plaintext
    }

    /// S2V (section 2.4).
    private func vector(_ data: [[UInt8]], _ plaintext: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        guard data.count <= 126 else { throw CryptographyError(.invalidLength, "at most 126 strings") }
        var sum = try mac.authenticate([UInt8](repeating: 0, count: 16).span).array
        for string in data {
            let tag = try mac.authenticate(string.span)
            sum = AESSIV.doubled(sum)
            for index in 0..<16 { sum[index] ^= tag.bytes[index] }
        }
        var computation = try mac.begin()
        if plaintext.count >= 16 {
            let start = plaintext.count - 16
            try computation.update(plaintext.extracting(..<start))
            for index in 0..<16 { sum[index] ^= plaintext[start + index] }
        } else {
            sum = AESSIV.doubled(sum)
            for index in plaintext.indices { sum[index] ^= plaintext[index] }
            sum[plaintext.count] ^= 0x80
        }
        try computation.update(sum.span)
        return try computation.finish().array
    }

    /// Two bits are cleared, so that a counter never carries across 32 bits (section 2.5).
    private static func counterBlock(_ vector: [UInt8]) -> [UInt8] {
        var block = vector
        block[8] &= 0x7F
        block[12] &= 0x7F
        return block
    }

    /// Times x in GF(2^128).
    private static func doubled(_ block: [UInt8]) -> [UInt8] {
        var result = block
        for index in 0..<15 { result[index] = block[index] << 1 | block[index + 1] >> 7 }
        result[15] = block[15] << 1 ^ (0 &- (block[0] >> 7)) & 0x87
        return result
    }
}
