public import KeyManagement

extension Envelope {
    /// Seals a file into another. The target is there whole or not at all.
    ///
    /// - Parameters:
    ///   - path: what to seal.
    ///   - target: the message. Its mode is 0600.
    ///   - replacing: whether a file of that name may be replaced.
    ///   - context: the encryption context.
    ///   - progress: told how many bytes are done.
    public func encryptFile(
        _ path: String, to target: String, replacing: Bool = false, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        var source = try FileSource(path: path)
        var sink = try AtomicFileSink(path: target, replacing: replacing)
        return try await encrypt(from: &source, into: &sink, context: context, progress: progress)
    }

    /// Opens a sealed file into another, which is there only if the whole message is authentic.
    public func decryptFile(
        _ path: String, to target: String, replacing: Bool = false, expecting expected: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        var source = try FileSource(path: path)
        var sink = try AtomicFileSink(path: target, replacing: replacing)
        return try await decrypt(from: &source, into: &sink, expecting: expected, progress: progress)
    }

    /// Seals a sealed file's data key anew, by another keyring, into another file or in place of it.
    ///
    /// - Parameters:
    ///   - path: a sealed file.
    ///   - target: the new one; the same path where `replacing` is true.
    public func rewrapFile(
        _ path: String, to target: String, replacing: Bool = false, for keyring: any Keyring,
        expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) {
        var source = try FileSource(path: path)
        var sink = try AtomicFileSink(path: target, replacing: replacing)
        try await rewrap(from: &source, into: &sink, for: keyring, expecting: expected)
    }

    /// Reads a sealed file's header without any key.
    public static func inspectFile(
        _ path: String, limits: MessageLimits = MessageLimits()
    ) throws(EnvelopeError) -> UnverifiedHeader {
        var source = try FileSource(path: path)
        return try inspect(&source, limits: limits)
    }

    /// Opens a sealed file and compares its content with a file, writing nothing.
    ///
    /// - Throws: `notAuthentic` where they differ.
    public func compareFile(
        _ path: String, with original: String, progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        var source = try FileSource(path: path)
        var sink = ComparingSink(try FileSource(path: original))
        return try await decrypt(from: &source, into: &sink, progress: progress)
    }
}

/// Compares what is written with a file, byte for byte.
private struct ComparingSink: TransactionalSink, ~Copyable {
    private var file: FileSource
    private var buffer: [UInt8] = []

    init(_ file: consuming FileSource) { self.file = file }

    mutating func write(_ bytes: Span<UInt8>) throws {
        var content: [UInt8] = []
        swap(&content, &buffer)
        defer { swap(&content, &buffer) }
        if content.count != bytes.count { content = [UInt8](repeating: 0, count: bytes.count) }
        var span = content.mutableSpan
        guard try file.read(into: &span) == bytes.count, span.span.isEqualInConstantTime(to: bytes) else {
            throw EnvelopeError(.notAuthentic, "the content differs from the file")
        }
    }

    mutating func commit() throws {
        var one: [UInt8] = [0]
        var span = one.mutableSpan
        guard try file.read(into: &span) == 0 else {
            throw EnvelopeError(.notAuthentic, "the file is longer than the content")
        }
    }
}
