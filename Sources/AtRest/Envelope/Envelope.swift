internal import Cryptography
public import KeyManagement

/// Seals data of any size as AWS Encryption SDK messages, and opens them.
///
/// Each message has a data key of its own, which a keyring seals; the body is cut into frames, each authenticated with its
/// place. The header commits to the data key, and messages without commitment are not read unless the policy says so. AWS's
/// SDKs read what this writes, and the other way round.
///
/// ```swift
/// let message = try await Envelope(keyring: KMSKeyring(kms, orders)).encrypt(file, context: ["dept": "tax"])
/// ```
///
/// Format: AWS Encryption SDK specification, message formats 1.0 and 2.0, all eleven suites.
public struct Envelope: Sendable {
    /// Who provides the keys of messages.
    public let manager: any CryptographicMaterialsManager
    /// The suite of new messages. Opening takes every suite that the policy allows.
    public let suite: AlgorithmSuite
    /// How new messages are divided.
    public let framing: Framing
    /// Whether messages must commit to their data key.
    public let policy: CommitmentPolicy
    /// What is accepted of headers that are not authenticated yet.
    public let limits: MessageLimits
    /// On how many cores a long message is sealed or opened at once. Each holds some mebibytes of it.
    public let cores: Int

    /// Sets up sealing and opening.
    ///
    /// - Parameters:
    ///   - manager: who provides the keys of messages.
    ///   - suite: the suite of new messages; the policy's own where nil.
    ///   - framing: how new messages are divided.
    ///   - policy: whether messages must commit to their data key.
    ///   - limits: what is accepted of headers that are not authenticated yet.
    ///   - cores: on how many cores a long message is sealed or opened at once.
    public init(
        manager: any CryptographicMaterialsManager, suite: AlgorithmSuite? = nil, framing: Framing = .standard,
        policy: CommitmentPolicy = .requireEncryptRequireDecrypt, limits: MessageLimits = MessageLimits(),
        cores: Int = 1
    ) {
        self.manager = manager
        self.suite = suite ?? policy.defaultSuite
        self.framing = framing
        self.policy = policy
        self.limits = limits
        self.cores = max(cores, 1)
    }

    /// Sets up sealing and opening with a keyring, which is asked for each message.
    public init(
        keyring: any Keyring, suite: AlgorithmSuite? = nil, framing: Framing = .standard,
        policy: CommitmentPolicy = .requireEncryptRequireDecrypt, limits: MessageLimits = MessageLimits(),
        cores: Int = 1
    ) {
        self.init(
            manager: DefaultMaterialsManager(keyring), suite: suite, framing: framing, policy: policy, limits: limits,
            cores: cores)
    }

    /// Seals an array.
    ///
    /// - Throws: `commitmentPolicy`, `keyService`, `contextMismatch`, `limitExceeded`, `invalidKeyring`, `cancelled`.
    public func encrypt(
        _ plaintext: [UInt8], context: EncryptionContext = .none
    ) async throws(EnvelopeError) -> [UInt8] {
        if Envelope.isLong(plaintext.count, cores, framing) {
            var sink = ArraySink()
            _ = try await encrypt(plaintext, into: &sink, context: context)
            return sink.bytes
        }
        return try await stated {
            let sealer = try await sealer(context, plaintext.count, roomFor: plaintext.count)
            try sealer.append(plaintext.span, isLast: true)
            return sealer.takeOutput()
        }
    }

    /// Opens a message that is in memory.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - expected: pairs that its encryption context must have. Those that it does not store must have been held out
    ///     when it was sealed.
    /// - Throws: `malformed`, `unsupported`, `limitExceeded`, `commitmentPolicy`, `contextMismatch`, `noUsableKey`,
    ///   `keyService`, `notAuthentic`, `cancelled`.
    public func decrypt(
        _ message: [UInt8], expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> OpenedMessage {
        var sink = SecretSink(capacity: message.count)
        let description = try await decrypt(message, into: &sink, expecting: expected)
        return OpenedMessage(plaintext: sink.take(), context: description.context, suite: description.suite)
    }

    /// Reads a message's header without any key.
    ///
    /// - Parameters:
    ///   - message: the message, or its first bytes.
    ///   - limits: what is accepted of it.
    /// - Throws: `malformed`, `unsupported`, `limitExceeded`; `malformed` also where the header is not whole.
    public static func inspect(
        _ message: [UInt8], limits: MessageLimits = MessageLimits()
    ) throws(EnvelopeError) -> UnverifiedHeader {
        var needed = 0
        guard let read = try ReadHeader(message.span, limits: limits, needed: &needed) else {
            throw EnvelopeError(.malformed, "the header goes on behind the end: at least \(needed) bytes")
        }
        return UnverifiedHeader(read)
    }
}

extension Envelope {
    /// A new message's sealer.
    ///
    /// - Parameters:
    ///   - byteCount: how long the plaintext is, where that is known for certain.
    ///   - room: for how much output to make room at once.
    func sealer(
        _ context: EncryptionContext, _ byteCount: Int?, roomFor room: Int = MessageSealer.flushCount
    ) async throws -> MessageSealer {
        try policy.check(encrypting: suite)
        _ = try framing.frameByteCount
        let materials = try await manager.encryptionMaterials(
            for: EncryptionMaterialsRequest(suite: suite, context: context, plaintextByteCount: byteCount))
        guard materials.suite == suite else {
            throw EnvelopeError(.invalidKeyring, "the manager answered with another suite")
        }
        return try MessageSealer(materials, framing, expectedByteCount: room)
    }

    /// The materials of a message whose header has been read.
    func materials(
        for read: ReadHeader, expecting expected: EncryptionContext
    ) async throws -> DecryptionMaterials {
        try policy.check(decrypting: read.header.suite)
        let materials = try await manager.decryptionMaterials(
            for: DecryptionMaterialsRequest(
                suite: read.header.suite, context: read.header.context, encryptedDataKeys: read.header.dataKeys,
                expectedContext: expected))
        guard materials.suite == read.header.suite else {
            throw EnvelopeError(.invalidKeyring, "the manager answered with another suite")
        }
        return materials
    }

    func opener(_ read: ReadHeader, expecting expected: EncryptionContext) async throws -> MessageOpener {
        try MessageOpener(read, try await materials(for: read, expecting: expected), limits)
    }
}

/// Gathers plaintext in secret memory.
private struct SecretSink: TransactionalSink, ~Copyable {
    private var secret: SecretBytes
    private var count = 0
    private var isCommitted = false

    init(capacity: Int) { secret = SecretBytes(count: capacity) { _ in } }

    mutating func write(_ bytes: Span<UInt8>) throws {
        guard count + bytes.count <= secret.count else { throw EnvelopeError(.notAuthentic) }
        let start = count
        secret.withMutableBytes { target in target.overwrite(at: start, with: bytes) }
        count += bytes.count
    }

    mutating func commit() { isCommitted = true }

    consuming func take() -> SecretBytes {
        isCommitted ? secret.slice(..<count) : SecretBytes(count: 0) { _ in }
    }
}
