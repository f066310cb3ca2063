public import KeyManagement

/// Provides the keys of messages. Conformers: ``DefaultMaterialsManager``, which asks a keyring; ``RequiredContextManager``
/// and ``CachingMaterialsManager``, which stand around another. (AWS Encryption SDK specification, framework/cmm-interface.)
public protocol CryptographicMaterialsManager: Sendable {
    /// The keys of a new message.
    func encryptionMaterials(for request: EncryptionMaterialsRequest) async throws -> EncryptionMaterials

    /// The keys of a message that is to be opened.
    ///
    /// - Throws: `contextMismatch` where an expected pair contradicts the message's, `noUsableKey` where nothing opens the
    ///   data key.
    func decryptionMaterials(for request: DecryptionMaterialsRequest) async throws -> DecryptionMaterials
}

/// What a new message is to be.
public struct EncryptionMaterialsRequest: Sendable {
    /// Its suite.
    public var suite: AlgorithmSuite
    /// Its encryption context.
    public var context: EncryptionContext
    /// The names whose pairs are not to be stored in it.
    public var requiredContextNames: Set<String>
    /// How many bytes it has at most; nil where that is not known.
    public var plaintextByteCount: Int?

    /// Asks for materials.
    public init(
        suite: AlgorithmSuite, context: EncryptionContext, requiredContextNames: Set<String> = [],
        plaintextByteCount: Int? = nil
    ) {
        self.suite = suite
        self.context = context
        self.requiredContextNames = requiredContextNames
        self.plaintextByteCount = plaintextByteCount
    }
}

/// What is known of a message that is to be opened.
public struct DecryptionMaterialsRequest: Sendable, Hashable {
    /// Its suite.
    public let suite: AlgorithmSuite
    /// The encryption context that stands in it.
    public let context: EncryptionContext
    /// Its sealed data keys.
    public let encryptedDataKeys: [EncryptedDataKey]
    /// The pairs that whoever opens it expects. Those that are not stored in it must have been held out when it was sealed.
    public let expectedContext: EncryptionContext

    /// Asks for materials.
    public init(
        suite: AlgorithmSuite, context: EncryptionContext, encryptedDataKeys: [EncryptedDataKey],
        expectedContext: EncryptionContext = .none
    ) {
        self.suite = suite
        self.context = context
        self.encryptedDataKeys = encryptedDataKeys
        self.expectedContext = expectedContext
    }
}
