public import KeyManagement

extension Envelope {
    /// Seals bytes that are in memory into a sink, reading them where they stand, and commits it.
    ///
    /// - Parameter progress: told how many bytes have been sealed, now and then.
    public func encrypt<Sink: TransactionalSink & ~Copyable>(
        _ plaintext: Span<UInt8>, into sink: inout Sink, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            let sealer = try await sealer(context, plaintext.count)
            try sealer.append(plaintext, isLast: true) { sealer in
                try Envelope.checkCancellation()
                try sealer.flush(to: &sink)
                progress(sealer.sealedByteCount)
            }
            return try Envelope.finish(sealer, into: &sink, progress)
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Seals an array into a sink, on as many cores as the envelope has, and commits it.
    ///
    /// - Parameter progress: told how many bytes have been sealed, now and then.
    public func encrypt<Sink: TransactionalSink & ~Copyable>(
        _ plaintext: [UInt8], into sink: inout Sink, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        guard Envelope.isLong(plaintext.count, cores, framing) else {
            let span = plaintext.span
            return try await encrypt(span, into: &sink, context: context, progress: progress)
        }
        do {
            let sealer = try await sealer(context, plaintext.count)
            try await seal(plaintext, through: sealer, into: &sink, progress)
            return try Envelope.finish(sealer, into: &sink, progress)
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Seals what a source has into a sink, holding a few pieces in memory, and commits it.
    ///
    /// Between the keyring's work and the end it blocks its thread on source and sink; a cancelled task stops it.
    ///
    /// - Parameter progress: told how many bytes have been sealed, now and then.
    public func encrypt<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        from source: inout Source, into sink: inout Sink, context: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            let expected = source.expectedByteCount
            let sealer = try await sealer(context, expected)
            if Envelope.isLong(expected ?? 0, cores, framing) {
                try await seal(&source, through: sealer, into: &sink, progress)
            } else {
                try Envelope.seal(&source, expected, through: sealer, into: &sink, progress)
            }
            return try Envelope.finish(sealer, into: &sink, progress)
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Opens a message in an array into a sink, on as many cores as the envelope has, and commits it only when the whole
    /// message has proved authentic.
    ///
    /// - Parameters:
    ///   - expected: pairs that its encryption context must have.
    ///   - progress: told how many bytes have been opened, now and then.
    public func decrypt<Sink: TransactionalSink & ~Copyable>(
        _ message: [UInt8], into sink: inout Sink, expecting expected: EncryptionContext = .none,
        progress: (Int) -> Void = { _ in }
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var needed = 0
            guard let read = try ReadHeader(message.span, limits: limits, needed: &needed) else {
                throw EnvelopeError(.notAuthentic)
            }
            let opener = try await opener(read, expecting: expected)
            if Envelope.isLong(message.count, cores, Framing(frameByteCount: read.header.frameByteCount)) {
                try await open(message, from: read.byteCount, through: opener, into: &sink, progress)
            } else {
                try opener.consume(message.span.extracting(read.byteCount...)) { try sink.write($0) }
            }
            let description = try opener.finish()
            try sink.commit()
            progress(description.byteCount)
            return description
        } catch { throw EnvelopeError(wrapping: error) }
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
            var rest: [UInt8] = []
            let read = try Envelope.readHeader(&source, limits, rest: &rest)
            let opener = try await opener(read, expecting: expected)
            if Envelope.isLong(
                source.expectedByteCount ?? 0, cores, Framing(frameByteCount: read.header.frameByteCount))
            {
                try await open(&source, after: rest, through: opener, into: &sink, progress)
            } else {
                try Envelope.open(&source, after: rest, through: opener) { plaintext in
                    try sink.write(plaintext)
                    progress(opener.byteCount)
                }
            }
            let description = try opener.finish()
            try sink.commit()
            progress(description.byteCount)
            return description
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Opens an unsigned message and releases it as its frames prove authentic, several at a time. That the message goes on
    /// to its end is known only when this returns.
    ///
    /// - Throws: `unsupported` for a signed message: before its signature nothing of it may be released.
    public func decryptUnsigned<Source: ByteSource & ~Copyable>(
        from source: inout Source, expecting expected: EncryptionContext = .none,
        releasing body: (Span<UInt8>) throws -> Void
    ) async throws(EnvelopeError) -> MessageDescription {
        do {
            var rest: [UInt8] = []
            let read = try Envelope.readHeader(&source, limits, rest: &rest)
            try read.checkUnsigned("is released as a whole")
            let opener = try await opener(read, expecting: expected)
            try Envelope.open(&source, after: rest, through: opener, body)
            return try opener.finish()
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Reads a message's header from a source without any key. What follows it may have been read too.
    public static func inspect<Source: ByteSource & ~Copyable>(
        _ source: inout Source, limits: MessageLimits = MessageLimits()
    ) throws(EnvelopeError) -> UnverifiedHeader {
        do {
            var rest: [UInt8] = []
            return UnverifiedHeader(try readHeader(&source, limits, rest: &rest))
        } catch { throw EnvelopeError(wrapping: error) }
    }
}

extension ReadHeader {
    func checkUnsigned(_ reason: String) throws(EnvelopeError) {
        guard !header.suite.isSigned else { throw EnvelopeError(.unsupported, "a signed message \(reason)") }
    }
}

// How the bytes of a message go from source to sink, on one core.
extension Envelope {
    /// Seals a whole source. A byte is always held back, so that the last frame is known to be the last.
    private static func seal<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        _ source: inout Source, _ expected: Int?, through sealer: MessageSealer, into sink: inout Sink,
        _ progress: (Int) -> Void
    ) throws {
        let run = sealer.runByteCount
        var piece = [UInt8](repeating: 0, count: min(run, max(expected ?? run, 0)) + 1)
        defer { piece.cleanse() }
        var held = 0
        while true {
            try checkCancellation()
            let count = held + (try read(&source, into: &piece, from: held))
            try sealer.check(sealer.byteCount + count, expected)
            if count < piece.count { return try sealer.append(piece.span.extracting(..<count), isLast: true) }
            try sealer.append(piece.span.extracting(..<run), isLast: false)
            if sealer.isFull { try sealer.flush(to: &sink) }
            progress(sealer.sealedByteCount)
            piece[0] = piece[run]
            held = 1
        }
    }

    /// Opens what comes after a header. Pieces end where frames do, so that frames are opened where they stand.
    static func open<Source: ByteSource & ~Copyable>(
        _ source: inout Source, after rest: [UInt8], through opener: MessageOpener,
        _ release: (Span<UInt8>) throws -> Void
    ) throws {
        try opener.consume(rest.span, release)
        var piece = [UInt8](repeating: 0, count: opener.runByteCount)
        while true {
            try checkCancellation()
            let (run, pending) = (opener.runByteCount, opener.pendingByteCount)
            let wanted = pending < run ? run - pending : run
            let count = try read(&source, into: &piece, from: 0, upTo: wanted)
            if count > 0 { try opener.consume(piece.span.extracting(..<count), release) }
            if count < wanted { return }
        }
    }

    static func finish<Sink: TransactionalSink & ~Copyable>(
        _ sealer: MessageSealer, into sink: inout Sink, _ progress: (Int) -> Void
    ) throws -> MessageDescription {
        try sealer.flush(to: &sink)
        try sink.commit()
        progress(sealer.byteCount)
        return sealer.description
    }

    /// Reads until the header is whole.
    ///
    /// - Parameter rest: what has been read beyond it.
    static func readHeader<Source: ByteSource & ~Copyable>(
        _ source: inout Source, _ limits: MessageLimits, rest: inout [UInt8]
    ) throws -> ReadHeader {
        var bytes: [UInt8] = []
        var needed = 1 << 12
        while true {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: max(needed - start, start, 1 << 10))
            let count = start + (try read(&source, into: &bytes, from: start))
            let isEnd = count < bytes.count
            if let header = try ReadHeader(bytes.span.extracting(..<count), limits: limits, needed: &needed) {
                rest = Array(bytes[header.byteCount..<count])
                return header
            }
            // A source that ends in the header has been cut.
            guard !isEnd else { throw EnvelopeError(.notAuthentic) }
        }
    }

    static func read<Source: ByteSource & ~Copyable>(
        _ source: inout Source, into bytes: inout [UInt8], from start: Int, upTo count: Int = .max
    ) throws -> Int {
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(start..<(start + min(count, all.count - start)))
        return try source.read(into: &target)
    }

    static func checkCancellation() throws(EnvelopeError) {
        guard !Task.isCancelled else { throw EnvelopeError(.cancelled) }
    }
}

extension MessageSealer {
    /// A source that has more than it said would go past a cache's account of its data key.
    func check(_ count: Int, _ expected: Int?) throws(EnvelopeError) {
        guard let expected, count > expected else { return }
        throw EnvelopeError(.stream, "the source has more than the \(expected) bytes that it said")
    }

    /// Whole frames in about a quarter of a mebibyte.
    var runByteCount: Int { max(body.frames(in: MessageSealer.flushCount) * body.frameByteCount, 1 << 12) }
}

extension MessageOpener {
    /// Whole frames, as they stand in the message, in about a quarter of a mebibyte.
    var runByteCount: Int {
        body.frameByteCount == 0
            ? MessageSealer.flushCount : body.frames(in: MessageSealer.flushCount) * body.regularByteCount
    }
}
