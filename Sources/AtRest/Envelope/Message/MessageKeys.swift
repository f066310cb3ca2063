internal import Cryptography
internal import KeyManagement

/// The key that a message's data key gives, and the commitment to it.
///
/// Suites with commitment: HKDF-SHA-512 with the message's identifier as salt. Other suites that derive: HKDF without salt,
/// bound to suite and identifier. The three oldest suites use the data key itself. (AWS Encryption SDK specification,
/// framework/algorithm-suites.)
struct MessageKeys: Sendable {
    let cipher: AESGCM
    /// What stands in the header; empty for suites that do not commit.
    let commitment: [UInt8]

    init(_ dataKey: SharedSecret, _ header: MessageHeader) throws(CryptographyError) {
        let suite = header.suite
        guard let function = suite.derivationFunction else {
            let key = dataKey.copy()
            cipher = try AESGCM(key: key)
            commitment = []
            return
        }
        var information: [UInt8] = []
        information.appendBigEndian(suite.id)
        if suite.isCommitting {
            let keys = try HKDF(function).expansion(of: dataKey, salt: header.messageID.span)
            information += MessageKeys.derivationLabel
            cipher = try AESGCM(key: try keys.expand(info: information.span, count: suite.keyByteCount))
            let commitment = try keys.expand(
                info: MessageKeys.commitmentLabel.span, count: MessageHeader.commitmentCount)
            self.commitment = commitment.bytes.array
        } else {
            let keys = try HKDF(function).expansion(of: dataKey, salt: Span())
            information += header.messageID
            cipher = try AESGCM(key: try keys.expand(info: information.span, count: suite.keyByteCount))
            commitment = []
        }
    }

    /// Checks that a header is to this data key, and authentic.
    ///
    /// - Parameter context: the pairs that are authenticated and not stored.
    func authenticate(_ read: ReadHeader, with context: EncryptionContext) throws {
        guard commitment.span.isEqualInConstantTime(to: read.commitment.span) else {
            throw EnvelopeError(.notAuthentic)
        }
        let tag = try tag(read.bytes, with: context, nonce: read.nonce)
        guard tag.span.isEqualInConstantTime(to: read.tag.span) else { throw EnvelopeError(.notAuthentic) }
    }

    /// The start of a message: header, commitment, and the tag over them.
    ///
    /// - Parameter context: the pairs that are authenticated and not stored.
    func start(_ header: MessageHeader, with context: EncryptionContext) throws -> [UInt8] {
        var start = try header.bytes() + commitment
        let tag = try tag(start, with: context, nonce: MessageKeys.headerNonce)
        if header.suite.messageVersion == 1 { start += MessageKeys.headerNonce }
        return start + tag
    }

    /// AES-GCM of nothing. Its nonce is zero in all that is written, and no frame has that one.
    private func tag(_ bytes: [UInt8], with context: EncryptionContext, nonce: [UInt8]) throws -> [UInt8] {
        let data = context.pairs.isEmpty ? bytes : bytes + (try MessageHeader.serialize(context))
        var (tag, nothing) = ([UInt8](repeating: 0, count: MessageHeader.tagCount), [UInt8]())
        do {
            var tagSpan = tag.mutableSpan
            var ciphertext = nothing.mutableSpan
            try cipher.seal(
                Span(), authenticating: data.span, uniqueNonce: nonce.span, ciphertext: &ciphertext, tag: &tagSpan)
        }
        return tag
    }

    private static let derivationLabel = Array("DERIVEKEY".utf8)
    private static let commitmentLabel = Array("COMMITKEY".utf8)
    private static let headerNonce = [UInt8](repeating: 0, count: MessageHeader.nonceCount)
}

extension HKDF {
    /// The expansion of what is extracted from a data key.
    fileprivate func expansion(of key: SharedSecret, salt: Span<UInt8>) throws(CryptographyError) -> HKDFExpansion {
        let extracted = try key.withBytes { bytes throws(CryptographyError) in try extract(bytes, salt: salt) }
        return try expansion(of: extracted)
    }
}
