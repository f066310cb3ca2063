public import Cryptography
public import KeyManagement

/// A framed, unsigned message that is read in ranges: only the frames that a range touches are read and opened.
///
/// Opening it reads the header and the last frame, so that the length is authentic and a message that was cut is refused.
/// Several tasks may read at once.
///
/// ```swift
/// let film = try await envelope.open(RandomAccessFile(path: "film.sealed"))
/// let scene = try film.read(1_000_000..<2_000_000)
/// ```
///
/// A message may still have frames in its middle that are not authentic: whoever reads them gets `notAuthentic`.
public struct SealedMessage: Sendable {
    private let source: any RandomAccessSource
    private let body: BodyCipher
    private let bodyStart: Int
    private let layout: Layout
    private let lastFrame: SharedSecret

    /// What is known of the message: its length is authentic.
    public let description: MessageDescription

    /// How many bytes of plaintext it has.
    public var byteCount: Int { layout.plaintextByteCount }

    fileprivate init(
        _ source: any RandomAccessSource, _ read: ReadHeader, _ materials: DecryptionMaterials
    ) throws {
        guard let dataKey = materials.dataKey else { throw EnvelopeError(.noUsableKey) }
        let keys = try MessageKeys(dataKey, read.header)
        try keys.authenticate(read, with: materials.context.keeping(materials.requiredContextNames))
        body = BodyCipher(keys, read.header)
        guard let layout = Layout(source.byteCount - read.byteCount, body) else { throw EnvelopeError(.notAuthentic) }
        self.source = source
        self.layout = layout
        bodyStart = read.byteCount
        description = MessageDescription(read.header, materials.context, byteCount: layout.plaintextByteCount)
        lastFrame = SharedSecret(
            try SealedMessage.lastFrame(source, at: read.byteCount + layout.lastStart, body, layout))
    }

