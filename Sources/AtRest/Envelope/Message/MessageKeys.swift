internal import Cryptography
internal import KeyManagement

/// The key that a message's data key gives, and the commitment to it.
///
/// Suites with commitment: HKDF-SHA-512 with the message's identifier as salt. Other suites that derive: HKDF without salt,
/// bound to suite and identifier. The three oldest suites use the data key itself. (AWS Encryption SDK specification,
/// framework/algorithm-suites.)
struct MessageKeys: Sendable {
    let cipher: AESGCM
    /// What stands in the header of suites that commit.
    let commitment: InlineArray<32, UInt8>?

    init(_ dataKey: SharedSecret, _ header: MessageHeader) throws(CryptographyError) {
        let suite = header.suite
        guard let function = suite.derivationFunction else {
            cipher = try AESGCM(takingOver: dataKey.copy())
            commitment = nil
            return
        }
        let hkdf = HKDF(function)
        if suite.isCommitting {
            let information = MessageKeys.derivationLabel(suite)
            var committed = InlineArray<32, UInt8>(repeating: 0)
            let key = try dataKey.withBytes { bytes throws(CryptographyError) in
                var commitment = committed.mutableSpan
                return try hkdf.deriveCommitted(
                    from: bytes, salt: header.messageID.span, info: information.span, count: suite.keyByteCount,
                    commitmentInfo: MessageKeys.commitmentLabel.span, commitment: &commitment)
            }
            cipher = try AESGCM(takingOver: key)
            commitment = committed
        } else {
            var information: [UInt8] = []
            information.appendBigEndian(suite.id)
            information += header.messageID
            let extracted = try dataKey.withBytes { bytes throws(CryptographyError) in
                try hkdf.extract(bytes, salt: Span())
            }
            cipher = try AESGCM(
                takingOver: try hkdf.expand(extracted, info: information.span, count: suite.keyByteCount))
            commitment = nil
        }
    }

    /// Checks that a header is to this data key, and authentic.
    ///
    /// - Parameter context: the pairs that are authenticated and not stored.
    func authenticate(_ read: ReadHeader, with context: EncryptionContext) throws {
        if let commitment {
            guard commitment.span.isEqualInConstantTime(to: read.commitment.span) else {
                throw EnvelopeError(.notAuthentic)
            }
        }
        let tag = try tag(read.bytes, with: context, nonce: read.nonce.span)
        guard tag.span.isEqualInConstantTime(to: read.tag.span) else { throw EnvelopeError(.notAuthentic) }
    }

    /// The start of a message: header, commitment, and the tag over them.
    ///
    /// - Parameters:
    ///   - context: the pairs that are authenticated and not stored.
    ///   - nonce: one that this key has not had. Version 2 does not store it: there it is zero.
    func start(
        _ header: MessageHeader, with context: EncryptionContext,
        nonce: InlineArray<12, UInt8> = InlineArray(repeating: 0)
    ) throws -> [UInt8] {
        var start = try header.bytes()
        if let commitment { start.append(copying: commitment.span) }
        let tag = try tag(start, with: context, nonce: nonce.span)
        if header.suite.messageVersion == 1 { start.append(copying: nonce.span) }
        start.append(copying: tag.span)
        return start
    }

    /// AES-GCM of nothing. A new message's nonce is zero, and no frame has that one.
    private func tag(
        _ bytes: [UInt8], with context: EncryptionContext, nonce: Span<UInt8>
    ) throws -> InlineArray<16, UInt8> {
        let data = context.pairs.isEmpty ? bytes : bytes + (try MessageHeader.serialize(context))
        var (tag, nothing) = (InlineArray<16, UInt8>(repeating: 0), InlineArray<0, UInt8>(repeating: 0))
        do {
            var tagSpan = tag.mutableSpan
            var ciphertext = nothing.mutableSpan
            try cipher.seal(
                Span(), authenticating: data.span, uniqueNonce: nonce, ciphertext: &ciphertext, tag: &tagSpan)
        }
        return tag
    }

    /// The suite's identifier and "DERIVEKEY".
    private static func derivationLabel(_ suite: AlgorithmSuite) -> InlineArray<11, UInt8> {
        [
            UInt8(suite.id >> 8), UInt8(suite.id & 0xFF), 0x44, 0x45, 0x52, 0x49, 0x56, 0x45, 0x4B, 0x45, 0x59,
        ]
    }

    private static let commitmentLabel = Array("COMMITKEY".utf8)
}
