internal import Cryptography
internal import KeyManagement

/// The header of a message (AWS Encryption SDK specification, data-format/message-header), versions 1 and 2.
struct MessageHeader: Equatable, Sendable {
    let suite: AlgorithmSuite
    /// Random bytes, as many as the version asks for.
    let messageID: [UInt8]
    /// The pairs that are stored.
    let context: EncryptionContext
    let dataKeys: [EncryptedDataKey]
    /// The length of all frames but the last; 0 for a body that is one block.
    let frameByteCount: UInt32

    static let commitmentCount = 32
    static let nonceCount = 12
    static let tagCount = 16
    static let reservedPrefix = "aws-crypto-"
    static let signingKeyName = "aws-crypto-public-key"

    /// A new message's header.
    init(_ materials: EncryptionMaterials, _ framing: Framing) throws {
        suite = materials.suite
        messageID = try SystemRandom().bytes(count: materials.suite.messageIDCount)
        context = materials.storedContext
        dataKeys = materials.encryptedDataKeys
        frameByteCount = try framing.frameByteCount
    }

    init(
        suite: AlgorithmSuite, messageID: [UInt8], context: EncryptionContext, dataKeys: [EncryptedDataKey],
        frameByteCount: UInt32
    ) {
        self.suite = suite
        self.messageID = messageID
        self.context = context
        self.dataKeys = dataKeys
        self.frameByteCount = frameByteCount
    }

    /// The same message with its data key sealed by others.
    func with(dataKeys: [EncryptedDataKey]) -> MessageHeader {
        MessageHeader(
            suite: suite, messageID: messageID, context: context, dataKeys: dataKeys, frameByteCount: frameByteCount)
    }

    /// The header up to the commitment, which follows in version 2.
    func bytes() throws(EnvelopeError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Room for commitment and tag, and for all of a short message.
        bytes.reserveCapacity(640 + dataKeys.reduce(0) { $0 + $1.information.count + $1.ciphertext.count })
        bytes.append(suite.messageVersion)
        if suite.messageVersion == 1 { bytes.append(MessageHeader.customerAuthenticated) }
        bytes.appendBigEndian(suite.id)
        bytes += messageID
        let context = try MessageHeader.serialize(context)
        bytes.appendBigEndian(UInt16(context.count))
        bytes += context
        guard (1...65535).contains(dataKeys.count) else {
            throw EnvelopeError(.limitExceeded, "\(dataKeys.count) data keys: 1 to 65535")
        }
        bytes.appendBigEndian(UInt16(dataKeys.count))
        for key in dataKeys {
            try MessageHeader.append(key.provider.utf8, to: &bytes)
            try MessageHeader.append(key.information, to: &bytes)
            try MessageHeader.append(key.ciphertext, to: &bytes)
        }
        bytes.append(frameByteCount == 0 ? 1 : 2)
        if suite.messageVersion == 1 { bytes += [0, 0, 0, 0, UInt8(MessageHeader.nonceCount)] }
        bytes.appendBigEndian(frameByteCount)
        return bytes
    }

    /// The pairs sorted by the bytes of their names, lengths in 16 bits, preceded by their count; nothing for none.
    static func serialize(_ context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
        guard !context.pairs.isEmpty else { return [] }
        guard context.pairs.count <= 65535 else { throw EnvelopeError(.limitExceeded, "an encryption context") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128 * context.pairs.count)
        bytes.appendBigEndian(UInt16(context.pairs.count))
        for (name, value) in context.pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            try append(name.utf8, to: &bytes)
            try append(value.utf8, to: &bytes)
        }
        guard bytes.count <= 65535 else { throw EnvelopeError(.limitExceeded, "an encryption context") }
        return bytes
    }

    private static func append(_ field: some Collection<UInt8>, to bytes: inout [UInt8]) throws(EnvelopeError) {
        guard field.count <= 65535 else { throw EnvelopeError(.limitExceeded, "a field of more than 65535 bytes") }
        bytes.appendBigEndian(UInt16(field.count))
        bytes += field
    }

    /// The type of all messages of version 1.
    static let customerAuthenticated: UInt8 = 0x80
}
