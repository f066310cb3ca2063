internal import Cryptography

/// The keys that a message's data key gives (suites with commitment: HKDF-SHA-512 with the message's identifier as salt).
struct MessageKeys: ~Copyable {
    private let cipher: AESGCM
    let commitment: SecretBytes

    init(_ dataKey: borrowing SecretBytes, _ header: MessageHeader) throws(CryptographyError) {
        let hkdf = HKDF(.sha512)
        let extracted = try hkdf.extract(dataKey, salt: header.messageID.span)
        var info: [UInt8] = []
        info.appendBigEndian(header.suite.id)
        info += "DERIVEKEY".utf8
        let expansion = try hkdf.expansion(of: extracted)
        let cipher = try AESGCM(key: try expansion.expand(info: info.span, count: header.suite.keyByteCount))
        commitment = try expansion.expand(info: MessageKeys.commitLabel.span, count: MessageHeader.commitmentCount)
        self.cipher = cipher
    }

    /// Whether a header's commitment is to this data key.
    func isCommitted(to commitment: [UInt8]) -> Bool {
        self.commitment.bytes.isEqualInConstantTime(to: commitment.span)
    }

    /// The cipher of the body's frames.
    func frames(of header: MessageHeader) -> SegmentedAEAD<MessageFrames> {
        let format = MessageFrames(messageID: header.messageID, isSingleBlock: header.frameByteCount == 0)
        return SegmentedAEAD(cipher: cipher, format: format)
    }

    /// The tag over a header: AES-GCM of nothing under a nonce of zeros, which no frame has.
    func headerTag(_ header: [UInt8]) throws(CryptographyError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: MessageHeader.tagCount)
        var nothing: [UInt8] = []
        let nonce: InlineArray<12, UInt8> = .init(repeating: 0)
        do {
            var tagSpan = tag.mutableSpan
            var ciphertext = nothing.mutableSpan
            try cipher.seal(
                Span(), authenticating: header.span, uniqueNonce: nonce.span, ciphertext: &ciphertext, tag: &tagSpan)
        }
        return tag
    }

    private static let commitLabel = Array("COMMITKEY".utf8)
}
