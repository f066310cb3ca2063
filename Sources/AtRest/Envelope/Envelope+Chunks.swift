internal import Cryptography
public import KeyManagement

extension Envelope {
    /// Seals chunks as they come. What is sealed comes as chunks too: one is drawn from `chunks` when one is asked for, so that
    /// a slow reader slows its writer, and a piece or two are in memory.
    ///
    /// Of a frame that is not full only the rest of the plaintext makes something to send; use small frames where each
    /// chunk should go out at once.
    public func encrypt<Chunks: AsyncSequence & Sendable>(
        chunks: Chunks, context: EncryptionContext = .none
    ) -> SealedChunks<Chunks> where Chunks.Element == [UInt8] {
        SealedChunks(envelope: self, chunks: chunks, context: context)
    }

    /// Opens an unsigned message that comes in chunks, and releases its frames as they prove authentic. That the message is
    /// whole is known when the sequence ends without an error.
    ///
    /// A signed message ends it with `unsupported`: before its signature nothing of it may be released.
    public func decryptUnsigned<Chunks: AsyncSequence & Sendable>(
        chunks: Chunks, expecting expected: EncryptionContext = .none
    ) -> OpenedChunks<Chunks> where Chunks.Element == [UInt8] {
        OpenedChunks(envelope: self, chunks: chunks, expected: expected)
    }

    /// Seals chunks as they come into a sink, and commits it.
    public func encrypt<Chunks: AsyncSequence & Sendable, Sink: TransactionalSink & ~Copyable>(
        chunks: Chunks, into sink: inout Sink, context: EncryptionContext = .none
    ) async throws(EnvelopeError) where Chunks.Element == [UInt8] {
        do {
            for try await sealed in encrypt(chunks: chunks, context: context) { try sink.write(sealed.span) }
            try sink.commit()
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Opens a message that comes in chunks into a sink, and commits it only when the whole message has proved authentic.
    public func decrypt<Chunks: AsyncSequence & Sendable, Sink: TransactionalSink & ~Copyable>(
        chunks: Chunks, into sink: inout Sink, expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> MessageDescription where Chunks.Element == [UInt8] {
        do {
            var opening = ChunkOpening(self, expected, isReleasing: false)
            for try await chunk in chunks {
                try Envelope.checkCancellation()
                try await opening.consume(chunk) { try sink.write($0) }
            }
            let description = try opening.finish()
            try sink.commit()
            return description
        } catch { throw EnvelopeError(wrapping: error) }
    }
}

/// A message that is sealed while it is read: its bytes in chunks. Each reading makes a message of its own.
public struct SealedChunks<Chunks: AsyncSequence & Sendable>: AsyncSequence, Sendable where Chunks.Element == [UInt8] {
    fileprivate let envelope: Envelope
    fileprivate let chunks: Chunks
    fileprivate let context: EncryptionContext

    /// Begins a message.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// The state of one reading.
    public struct Iterator: AsyncIteratorProtocol {
        private let sequence: SealedChunks
        private var base: Chunks.AsyncIterator
        private var sealer: MessageSealer?
        /// The chunk that came last: what follows it tells whether it is the end.
        private var held: [UInt8]?
        private var isOver = false

        fileprivate init(_ sequence: SealedChunks) {
            self.sequence = sequence
            base = sequence.chunks.makeAsyncIterator()
        }

        /// The next bytes of the message; nil behind its end.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(EnvelopeError) -> [UInt8]? {
            guard !isOver else { return nil }
            do {
                return try await advance(actor)
            } catch {
                isOver = true
                throw EnvelopeError(wrapping: error)
            }
        }

        private mutating func advance(_ actor: isolated (any Actor)?) async throws -> [UInt8] {
            guard let sealer else {
                let begun = try await sequence.envelope.sealer(sequence.context, nil)
                sealer = begun
                return begun.takeOutput()
            }
            while true {
                try Envelope.checkCancellation()
                guard let chunk = try await base.next(isolation: actor) else {
                    let last = held ?? []
                    try sealer.append(last.span, isLast: true)
                    isOver = true
                    return sealer.takeOutput()
                }
                guard !chunk.isEmpty else { continue }
                if let held { try sealer.append(held.span, isLast: false) }
                held = chunk
                if !sealer.output.isEmpty { return sealer.takeOutput() }
            }
        }
    }
}

/// A message that is opened while it is read: its plaintext in chunks.
public struct OpenedChunks<Chunks: AsyncSequence & Sendable>: AsyncSequence, Sendable where Chunks.Element == [UInt8] {
    fileprivate let envelope: Envelope
    fileprivate let chunks: Chunks
    fileprivate let expected: EncryptionContext

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// The state of one reading.
    public struct Iterator: AsyncIteratorProtocol {
        private var base: Chunks.AsyncIterator
        private var opening: ChunkOpening
        private var isOver = false

        fileprivate init(_ sequence: OpenedChunks) {
            base = sequence.chunks.makeAsyncIterator()
            opening = ChunkOpening(sequence.envelope, sequence.expected, isReleasing: true)
        }

        /// The next bytes of the plaintext, authentic; nil behind the end of the whole message.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(EnvelopeError) -> [UInt8]? {
            guard !isOver else { return nil }
            do {
                while let chunk = try await base.next(isolation: actor) {
                    try Envelope.checkCancellation()
                    var released: [UInt8] = []
                    try await opening.consume(chunk) { plaintext in released.append(copying: plaintext) }
                    if !released.isEmpty { return released }
                }
                isOver = true
                _ = try opening.finish()
                return nil
            } catch {
                isOver = true
                throw EnvelopeError(wrapping: error)
            }
        }
    }
}

/// A message that comes in chunks: first its header, then its body.
private struct ChunkOpening {
    private let envelope: Envelope
    private let expected: EncryptionContext
    private let isReleasing: Bool
    private var header: [UInt8] = []
    private var needed = 0
    private var opener: MessageOpener?

    /// - Parameter isReleasing: whether plaintext is let out before the end.
    init(_ envelope: Envelope, _ expected: EncryptionContext, isReleasing: Bool) {
        self.envelope = envelope
        self.expected = expected
        self.isReleasing = isReleasing
    }

    mutating func consume(_ chunk: [UInt8], _ release: (Span<UInt8>) throws -> Void) async throws {
        if let opener { return try opener.consume(chunk.span, release) }
        header += chunk
        guard header.count >= needed else { return }
        var more = 0
        guard let read = try ReadHeader(header.span, limits: envelope.limits, needed: &more) else {
            needed = more
            return
        }
        if isReleasing { try read.checkUnsigned("is released as a whole") }
        let opener = try await envelope.opener(read, expecting: expected)
        self.opener = opener
        let rest = header
        header = []
        try opener.consume(rest.span.extracting(read.byteCount...), release)
    }

    func finish() throws(EnvelopeError) -> MessageDescription {
        guard let opener else { throw EnvelopeError(.notAuthentic) }
        return try opener.finish()
    }
}
