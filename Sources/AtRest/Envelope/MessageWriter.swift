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

    /// Sets up a message with the materials' data key, which it uses up.
    ///
    /// - Parameter isWhole: whether the message is taken as a whole, and so gathers in memory.
    init(
        _ materials: inout EncryptionMaterials, frameByteCount: Int, expectedByteCount: Int?, isWhole: Bool = false
    ) throws {
        let header = MessageHeader(
            suite: materials.suite, messageID: try SystemRandom().bytes(count: MessageHeader.messageIDCount),
            context: materials.context, dataKeys: materials.encryptedDataKeys, frameByteCount: UInt32(frameByteCount))
        guard let dataKey = materials.takeDataKey() else {
            throw EnvelopeError(.invalidKeyring, "no keyring made a data key")
        }
        let keys = try MessageKeys(dataKey, header)
        var start = try header.bytes
        start.append(copying: keys.commitment.bytes)
        start += try keys.headerTag(start)
        self.header = header
        frames = keys.frames(of: header)
        signature = try materials.signingKey.map { try MessageSignature(signingWith: $0) }
        try signature?.update(start.span)
        output = start
        // Room for one frame beyond the point at which it is flushed; for a short message only what that needs.
        let largest = isWhole ? Int.max / 64 : MessageWriter.flushCount + frameByteCount + MessageWriter.largestOverhead
        let expected = min(expectedByteCount ?? largest, largest)
        let needed = expected + (expected / frameByteCount + 1) * MessageWriter.largestOverhead
        output.reserveCapacity(start.count + min(needed, largest))
    }

    /// Seals the next frame; every frame but the final one has the header's length.
    mutating func append(_ plaintext: Span<UInt8>, isFinal: Bool) throws {
        guard sequence < UInt32.max - 1 else { throw EnvelopeError(.limitExceeded, "2^32 - 2 frames") }
        sequence += 1
        let start = output.count
        let (frames, sequence) = (frames, sequence)
        let head = isFinal ? MessageWriter.finalHead : MessageWriter.regularHead
        let count = plaintext.count
        var tag: InlineArray<16, UInt8> = .init(repeating: 0)
        try output.append(count: head + count + tag.count) { frame throws(CryptographyError) in
            MessageWriter.writeHead(sequence, count: isFinal ? UInt32(count) : nil, into: &frame)
            var ciphertext = frame._mutatingExtracting(head..<(head + count))
            var tagSpan = tag.mutableSpan
            try frames.seal(plaintext, sequence: sequence, isFinal: isFinal, ciphertext: &ciphertext, tag: &tagSpan)
            frame.overwrite(at: head + count, with: tag.span)
        }
        try signature?.update(output.span.extracting(start...))
    }

    /// Sequence number and nonce; in a final frame a marker before them, and the length after.
    private static func writeHead(_ sequence: UInt32, count: UInt32?, into frame: inout MutableSpan<UInt8>) {
        var end = 0
        func put(_ value: UInt32, _ frame: inout MutableSpan<UInt8>) {
            frame[end] = UInt8(truncatingIfNeeded: value >> 24)
            frame[end + 1] = UInt8(truncatingIfNeeded: value >> 16)
            frame[end + 2] = UInt8(truncatingIfNeeded: value >> 8)
            frame[end + 3] = UInt8(truncatingIfNeeded: value)
            end += 4
        }
        if count != nil { put(UInt32.max, &frame) }
        put(sequence, &frame)
        put(0, &frame)
        put(0, &frame)
        put(sequence, &frame)
        if let count { put(count, &frame) }
    }

    /// Whether enough has gathered to be worth a call of the sink.
    var isFull: Bool { output.count >= MessageWriter.flushCount }

    /// Gives what has gathered to the sink.
    mutating func flush<Sink: TransactionalSink & ~Copyable>(to sink: inout Sink) throws {
        try sink.write(output.span)
        output.removeAll(keepingCapacity: true)
    }

    /// Everything that has been sealed, with the footer.
    mutating func message() throws -> [UInt8] {
        let footer = try footer()
        var message: [UInt8] = []
        swap(&message, &output)
        return footer.isEmpty ? message : message + footer
    }

    /// The footer: the signature with its length; nothing for unsigned suites.
    mutating func footer() throws -> [UInt8] {
        guard let bytes = try signature?.sign() else { return [] }
        var footer: [UInt8] = []
        footer.appendBigEndian(UInt16(bytes.count))
        return footer + bytes
    }

    private static let regularHead = 4 + 12
    private static let finalHead = 4 + 4 + 12 + 4
    private static let flushCount = 1 << 18
    /// Marker, sequence number, nonce, length and tag of a final frame.
    static let largestOverhead = 4 + 4 + 12 + 4 + 16
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
