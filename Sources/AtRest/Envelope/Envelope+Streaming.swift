internal import Cryptography

// How the bytes of a message go from source to sink, once its keys are there.
extension Envelope {
    /// Seals bytes in memory, frame by frame; `body` is called after each.
    static func seal(
        _ plaintext: Span<UInt8>, through writer: inout MessageWriter, _ frameByteCount: Int,
        _ body: (inout MessageWriter, _ total: Int) throws -> Void
    ) throws {
        var start = 0
        repeat {
            let end = min(start + frameByteCount, plaintext.count)
            try writer.append(plaintext.extracting(start..<end), isFinal: end == plaintext.count)
            start = end
            try body(&writer, start)
        } while start < plaintext.count
    }

    /// Seals a whole source, read in pieces of many frames: a call of the source for each would cost more than its sealing.
    static func copy<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        _ source: inout Source, into sink: inout Sink, through writer: inout MessageWriter, _ frameByteCount: Int,
        _ progress: (Int) -> Void
    ) throws -> MessageDescription {
        let pieceByteCount = pieceByteCount(frameByteCount, source.expectedByteCount)
        var current = [UInt8](repeating: 0, count: pieceByteCount)
        // Needed only where a second piece comes.
        var next: [UInt8] = []
        defer {
            cleanse(&current)
            cleanse(&next)
        }
        var count = try read(&source, into: &current)
        var total = 0
        while true {
            // A full piece is the last one if nothing follows it.
            var following = 0
            if count == pieceByteCount {
                if next.isEmpty { next = [UInt8](repeating: 0, count: pieceByteCount) }
                following = try read(&source, into: &next)
            }
            var start = 0
            repeat {
                let end = min(start + frameByteCount, count)
                let isFinal = following == 0 && end == count
                try writer.append(current.span.extracting(start..<end), isFinal: isFinal)
                start = end
                try flushIfFull(&writer, into: &sink, total + end, progress)
            } while start < count
            total += count
            guard following > 0 else { return try finish(&writer, into: &sink, total, progress) }
            swap(&current, &next)
            count = following
        }
    }

    /// Whole frames: a quarter of a mebibyte, or what a short source has and a byte, so that its end shows.
    private static func pieceByteCount(_ frameByteCount: Int, _ expected: Int?) -> Int {
        let usual = max((1 << 18) / frameByteCount, 1)
        guard let expected, expected < usual * frameByteCount else { return usual * frameByteCount }
        return (expected / frameByteCount + 1) * frameByteCount
    }

    static func flushIfFull<Sink: TransactionalSink & ~Copyable>(
        _ writer: inout MessageWriter, into sink: inout Sink, _ total: Int, _ progress: (Int) -> Void
    ) throws {
        guard writer.isFull else { return }
        guard !Task.isCancelled else { throw EnvelopeError(.cancelled) }
        try writer.flush(to: &sink)
        progress(total)
    }

    static func finish<Sink: TransactionalSink & ~Copyable>(
        _ writer: inout MessageWriter, into sink: inout Sink, _ total: Int, _ progress: (Int) -> Void
    ) throws -> MessageDescription {
        try writer.flush(to: &sink)
        let footer = try writer.footer()
        try sink.write(footer.span)
        try sink.commit()
        progress(total)
        return MessageDescription(writer.header, byteCount: total)
    }

    private static func cleanse(_ bytes: inout [UInt8]) {
        var span = bytes.mutableSpan
        span.cleanse()
    }

    /// Opens all frames, and checks what comes after them.
    static func copy<Source: ByteSource & ~Copyable>(
        _ source: inout Source, through reader: inout MessageReader<Source>,
        _ body: (Span<UInt8>, _ total: Int) throws -> Void
    ) throws -> MessageDescription {
        var total = 0
        var hasMore = true
        while hasMore {
            hasMore = try reader.nextFrame(from: &source) { frame in
                total += frame.count
                try body(frame, total)
            }
            guard !Task.isCancelled else { throw EnvelopeError(.cancelled) }
        }
        try reader.finish(&source)
        return MessageDescription(reader.header, byteCount: total)
    }

    private static func read<Source: ByteSource & ~Copyable>(
        _ source: inout Source, into bytes: inout [UInt8]
    ) throws -> Int {
        var span = bytes.mutableSpan
        return try source.read(into: &span)
    }
}
