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
            cipher = try AESGCM(takingOver: dataKey.copy())
            commitment = []
            return
        }
        var information: [UInt8] = []
        information.reserveCapacity(32)
        information.appendBigEndian(suite.id)
        if suite.isCommitting {
            information += MessageKeys.derivationLabel
            let keys = try dataKey.withBytes { bytes throws(CryptographyError) in
                try HKDF(function).deriveTwo(
                    from: bytes, salt: header.messageID.span, information.span, MessageKeys.commitmentLabel.span)
            }
            let second = keys.count / 2
            cipher = try AESGCM(takingOver: keys.slice(..<suite.keyByteCount))
            commitment = keys.bytes.extracting(second..<(second + MessageHeader.commitmentCount)).array
        } else {
            information += header.messageID
            let hkdf = HKDF(function)
            let extracted = try dataKey.withBytes { bytes throws(CryptographyError) in
                try hkdf.extract(bytes, salt: Span())
            }
            cipher = try AESGCM(
                takingOver: try hkdf.expand(extracted, info: information.span, count: suite.keyByteCount))
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
        start += commitment
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

    private static let derivationLabel = Array("DERIVEKEY".utf8)
    private static let commitmentLabel = Array("COMMITKEY".utf8)
}
