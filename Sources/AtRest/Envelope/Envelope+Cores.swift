internal import KeyManagement
internal import Synchronization

// How the bytes of a long message go from source to sink on several cores: runs of frames are sealed and opened at once,
// and handed over in their order.
extension Envelope {
    /// Whether a message is worth several cores: it has frames, and some runs of them.
    static func isLong(_ byteCount: Int, _ cores: Int, _ framing: Framing) -> Bool {
        cores > 1 && framing != .singleBlock && byteCount >= 4 * FrameRun.byteCount
    }

    /// Seals an array where it stands.
    func seal<Sink: TransactionalSink & ~Copyable>(
        _ plaintext: [UInt8], through sealer: MessageSealer, into sink: inout Sink, _ progress: (Int) -> Void
    ) async throws {
        try sealer.flush(to: &sink)
        let body = sealer.body
        let frames = body.frames(in: FrameRun.byteCount)
        let run = frames * body.frameByteCount
        // All whole runs that something follows.
        let runs = (plaintext.count - 1) / run
        var pipeline = FramePipeline(cores: cores)
        var started = 0
        while started < runs || !pipeline.isEmpty {
            try Envelope.checkCancellation()
            while started < runs, !pipeline.isFull {
                let (range, sequence) = (started * run..<(started + 1) * run, try Envelope.sequence(started * frames))
                pipeline.start(pipeline.idle()) { _, output in
                    _ = try body.seal(
                        plaintext.span.extracting(range), from: sequence, isLast: false, into: &output)
                }
                started += 1
            }
            try await Envelope.deliver(from: &pipeline, frames: frames, of: run, through: sealer, into: &sink)
            progress(sealer.sealedByteCount)
        }
        try sealer.append(plaintext.span.extracting((runs * run)...), isLast: true)
    }

