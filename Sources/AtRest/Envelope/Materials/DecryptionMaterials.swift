public import Cryptography
public import KeyManagement

/// What opening a message needs, while keyrings work on it.
public struct DecryptionMaterials: Sendable {
    /// The suite of the message.
    public let suite: AlgorithmSuite
    /// The message's encryption context: what it stores, and what whoever opens it knew.
    public let context: EncryptionContext
    /// The names whose pairs are not stored in the message. They are authenticated with its header.
    public let requiredContextNames: Set<String>

    private(set) var dataKey: SharedSecret?

    /// Begins materials, without a data key yet.
    public init(suite: AlgorithmSuite, context: EncryptionContext, requiredContextNames: Set<String> = []) {
        self.suite = suite
        self.context = context
        self.requiredContextNames = requiredContextNames
    }

    /// Whether a keyring has opened the data key already.
    public var isComplete: Bool { dataKey != nil }

    /// Sets the data key.
    ///
    /// - Returns: false for one of another length than the suite's, which is no data key of this message.
    @discardableResult
    public mutating func setDataKey(_ key: consuming SecretBytes) -> Bool {
        guard key.count == suite.keyByteCount else { return false }
        dataKey = SharedSecret(key)
        return true
    }
}
