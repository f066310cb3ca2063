internal import Cryptography
internal import KeyManagement

/// Reads one message from a source: first the header, then, once a keyring has opened the data key, the frames.
struct MessageReader<Source: ByteSource & ~Copyable>: ~Copyable {
    let header: MessageHeader
    private let headerBytes: [UInt8]
    private let commitment: [UInt8]
    private let headerTag: [UInt8]
    private let largestBlock: Int
    private var frames: SegmentedAEAD<MessageFrames>?
    private var signature: MessageSignature?
    private let buffer: SourceBuffer
    private var sequence: UInt32 = 0
    private var ciphertext: [UInt8]
    private var plaintext: [UInt8]

    /// Reads the header. Nothing of it is authentic yet.
    init(_ source: inout Source, limits: MessageLimits) throws {
        let buffer = SourceBuffer()
        var bytes: [UInt8] = []
        let header = try MessageHeader(
            reading: { count throws(EnvelopeError) in try buffer.take(count, from: &source) }, limits: limits,
            bytes: &bytes)
        let commitment = try buffer.take(MessageHeader.commitmentCount, from: &source)
        let headerTag = try buffer.take(MessageHeader.tagCount, from: &source)
        self.header = header
        self.commitment = commitment
        self.headerTag = headerTag
        self.buffer = buffer
        headerBytes = bytes + commitment
        largestBlock = limits.frameByteCount
        ciphertext = []
        plaintext = []
        frames = nil
        signature = nil
    }

    /// Checks commitment and header, and makes ready for the frames.
    mutating func unlock(with dataKey: borrowing SecretBytes) throws {
        let keys = try MessageKeys(dataKey, header)
        let expectedTag = try keys.headerTag(headerBytes)
        guard keys.isCommitted(to: commitment), expectedTag.span.isEqualInConstantTime(to: headerTag.span) else {
            throw EnvelopeError(.notAuthentic)
        }
        frames = keys.frames(of: header)
        if header.suite.isSigned {
            let signature = try MessageSignature(verifying: header.context)
            try signature.update(headerBytes.span)
            try signature.update(headerTag.span)
            self.signature = signature
        }
        ciphertext = [UInt8](repeating: 0, count: Int(header.frameByteCount))
        plaintext = ciphertext
    }

    /// Opens the next frame and calls `body` with its plaintext, which is authentic but, in a signed message, not yet
    /// known to be from the signer.
    ///
    /// - Returns: whether more frames follow.
    mutating func nextFrame(
        from source: inout Source, _ body: (Span<UInt8>) throws -> Void
    ) throws -> Bool {
        let (buffer, signature) = (buffer, signature)
        guard let frames else { throw EnvelopeError(.notAuthentic) }
        // The buffers are taken out for the time of the call, and given back whatever happens.
        var (ciphertext, plaintext): ([UInt8], [UInt8]) = ([], [])
        swap(&ciphertext, &self.ciphertext)
        swap(&plaintext, &self.plaintext)
        var isFinished = true
        defer {
            if isFinished {
                var all = plaintext.mutableSpan
                all.cleanse()
            }
            swap(&ciphertext, &self.ciphertext)
            swap(&plaintext, &self.plaintext)
        }
        guard header.frameByteCount > 0 else {
            try readBlock(buffer, &source, &ciphertext, &plaintext, frames, body)
            return false
        }
        var fixed = try buffer.take(4, from: &source)
        let isFinal = fixed == [0xFF, 0xFF, 0xFF, 0xFF]
        if isFinal { fixed += try buffer.take(4, from: &source) }
        let nonce = try buffer.take(12, from: &source)
        sequence += 1
        guard fixed.suffix(4).reduce(0, { $0 << 8 | UInt32($1) }) == sequence, sequence < UInt32.max else {
            throw EnvelopeError(.notAuthentic)
        }
        var count = Int(header.frameByteCount)
        var length: [UInt8] = []
        if isFinal {
            length = try buffer.take(4, from: &source)
            let claimed = length.reduce(0) { $0 << 8 | Int($1) }
            guard claimed <= count else { throw EnvelopeError(.notAuthentic) }
            count = claimed
        }
        do {
            var all = ciphertext.mutableSpan
            var target = all._mutatingExtracting(..<count)
            try buffer.fill(&target, from: &source)
        }
        let tag = try buffer.take(16, from: &source)
        if let signature {
            try signature.update((fixed + nonce + length).span)
            try signature.update(ciphertext.span.extracting(..<count))
            try signature.update(tag.span)
        }
        do {
            var all = plaintext.mutableSpan
            var target = all._mutatingExtracting(..<count)
            try frames.open(
                ciphertext.span.extracting(..<count), tag: tag.span, nonce: nonce.span, sequence: sequence,
                isFinal: isFinal, plaintext: &target)
        }
        try body(plaintext.span.extracting(..<count))
        isFinished = isFinal
        return !isFinal
    }

