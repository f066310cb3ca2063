public import Cryptography
public import KeyManagement

/// What is known of a message that was sealed or opened.
public struct MessageDescription: Sendable, Hashable {
    /// Its encryption context, with the pairs that it does not store.
    public let context: EncryptionContext
    /// Its suite.
    public let suite: AlgorithmSuite
    /// Its sealed data keys.
    public let encryptedDataKeys: [EncryptedDataKey]
    /// How its body is divided.
    public let framing: Framing
    /// How many bytes of plaintext it has.
    public let byteCount: Int

    init(_ header: MessageHeader, _ context: EncryptionContext, byteCount: Int) {
        self.context = context
        suite = header.suite
        encryptedDataKeys = header.dataKeys
        framing = Framing(frameByteCount: header.frameByteCount)
        self.byteCount = byteCount
    }
}

/// A message, opened.
public struct OpenedMessage: ~Copyable, Sendable {
    /// What was sealed.
    public let plaintext: SecretBytes
    /// The encryption context that it was sealed with.
    public let context: EncryptionContext
    /// Its suite.
    public let suite: AlgorithmSuite
}

/// A message's header as it stands there, read without any key: anybody may have written it.
///
/// For finding out which keys a message needs. Nothing of it may decide anything else.
public struct UnverifiedHeader: Sendable, Hashable {
    /// 1 or 2.
    public let formatVersion: Int
    /// Its suite.
    public let suite: AlgorithmSuite
    /// The message's random identifier: 16 or 32 bytes.
    public let messageID: [UInt8]
    /// The pairs that it stores.
    public let context: EncryptionContext
    /// Its sealed data keys: their providers and what those need to know stand in clear.
    public let encryptedDataKeys: [EncryptedDataKey]
    /// How its body is divided.
    public let framing: Framing
    /// How many bytes the header has, its tag included.
    public let byteCount: Int

    init(_ read: ReadHeader) {
        formatVersion = Int(read.header.suite.messageVersion)
        suite = read.header.suite
        messageID = read.header.messageID
        context = read.header.context
        encryptedDataKeys = read.header.dataKeys
        framing = Framing(frameByteCount: read.header.frameByteCount)
        byteCount = read.byteCount
    }
}