    /// The plaintext of a range.
    ///
    /// - Throws: `outOfRange` where it reaches beyond the plaintext, `notAuthentic`, `stream`.
    public func read(_ range: Range<Int>) throws(EnvelopeError) -> SecretBytes {
        // Before any room is made: a range may come from a stranger.
        guard range.lowerBound >= 0, range.upperBound <= byteCount else {
            throw EnvelopeError(.outOfRange, "\(range), of \(byteCount) bytes")
        }
        do {
            return try SecretBytes(count: range.count) { bytes in
                _ = try read(from: range.lowerBound, into: &bytes)
            }
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// Fills a buffer with the plaintext from an offset on.
    ///
    /// - Throws: `outOfRange` where the buffer reaches beyond the plaintext, `notAuthentic`, `stream`. The buffer is zero
    ///   then.
    public func read(from offset: Int, into bytes: inout MutableSpan<UInt8>) throws(EnvelopeError) {
        guard offset >= 0, offset <= byteCount, bytes.count <= byteCount - offset else {
            throw EnvelopeError(.outOfRange, "\(bytes.count) bytes from \(offset) on, of \(byteCount)")
        }
        do {
            try copy(from: offset, into: &bytes)
        } catch {
            bytes.cleanse()
            throw EnvelopeError(wrapping: error)
        }
    }

    private func copy(from offset: Int, into bytes: inout MutableSpan<UInt8>) throws {
        let frame = body.frameByteCount
        let worker = body.worker()
        var sealed = [UInt8](repeating: 0, count: body.frames(in: MessageSealer.flushCount) * body.regularByteCount)
        var plaintext = [UInt8](repeating: 0, count: frame)
        defer { plaintext.cleanse() }
        var (filled, index) = (0, offset / frame)
        let regularEnd = min((offset + bytes.count + frame - 1) / frame, layout.regularFrames)
        while index < regularEnd {
            let count = min(regularEnd - index, sealed.count / body.regularByteCount)
            try SealedMessage.fill(
                &sealed, count * body.regularByteCount, from: source, at: bodyStart + index * body.regularByteCount)
            for place in 0..<count {
                let unit = sealed.span.extracting(
                    place * body.regularByteCount..<(place + 1) * body.regularByteCount)
                var needed = 0
                guard let found = try body.nextUnit(unit, limit: frame, needed: &needed), !found.isFinal else {
                    throw EnvelopeError(.notAuthentic)
                }
                let sequence = UInt32(truncatingIfNeeded: index + place + 1)
                let skipped = filled == 0 ? offset - (index + place) * frame : 0
                let wanted = min(frame - skipped, bytes.count - filled)
                if skipped == 0, wanted == frame {
                    var target = bytes._mutatingExtracting(filled..<(filled + frame))
                    try body.open(found, unit, sequence: sequence, by: worker, into: &target)
                } else {
                    do {
                        var target = plaintext.mutableSpan
                        try body.open(found, unit, sequence: sequence, by: worker, into: &target)
                    }
                    bytes.overwrite(at: filled, with: plaintext.span.extracting(skipped..<(skipped + wanted)))
                }
                filled += wanted
            }
            index += count
        }
        guard filled < bytes.count else { return }
        let start = offset + filled - layout.regularFrames * frame
        let (place, end) = (filled, start + bytes.count - filled)
        lastFrame.withBytes { last in bytes.overwrite(at: place, with: last.extracting(start..<end)) }
    }

    /// Reads and opens the final frame.
    private static func lastFrame(
        _ source: any RandomAccessSource, at start: Int, _ body: BodyCipher, _ layout: Layout
    ) throws -> SecretBytes {
        var sealed = [UInt8](repeating: 0, count: layout.lastByteCount)
        try fill(&sealed, layout.lastByteCount, from: source, at: start)
        var needed = 0
        guard let unit = try body.nextUnit(sealed.span, limit: body.frameByteCount, needed: &needed), unit.isFinal,
            unit.byteCount == layout.lastByteCount, let sequence = UInt32(exactly: layout.regularFrames + 1)
        else { throw EnvelopeError(.notAuthentic) }
        return try SecretBytes(count: unit.plaintextByteCount) { plaintext in
            try body.open(unit, sealed.span, sequence: sequence, by: body.worker(), into: &plaintext)
        }
    }

    private static func fill(
        _ bytes: inout [UInt8], _ count: Int, from source: any RandomAccessSource, at offset: Int
    ) throws {
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(..<count)
        guard try source.read(at: offset, into: &target) == count else { throw EnvelopeError(.notAuthentic) }
    }

    /// Where the frames of a body stand, by its length: only one division into frames has it.
    private struct Layout {
        let regularFrames: Int
        let lastStart: Int
        let lastByteCount: Int
        let plaintextByteCount: Int

        init?(_ byteCount: Int, _ body: BodyCipher) {
            let rest = byteCount - BodyCipher.largestOverhead
            guard rest >= 0, body.frameByteCount > 0 else { return nil }
            regularFrames = rest / body.regularByteCount
            let last = rest % body.regularByteCount
            guard last <= body.frameByteCount else { return nil }
            lastStart = regularFrames * body.regularByteCount
            lastByteCount = last + BodyCipher.largestOverhead
            plaintextByteCount = regularFrames * body.frameByteCount + last
        }
    }
}

extension Envelope {
    /// Opens a framed, unsigned message to be read in ranges.
    ///
    /// - Parameters:
    ///   - source: the message, such as a ``RandomAccessFile``.
    ///   - expected: pairs that its encryption context must have.
    /// - Throws: `unsupported` for a signed message, or one that is a single block; otherwise as
    ///   ``decrypt(_:expecting:)``.
    public func open(
        _ source: any RandomAccessSource, expecting expected: EncryptionContext = .none
    ) async throws(EnvelopeError) -> SealedMessage {
        do {
            var front = RandomAccessFront(source)
            var rest: [UInt8] = []
            let read = try Envelope.readHeader(&front, limits, rest: &rest)
            try read.checkUnsigned("is read as a whole")
            guard read.header.frameByteCount > 0 else {
                throw EnvelopeError(.unsupported, "a message that is one block is read as a whole")
            }
            return try SealedMessage(source, read, try await materials(for: read, expecting: expected))
        } catch { throw EnvelopeError(wrapping: error) }
    }
}

/// Reads a random-access source from front to back.
private struct RandomAccessFront: ByteSource {
    private let source: any RandomAccessSource
    private var position = 0

    init(_ source: any RandomAccessSource) { self.source = source }

    var expectedByteCount: Int? { source.byteCount }

    mutating func read(into bytes: inout MutableSpan<UInt8>) throws -> Int {
        let count = try source.read(at: position, into: &bytes)
        position += count
        return count
    }
}