    /// Seals a source. A byte is always held back, so that the last frame is known to be the last.
    func seal<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        _ source: inout Source, through sealer: MessageSealer, into sink: inout Sink, _ progress: (Int) -> Void
    ) async throws {
        try sealer.flush(to: &sink)
        let (body, expected) = (sealer.body, source.expectedByteCount)
        let frames = body.frames(in: FrameRun.byteCount)
        let run = frames * body.frameByteCount
        var pipeline = FramePipeline(cores: cores)
        var (started, ahead): (Int, UInt8?) = (0, nil)
        var last: (run: FrameRun, count: Int)?
        while last == nil || !pipeline.isEmpty {
            try Envelope.checkCancellation()
            while last == nil, !pipeline.isFull {
                let next = pipeline.idle()
                let count = try next.fill(run + 1, after: ahead, from: &source)
                try sealer.check(started * run + count, expected)
                guard count > run else {
                    last = (next, count)
                    break
                }
                ahead = next.lastByte
                let sequence = try Envelope.sequence(started * frames)
                pipeline.start(next) { input, output in
                    _ = try body.seal(
                        input.span.extracting(..<run), from: sequence, isLast: false, into: &output)
                }
                started += 1
            }
            guard !pipeline.isEmpty else { continue }
            try await Envelope.deliver(from: &pipeline, frames: frames, of: run, through: sealer, into: &sink)
            progress(sealer.sealedByteCount)
        }
        try last?.run.withInput { input in
            try sealer.append(input.span.extracting(..<(last?.count ?? 0)), isLast: true)
        }
    }

    /// Gives the next sealed run to the sink, by way of the sealer that counts and signs it.
    private static func deliver<Sink: TransactionalSink & ~Copyable>(
        from pipeline: inout FramePipeline, frames: Int, of run: Int, through sealer: MessageSealer,
        into sink: inout Sink
    ) async throws {
        let done = try await pipeline.next()
        try done.withOutput { sealed in
            try sealer.take(sealed.span, frames: frames, plaintextByteCount: run)
            try sink.write(sealed.span)
        }
        pipeline.recycle(done)
    }

    /// Opens an array where it stands, from the end of its header on.
    func open<Sink: TransactionalSink & ~Copyable>(
        _ message: [UInt8], from start: Int, through opener: MessageOpener, into sink: inout Sink,
        _ progress: (Int) -> Void
    ) async throws {
        let body = opener.body
        let whole = body.frames(in: FrameRun.byteCount)
        var pipeline = FramePipeline(cores: cores)
        var (position, started, isOver) = (start, 0, false)
        var ranges: [Range<Int>] = []
        while !isOver || !pipeline.isEmpty {
            try Envelope.checkCancellation()
            while !isOver, !pipeline.isFull {
                let end = min(position + whole * body.regularByteCount, message.count)
                let frames = body.regularFrames(message.span.extracting(position..<end))
                isOver = frames < whole
                guard frames > 0 else { break }
                let range = position..<(position + frames * body.regularByteCount)
                let sequence = try Envelope.sequence(started)
                ranges.append(range)
                pipeline.start(pipeline.idle()) { _, output in
                    try body.openRegular(message.span.extracting(range), from: sequence, into: &output)
                }
                position = range.upperBound
                started += frames
            }
            guard !pipeline.isEmpty else { continue }
            let done = try await pipeline.next()
            let range = ranges.removeFirst()
            try done.withOutput { plaintext in
                try opener.take(message.span.extracting(range), plaintextByteCount: plaintext.count)
                try sink.write(plaintext.span)
            }
            pipeline.recycle(done)
            progress(opener.byteCount)
        }
        try opener.consume(message.span.extracting(position...)) { try sink.write($0) }
    }

    /// Opens a source after its header.
    ///
    /// - Parameter rest: what has been read beyond the header.
    func open<Source: ByteSource & ~Copyable, Sink: TransactionalSink & ~Copyable>(
        _ source: inout Source, after rest: [UInt8], through opener: MessageOpener, into sink: inout Sink,
        _ progress: (Int) -> Void
    ) async throws {
        let body = opener.body
        // From here on runs begin where frames do.
        try opener.consume(rest.span) { try sink.write($0) }
        var gap = [UInt8](repeating: 0, count: body.regularByteCount)
        // A final frame, or a footer, may be longer than a regular frame: it is left to the way of one core.
        while (1..<body.regularByteCount).contains(opener.pendingByteCount) {
            let count = try Envelope.read(
                &source, into: &gap, from: 0, upTo: body.regularByteCount - opener.pendingByteCount)
            guard count > 0 else { return }
            try opener.consume(gap.span.extracting(..<count)) { try sink.write($0) }
        }
        guard opener.isBetweenFrames else {
            return try Envelope.open(&source, after: [], through: opener) { try sink.write($0) }
        }
        let frames = body.frames(in: FrameRun.byteCount)
        let run = frames * body.regularByteCount
        var pipeline = FramePipeline(cores: cores)
        var sequence = opener.nextSequence
        var last: (run: FrameRun, count: Int)?
        while last == nil || !pipeline.isEmpty {
            try Envelope.checkCancellation()
            while last == nil, !pipeline.isFull {
                let next = pipeline.idle()
                let count = try next.fill(run, after: nil, from: &source)
                guard count == run, try next.withInput({ body.regularFrames($0.span.extracting(..<run)) }) == frames
                else {
                    last = (next, count)
                    break
                }
                let first = sequence
                pipeline.start(next) { input, output in
                    try body.openRegular(input.span.extracting(..<run), from: first, into: &output)
                }
                sequence = try Envelope.sequence(frames, after: first)
            }
            guard !pipeline.isEmpty else { continue }
            let done = try await pipeline.next()
            try done.withBoth { frames, plaintext in
                try opener.take(frames.span.extracting(..<run), plaintextByteCount: plaintext.count)
                try sink.write(plaintext.span)
            }
            pipeline.recycle(done)
            progress(opener.byteCount)
        }
        try last?.run.withInput { input in
            try opener.consume(input.span.extracting(..<(last?.count ?? 0))) { try sink.write($0) }
        }
        try Envelope.open(&source, after: [], through: opener) { try sink.write($0) }
    }

    /// The number of a frame with so many before it.
    private static func sequence(_ frames: Int, after first: UInt32 = 1) throws(EnvelopeError) -> UInt32 {
        guard let sequence = UInt32(exactly: Int(first) + frames) else {
            throw EnvelopeError(.limitExceeded, "2^32 - 2 frames")
        }
        return sequence
    }
}