    /// Opens a body that is one block: held whole in memory, so limited like a frame.
    private func readBlock(
        _ buffer: SourceBuffer, _ source: inout Source, _ ciphertext: inout [UInt8], _ plaintext: inout [UInt8],
        _ frames: SegmentedAEAD<MessageFrames>, _ body: (Span<UInt8>) throws -> Void
    ) throws {
        let fixed = try buffer.take(20, from: &source)
        let count = fixed.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard count <= UInt64(largestBlock) else {
            throw EnvelopeError(.limitExceeded, "a block of \(count) bytes, at most \(largestBlock)")
        }
        ciphertext = try buffer.takeLong(Int(count), from: &source)
        plaintext = [UInt8](repeating: 0, count: Int(count))
        let tag = try buffer.take(16, from: &source)
        try signature?.update(fixed.span)
        try signature?.update(ciphertext.span)
        try signature?.update(tag.span)
        var target = plaintext.mutableSpan
        try frames.open(
            ciphertext.span, tag: tag.span, nonce: fixed.span.extracting(..<12), sequence: 1, isFinal: true,
            plaintext: &target)
        try body(plaintext.span)
    }

    /// Checks the signature, where the suite has one, and that nothing follows.
    mutating func finish(_ source: inout Source) throws {
        if let signature {
            let count = try buffer.take(2, from: &source).reduce(0) { $0 << 8 | Int($1) }
            let bytes = try buffer.take(count, from: &source)
            guard try signature.isValid(bytes) else { throw EnvelopeError(.notAuthentic) }
        }
        guard try buffer.isAtEnd(of: &source) else { throw EnvelopeError(.notAuthentic) }
    }
}

/// Bytes of a source in stock, so that small fields do not each cost a call.
final class SourceBuffer {
    private var bytes = [UInt8](repeating: 0, count: 1 << 16)
    private var position = 0
    private var end = 0

    /// The next `count` bytes. A source that ends before has been cut.
    func take<Source: ByteSource & ~Copyable>(
        _ count: Int, from source: inout Source
    ) throws(EnvelopeError) -> [UInt8] {
        var taken = [UInt8](repeating: 0, count: count)
        var span = taken.mutableSpan
        try fill(&span, from: &source)
        return taken
    }

    /// The next `count` bytes, allocated as they come: a length that only claims to be large costs nothing.
    func takeLong<Source: ByteSource & ~Copyable>(
        _ count: Int, from source: inout Source
    ) throws(EnvelopeError) -> [UInt8] {
        var taken: [UInt8] = []
        while taken.count < count { taken += try take(min(count - taken.count, 1 << 20), from: &source) }
        return taken
    }

    func fill<Source: ByteSource & ~Copyable>(
        _ target: inout MutableSpan<UInt8>, from source: inout Source
    ) throws(EnvelopeError) {
        var filled = 0
        while filled < target.count {
            if position == end {
                // A request larger than the stock goes straight to its target.
                if target.count - filled >= bytes.count {
                    var rest = target._mutatingExtracting(filled...)
                    let count = try SourceBuffer.read(&rest, from: &source)
                    guard count == rest.count else { throw EnvelopeError(.notAuthentic) }
                    return
                }
                guard try refill(from: &source) else { throw EnvelopeError(.notAuthentic) }
            }
            let count = min(end - position, target.count - filled)
            target.overwrite(at: filled, with: bytes.span.extracting(position..<(position + count)))
            position += count
            filled += count
        }
    }

    func isAtEnd<Source: ByteSource & ~Copyable>(of source: inout Source) throws(EnvelopeError) -> Bool {
        if position < end { return false }
        return try !refill(from: &source)
    }

    private func refill<Source: ByteSource & ~Copyable>(from source: inout Source) throws(EnvelopeError) -> Bool {
        var stock: [UInt8] = []
        swap(&stock, &bytes)
        defer { swap(&stock, &bytes) }
        var span = stock.mutableSpan
        position = 0
        end = 0
        end = try SourceBuffer.read(&span, from: &source)
        return end > 0
    }

    private static func read<Source: ByteSource & ~Copyable>(
        _ target: inout MutableSpan<UInt8>, from source: inout Source
    ) throws(EnvelopeError) -> Int {
        do { return try source.read(into: &target) } catch { throw EnvelopeError(wrapping: error) }
    }
}
