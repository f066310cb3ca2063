internal import Cryptography
internal import KeyManagement

/// Makes one message of bytes that come in pieces of any length. It does no input or output of its own: what is sealed
/// gathers in ``output``, for its owner to take.
final class MessageSealer {
    let header: MessageHeader
    let body: BodyCipher
    /// What has been sealed and not yet been taken.
    private(set) var output: [UInt8]
    /// How many bytes of plaintext there were.
    private(set) var byteCount = 0

    /// How many of them have been sealed.
    var sealedByteCount: Int { byteCount - unsealedByteCount }

    private let context: EncryptionContext
    private let signature: MessageSignature?
    private var unsealedByteCount = 0
    private var sequence: UInt32 = 1
    /// Plaintext that is less than a frame; of a single block, all that came.
    private var pending: [UInt8] = []

    /// Begins a message: its header is there to be taken.
    ///
    /// - Parameter expectedByteCount: for how much output to make room at once.
    init(_ materials: EncryptionMaterials, _ framing: Framing, expectedByteCount: Int) throws {
        guard let dataKey = materials.dataKey else {
            throw EnvelopeError(.invalidKeyring, "no keyring made a data key")
        }
        header = try MessageHeader(materials, framing)
        let keys = try MessageKeys(dataKey, header)
        body = BodyCipher(keys, header)
        context = materials.context
        var start = try keys.start(header, with: materials.context.keeping(materials.requiredContextNames))
        signature = try materials.signingKey.map { try MessageSignature(signingWith: $0) }
        try signature?.update(start.span)
        let frames = body.frameByteCount == 0 ? 1 : expectedByteCount / body.frameByteCount + 1
        start.reserveCapacity(start.count + expectedByteCount + frames * BodyCipher.largestOverhead)
        output = start
    }

    deinit { pending.cleanse() }

    /// Whether enough has gathered to be worth a call of the sink.
    var isFull: Bool { output.count >= MessageSealer.flushCount }

    /// Seals more of the plaintext.
    ///
    /// - Parameters:
    ///   - bytes: of any length. Where they are not the last, at least one byte must follow.
    ///   - drain: called now and then while there is more to seal, to take the output away.
    func append(
        _ bytes: Span<UInt8>, isLast: Bool, drain: (MessageSealer) throws -> Void = { _ in }
    ) throws {
        byteCount += bytes.count
        unsealedByteCount += bytes.count
        let frame = body.frameByteCount
        var position = 0
        if frame == 0 || !pending.isEmpty {
            position = frame == 0 ? bytes.count : min(frame - pending.count, bytes.count)
            if frame == 0, isLast, pending.isEmpty { return try seal(bytes, isLast: true) }
            pending.appendSecret(bytes.extracting(..<position))
            let isWhole = isLast && position == bytes.count
            guard isWhole || pending.count == frame && frame > 0 else { return }
            var taken: [UInt8] = []
            swap(&taken, &pending)
            defer {
                taken.cleanse()
                taken.removeAll(keepingCapacity: true)
                swap(&taken, &pending)
            }
            try seal(taken.span, isLast: isWhole)
            if isWhole { return }
        }
        let run = body.frames(in: MessageSealer.flushCount) * frame
        while true {
            let rest = bytes.count - position
            if rest <= run, isLast { return try seal(bytes.extracting(position...), isLast: true) }
            let count = min(rest / frame * frame, run)
            guard count > 0 else { break }
            try seal(bytes.extracting(position..<(position + count)), isLast: false)
            position += count
            try drain(self)
        }
        pending.appendSecret(bytes.extracting(position...))
    }

    /// Takes frames that were sealed elsewhere: the next ones.
    func take(_ sealed: Span<UInt8>, frames: Int, plaintextByteCount: Int) throws {
        try signature?.update(sealed)
        guard let next = UInt32(exactly: Int(sequence) + frames) else {
            throw EnvelopeError(.limitExceeded, "2^32 - 2 frames")
        }
        sequence = next
        byteCount += plaintextByteCount
    }

    /// The number of the next frame.
    var nextSequence: UInt32 { sequence }

    private func seal(_ plaintext: Span<UInt8>, isLast: Bool) throws {
        let start = output.count
        var sealed: [UInt8] = []
        swap(&sealed, &output)
        defer { swap(&sealed, &output) }
        sequence = try body.seal(plaintext, from: sequence, isLast: isLast, into: &sealed)
        unsealedByteCount -= plaintext.count
        try signature?.update(sealed.span.extracting(start...))
        guard isLast, let signature else { return }
        let bytes = try signature.sign()
        sealed.appendBigEndian(UInt16(bytes.count))
        sealed += bytes
    }

    /// Gives what has gathered to a sink.
    func flush<Sink: TransactionalSink & ~Copyable>(to sink: inout Sink) throws {
        guard !output.isEmpty else { return }
        var sealed: [UInt8] = []
        swap(&sealed, &output)
        defer {
            sealed.removeAll(keepingCapacity: true)
            swap(&sealed, &output)
        }
        try sink.write(sealed.span)
    }

    /// Takes what has gathered away as an array.
    func takeOutput() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &output)
        return taken
    }

    /// What there is to tell of the message.
    var description: MessageDescription { MessageDescription(header, context, byteCount: byteCount) }

    /// A quarter of a mebibyte: what a sink is given at a time.
    static let flushCount = 1 << 18
}

extension [UInt8] {
    /// Overwrites the bytes in a way that a compiler may not leave out.
    mutating func cleanse() {
        var span = mutableSpan
        span.cleanse()
    }

    /// Appends bytes, and erases the old place where the array has to move.
    mutating func appendSecret(_ bytes: Span<UInt8>) {
        if count + bytes.count > capacity {
            var larger: [UInt8] = []
            larger.reserveCapacity(Swift.max(2 * capacity, count + bytes.count))
            larger += self
            cleanse()
            self = larger
        }
        append(copying: bytes)
    }
}
