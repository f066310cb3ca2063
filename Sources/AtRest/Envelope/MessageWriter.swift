internal import Cryptography
internal import KeyManagement

/// Writes one message: header, frames, and for signed suites the signature.
struct MessageWriter {
    let header: MessageHeader
    private let frames: SegmentedAEAD<MessageFrames>
    private var sequence: UInt32 = 0
    private let signature: MessageSignature?
    /// What has been sealed and not yet been taken.
    private var output: [UInt8]
    private var outputCount: Int

    /// Sets up a message with the materials' data key, which it uses up.
    init(
        _ materials: inout EncryptionMaterials, frameByteCount: Int, expectedByteCount: Int?
    ) throws {
        let header = MessageHeader(
            suite: materials.suite, messageID: try SystemRandom().bytes(count: MessageHeader.messageIDCount),
            context: materials.context, dataKeys: materials.encryptedDataKeys, frameByteCount: UInt32(frameByteCount))
        guard let dataKey = materials.takeDataKey() else {
            throw EnvelopeError(.invalidKeyring, "no keyring made a data key")
        }
        let keys = try MessageKeys(dataKey, header)
        var start = try header.bytes
        for index in keys.commitment.bytes.indices { start.append(keys.commitment.bytes[index]) }
        start += try keys.headerTag(start)
        self.header = header
        frames = try keys.frames(of: header)
        signature = try materials.signingKey.map { try MessageSignature(signingWith: $0) }
        try signature?.update(start.span)
        outputCount = start.count
        output = start
        // Room for one frame beyond the point at which it is flushed; for a short message only what that needs.
        let overhead = MessageWriter.largestOverhead
        let (frameCount, isLong) = ((expectedByteCount ?? Int.max - 1) / frameByteCount).addingReportingOverflow(1)
        let (needed, isLonger) = frameCount.multipliedReportingOverflow(by: frameByteCount + overhead)
        let largest = MessageWriter.flushCount + frameByteCount + overhead
        output += [UInt8](repeating: 0, count: isLong || isLonger ? largest : min(needed, largest))
    }

    /// Seals the next frame; every frame but the final one has the header's length.
    mutating func append(_ plaintext: Span<UInt8>, isFinal: Bool) throws {
        guard sequence < UInt32.max - 1 else { throw EnvelopeError(.limitExceeded, "2^32 - 2 frames") }
        sequence += 1
        let start = outputCount
        if output.count < start + MessageWriter.largestOverhead {
            output += [UInt8](repeating: 0, count: MessageWriter.largestOverhead)
        }
        if isFinal { put(UInt32.max) }
        put(sequence)
        for _ in 0..<8 {
            output[outputCount] = 0
            outputCount += 1
        }
        put(sequence)
        if isFinal { put(UInt32(plaintext.count)) }
        let (frames, sequence) = (frames, sequence)
        let end = outputCount + plaintext.count
        // A source that has more than it said.
        if end + 16 > output.count { output += [UInt8](repeating: 0, count: end + 16 - output.count) }
        var tag: InlineArray<16, UInt8> = .init(repeating: 0)
        do {
            var all = output.mutableSpan
            var ciphertext = all._mutatingExtracting((end - plaintext.count)..<end)
            var tagSpan = tag.mutableSpan
            try frames.seal(
                plaintext, sequence: sequence, isFinal: isFinal, ciphertext: &ciphertext, tag: &tagSpan)
        }
        for index in tag.indices { output[end + index] = tag[index] }
        outputCount = end + tag.count
        try signature?.update(output.span.extracting(start..<outputCount))
    }

    /// Whether enough has gathered to be worth a call of the sink.
    var isFull: Bool { outputCount >= MessageWriter.flushCount }

    /// Gives what has gathered to the sink.
    mutating func flush<Sink: TransactionalSink & ~Copyable>(to sink: inout Sink) throws {
        try sink.write(output.span.extracting(..<outputCount))
        outputCount = 0
    }

    /// The footer: the signature with its length; nothing for unsigned suites.
    mutating func footer() throws -> [UInt8] {
        guard let bytes = try signature?.sign() else { return [] }
        var footer: [UInt8] = []
        footer.appendBigEndian(UInt16(bytes.count))
        return footer + bytes
    }

    private mutating func put(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] {
            output[outputCount] = UInt8(truncatingIfNeeded: value >> shift)
            outputCount += 1
        }
    }

    private static let flushCount = 1 << 18
    /// Marker, sequence number, nonce, length and tag of a final frame.
    private static let largestOverhead = 4 + 4 + 12 + 4 + 16
}

/// The running hash of a signed message, and the key for its end.
final class MessageSignature {
    private var hash: HashContext
    private let signingKey: ECDSA.PrivateKey?
    private let verificationKey: ECDSA.PublicKey?

    init(signingWith key: ECDSA.PrivateKey) throws(CryptographyError) {
        hash = try HashContext(key.curve.function)
        signingKey = key
        verificationKey = nil
    }

    /// Takes the public key out of a message's context.
    init(verifying context: EncryptionContext) throws {
        guard let text = context.pairs[MessageHeader.signingKeyName], let point = Base64.decode(text) else {
            throw EnvelopeError(.notAuthentic)
        }
        hash = try HashContext(.sha384)
        verificationKey = try ECDSA.PublicKey(.p384, point: point)
        signingKey = nil
    }

    func update(_ bytes: Span<UInt8>) throws(CryptographyError) { try hash.update(bytes) }

    func sign() throws(CryptographyError) -> [UInt8] {
        guard let signingKey else { throw CryptographyError(.invalidKey) }
        return try signingKey.sign(try hash.finish())
    }

    func isValid(_ signature: [UInt8]) throws(CryptographyError) -> Bool {
        guard let verificationKey else { return false }
        return try verificationKey.isValid(signature, for: try hash.finish())
    }
}
