public import Cryptography
public import KeyManagement

/// Seals data of any size as AWS Encryption SDK messages, and opens them.
///
/// Each message has a data key of its own, which the keyring seals; the body is cut into frames, each authenticated with
/// its place. The header commits to the data key, and messages without commitment are not read. AWS's SDKs read what
/// this writes, and the other way round.
///
/// ```swift
/// let message = try await Envelope(keyring: KMSKeyring(kms, orders)).encrypt(file, context: ["dept": "tax"])
/// ```
///
/// Format: AWS Encryption SDK specification, message format 2.0; suites 0478 and 0578.
public struct Envelope: Sendable {
    /// Who seals and opens the data keys.
    public let keyring: any Keyring
    /// The suite of new messages. Opening takes either.
    public let suite: AlgorithmSuite
    /// The length of new messages' frames in bytes.
    public let frameByteCount: Int
    /// What is accepted of headers that are not authenticated yet.
    public let limits: MessageLimits

    /// Sets up sealing and opening.
    ///
    /// - Parameters:
    ///   - keyring: who seals and opens the data keys.
    ///   - suite: the suite of new messages.
    ///   - frameByteCount: 1 byte to 64 MiB. Small frames are released sooner, large ones are faster.
    ///   - limits: what is accepted of headers that are not authenticated yet.
    public init(
        keyring: any Keyring, suite: AlgorithmSuite = .committingSigned, frameByteCount: Int = 4096,
        limits: MessageLimits = MessageLimits()
    ) {
        self.keyring = keyring
        self.suite = suite
        self.frameByteCount = min(max(frameByteCount, 1), 1 << 26)
        self.limits = limits
    }

    /// Seals an array.
    public func encrypt(
        _ plaintext: [UInt8], context: EncryptionContext = .none
    ) async throws(EnvelopeError) -> [UInt8] {
        do {
            var writer = try await writer(context, plaintext.count, isWhole: true)
            try Envelope.seal(plaintext.span, through: &writer, frameByteCount) { _, _ in }
            return try writer.message()
        } catch {
            throw EnvelopeError(wrapping: error)
        }
    }

    /// Seals bytes that are in memory into a sink, reading them where they stand, and commits it.
    ///
    /// - Parameter progress: told how many bytes have been sealed, now and then.
    public func encrypt<Sink: TransactionalSink & ~Copyable>(
        _ plaintext: Span<UInt8>, into sink: inout Sink, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var writer = try await writer(context, plaintext.count)
            try Envelope.seal(plaintext, through: &writer, frameByteCount) { writer, total in
                try Envelope.flushIfFull(&writer, into: &sink, total, progress)
            }
            return try Envelope.finish(&writer, into: &sink, plaintext.count, progress)
        } catch {
            throw EnvelopeError(wrapping: error)
        }
    }

    /// Opens a message that is in memory.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - expected: pairs that its encryption context must have.
    public func decrypt(
        _ message: [UInt8], expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> OpenedMessage {
        var source = ArraySource(message)
        var sink = SecretSink(capacity: message.count)
        let description = try await decrypt(from: &source, into: &sink, expecting: expected)
        return OpenedMessage(plaintext: sink.take(), context: description.context, suite: description.suite)
    }

    /// Seals what a source has into a sink, holding a few frames in memory, and commits it.
    ///
    /// Between the keyring's work and the end it blocks its thread on source and sink; a cancelled task stops it.
    ///
    /// - Parameter progress: told how many bytes have been sealed, now and then.
    public func encrypt<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        from source: inout Source, into sink: inout Sink, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var writer = try await writer(context, source.expectedByteCount)
            return try Envelope.copy(&source, into: &sink, through: &writer, frameByteCount, progress)
        } catch {
            throw EnvelopeError(wrapping: error)
        }
    }

    /// Opens a message into a sink, and commits it only when the whole message has proved authentic.
    ///
    /// - Parameters:
    ///   - expected: pairs that its encryption context must have.
    ///   - progress: told how many bytes have been opened, now and then.
    public func decrypt<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        from source: inout Source, into sink: inout Sink, expecting expected: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var reader = try await unlockedReader(&source, expected)
            var reported = 0
            let description = try Envelope.copy(&source, through: &reader) { frame, total in
                try sink.write(frame)
                if total - reported >= 1 << 18 {
                    progress(total)
                    reported = total
                }
            }
            try sink.commit()
            progress(description.byteCount)
            return description
        } catch {
            throw EnvelopeError(wrapping: error)
        }
    }

    /// Opens an unsigned message and releases it frame by frame. Each frame is authentic; that the message goes on to its
    /// end is known only when this returns.
    ///
    /// - Throws: `unsupported` for a signed message: before its signature nothing of it may be released.
    public func decryptUnsigned<Source: ByteSource & ~Copyable>(
        from source: inout Source, expecting expected: EncryptionContext = .none,
        releasing body: (Span<UInt8>) throws -> Void
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var reader = try await unlockedReader(&source, expected)
            guard !reader.header.suite.isSigned else {
                throw EnvelopeError(.unsupported, "a signed message is released as a whole")
            }
            return try Envelope.copy(&source, through: &reader) { frame, _ in try body(frame) }
        } catch {
            throw EnvelopeError(wrapping: error)
        }
    }

    private func writer(
        _ context: EncryptionContext, _ expected: Int?, isWhole: Bool = false
    ) async throws -> MessageWriter {
        var materials = try EncryptionMaterials(suite: suite, context: context)
        try await keyring.sealDataKey(in: &materials)
        return try MessageWriter(
            &materials, frameByteCount: frameByteCount, expectedByteCount: expected, isWhole: isWhole)
    }

    private func unlockedReader<Source: ByteSource & ~Copyable>(
        _ source: inout Source, _ expected: EncryptionContext
    ) async throws -> MessageReader<Source> {
        var reader = try MessageReader(&source, limits: limits)
        for (name, value) in expected.pairs where reader.header.context.pairs[name] != value {
            throw EnvelopeError(.contextMismatch, "the message was not sealed with \(name)=\(value)")
        }
        // The suite is not bound into the sealed data keys, the signing key's name in the context is: a signed message
        // cannot be passed off as an unsigned one by somebody who may open it.
        let namesSigner = reader.header.context.pairs[MessageHeader.signingKeyName] != nil
        guard reader.header.suite.isSigned == namesSigner else { throw EnvelopeError(.notAuthentic) }
        var materials = DecryptionMaterials(suite: reader.header.suite, context: reader.header.context)
        try await keyring.openDataKey(reader.header.dataKeys, in: &materials)
        guard let dataKey = materials.takeDataKey() else {
            throw EnvelopeError(.noUsableKey, "none of the message's data keys is this keyring's")
        }
        try reader.unlock(with: dataKey)
        return reader
    }
}

/// What is known of a message that was sealed or opened.
public struct MessageDescription: Sendable, Hashable {
    /// Its encryption context.
    public let context: EncryptionContext
    /// Its suite.
    public let suite: AlgorithmSuite
    /// Its sealed data keys.
    public let encryptedDataKeys: [EncryptedDataKey]
    /// How many bytes of plaintext it has.
    public let byteCount: Int

    init(_ header: MessageHeader, byteCount: Int) {
        context = header.context
        suite = header.suite
        encryptedDataKeys = header.dataKeys
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
