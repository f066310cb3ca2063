internal import Cryptography
internal import KeyManagement

/// Opens the body of one message, of which the bytes come in pieces of any length. It does no input or output of its own.
///
/// What it releases is authentic; in a signed message it is not yet known to be from the signer, before ``finish()``.
final class MessageOpener {
    let header: MessageHeader
    let body: BodyCipher
    /// How many bytes of plaintext have been opened.
    private(set) var byteCount = 0

    private enum Stage {
        case body
        case footer
        case end
    }

    private let context: EncryptionContext
    private let limit: Int
    private let signature: MessageSignature?
    private let worker: SegmentedAEAD<MessageFrames>
    private var stage = Stage.body
    private var sequence: UInt32 = 1
    /// The front of a unit that has not come whole.
    private var pending: [UInt8] = []
    private var plaintext: [UInt8] = []

    /// Checks the header with the data key, and makes ready for the body.
    init(_ read: ReadHeader, _ materials: DecryptionMaterials, _ limits: MessageLimits) throws {
        guard let dataKey = materials.dataKey else { throw EnvelopeError(.noUsableKey) }
        header = read.header
        let keys = try MessageKeys(dataKey, header)
        try keys.authenticate(read, with: materials.context.keeping(materials.requiredContextNames))
        body = BodyCipher(keys, header)
        worker = body.worker()
        context = materials.context
        limit = limits.frameByteCount
        if let curve = header.suite.signatureCurve {
            let signature = try MessageSignature(verifying: header.context, on: curve)
            try signature.update(read.bytes.span)
            if header.suite.messageVersion == 1 { try signature.update(read.nonce.span) }
            try signature.update(read.tag.span)
            self.signature = signature
        } else {
            signature = nil
        }
    }

    deinit { plaintext.cleanse() }

    /// How many bytes wait for the rest of their unit.
    var pendingByteCount: Int { pending.count }

    /// Opens what has come whole, and calls `body` with the plaintext, several frames at a time.
    func consume(_ bytes: Span<UInt8>, _ release: (Span<UInt8>) throws -> Void) throws {
        var buffer: [UInt8] = []
        swap(&buffer, &plaintext)
        var filled = 0
        defer { swap(&buffer, &plaintext) }
        var position = 0
        while stage != .end {
            var needed = 0
            if pending.isEmpty {
                let rest = bytes.extracting(position...)
                guard let unit = try nextUnit(rest, &needed), unit.byteCount <= rest.count else {
                    pending.append(copying: rest)
                    position = bytes.count
                    break
                }
                try open(unit, rest.extracting(..<unit.byteCount), &buffer, &filled, release)
                position += unit.byteCount
                continue
            }
            let unit = try nextUnit(pending.span, &needed)
            let missing = (unit?.byteCount ?? needed) - pending.count
            if missing > 0 {
                let count = min(missing, bytes.count - position)
                pending.append(copying: bytes.extracting(position..<(position + count)))
                position += count
                if count < missing { break }
            } else if let unit {
                var taken: [UInt8] = []
                swap(&taken, &pending)
                defer {
                    taken.removeAll(keepingCapacity: true)
                    swap(&taken, &pending)
                }
                try open(unit, taken.span.extracting(..<unit.byteCount), &buffer, &filled, release)
            }
        }
        guard stage != .end || position == bytes.count else { throw EnvelopeError(.notAuthentic) }
        if filled > 0 { try release(buffer.span.extracting(..<filled)) }
    }

    /// Takes regular frames that were opened elsewhere: the next ones.
    func take(_ frames: Span<UInt8>, plaintextByteCount: Int) throws {
        try signature?.update(frames)
        let (next, overflow) = sequence.addingReportingOverflow(
            UInt32(clamping: frames.count / body.regularByteCount))
        guard !overflow else { throw EnvelopeError(.notAuthentic) }
        sequence = next
        byteCount += plaintextByteCount
    }

    /// The number of the next frame.
    var nextSequence: UInt32 { sequence }

    /// Whether the next byte is the first of a frame.
    var isBetweenFrames: Bool { stage == .body && pending.isEmpty }

    /// States that nothing more comes. A message that is not whole has been cut.
    func finish() throws(EnvelopeError) -> MessageDescription {
        guard stage == .end else { throw EnvelopeError(.notAuthentic) }
        return MessageDescription(header, context, byteCount: byteCount)
    }

    private func nextUnit(_ bytes: Span<UInt8>, _ needed: inout Int) throws(EnvelopeError) -> BodyUnit? {
        guard stage == .footer else { return try body.nextUnit(bytes, limit: limit, needed: &needed) }
        return BodyUnit(footer: bytes, needed: &needed)
    }

    private func open(
        _ unit: BodyUnit, _ bytes: Span<UInt8>, _ buffer: inout [UInt8], _ filled: inout Int,
        _ release: (Span<UInt8>) throws -> Void
    ) throws {
        if stage == .footer {
            guard try signature?.isValid(bytes.extracting(2...)) == true else { throw EnvelopeError(.notAuthentic) }
            stage = .end
            return
        }
        let count = unit.plaintextByteCount
        if buffer.count - filled < count {
            if filled > 0 { try release(buffer.span.extracting(..<filled)) }
            filled = 0
            if buffer.count < count || buffer.isEmpty {
                buffer.cleanse()
                buffer = [UInt8](repeating: 0, count: max(count, bufferByteCount))
            }
        }
        do {
            var all = buffer.mutableSpan
            var target = all._mutatingExtracting(filled..<(filled + count))
            try body.open(unit, bytes, sequence: sequence, by: worker, into: &target)
        }
        try signature?.update(bytes)
        filled += count
        byteCount += count
        let (next, overflow) = sequence.addingReportingOverflow(1)
        guard !overflow || unit.isFinal else { throw EnvelopeError(.notAuthentic) }
        sequence = next
        if unit.isFinal { stage = signature == nil ? .end : .footer }
    }

    /// As many frames as fit into 64 KiB; one at least.
    private var bufferByteCount: Int { body.frames(in: 1 << 16) * body.frameByteCount }
}

extension BodyUnit {
    /// A footer: a length in 16 bits, and the signature.
    fileprivate init?(footer bytes: Span<UInt8>, needed: inout Int) {
        needed = 2
        guard bytes.count >= needed else { return nil }
        self.init(footerByteCount: 2 + Int(bytes.bigEndian(at: 0, count: 2)))
    }
}
