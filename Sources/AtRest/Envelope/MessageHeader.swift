internal import Cryptography
internal import KeyManagement

/// A data key as one provider has sealed it.
public struct EncryptedDataKey: Sendable, Hashable {
    /// Who sealed it: "aws-kms", or a namespace.
    public let provider: String
    /// What the provider needs to know, such as the ARN of its key.
    public let information: [UInt8]
    /// The sealed key.
    public let ciphertext: [UInt8]

    /// Joins the three; each has at most 65535 bytes.
    public init(provider: String, information: [UInt8], ciphertext: [UInt8]) {
        self.provider = provider
        self.information = information
        self.ciphertext = ciphertext
    }
}

/// What a reader accepts of a header that nobody has authenticated yet.
public struct MessageLimits: Sendable, Hashable {
    /// How many sealed data keys a message may have.
    public var encryptedDataKeys = 64
    /// How many bytes the encryption context and the sealed data keys may have together.
    public var headerByteCount = 1 << 20
    /// How long a frame may be, in bytes: the reader holds one in memory.
    public var frameByteCount = 1 << 26

    /// The limits above.
    public init() {}
}

/// The header of a message of version 2 (AWS Encryption SDK specification, data-format/message-header).
struct MessageHeader: Equatable {
    let suite: AlgorithmSuite
    /// 32 random bytes.
    let messageID: [UInt8]
    let context: EncryptionContext
    let dataKeys: [EncryptedDataKey]
    /// The length of all frames but the last; 0 for a body that is one block.
    let frameByteCount: UInt32

    static let messageIDCount = 32
    static let commitmentCount = 32
    static let tagCount = 16
    static let reservedPrefix = "aws-crypto-"
    static let signingKeyName = "aws-crypto-public-key"

    /// The header up to the commitment.
    var bytes: [UInt8] {
        get throws(EnvelopeError) {
            var bytes: [UInt8] = [2]
            bytes.appendBigEndian(suite.id)
            bytes += messageID
            let context = try MessageHeader.serialize(context)
            bytes.appendBigEndian(UInt16(context.count))
            bytes += context
            guard (1...65535).contains(dataKeys.count) else {
                throw EnvelopeError(.limitExceeded, "1 to 65535 data keys")
            }
            bytes.appendBigEndian(UInt16(dataKeys.count))
            for key in dataKeys {
                for field in [Array(key.provider.utf8), key.information, key.ciphertext] {
                    guard field.count <= 65535 else { throw EnvelopeError(.limitExceeded, "a sealed data key's field") }
                    bytes.appendBigEndian(UInt16(field.count))
                    bytes += field
                }
            }
            bytes.append(frameByteCount == 0 ? 1 : 2)
            bytes.appendBigEndian(frameByteCount)
            return bytes
        }
    }

    /// The pairs sorted by the bytes of their names, lengths in 16 bits, preceded by their count; nothing for none.
    static func serialize(_ context: EncryptionContext) throws(EnvelopeError) -> [UInt8] {
        guard !context.pairs.isEmpty else { return [] }
        guard context.pairs.count <= 65535 else { throw EnvelopeError(.limitExceeded, "an encryption context") }
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt16(context.pairs.count))
        for (name, value) in context.pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            for text in [name, value] {
                guard text.utf8.count <= 65535 else { throw EnvelopeError(.limitExceeded, "an encryption context") }
                bytes.appendBigEndian(UInt16(text.utf8.count))
                bytes += text.utf8
            }
        }
        guard bytes.count <= 65535 else { throw EnvelopeError(.limitExceeded, "an encryption context") }
        return bytes
    }
}
