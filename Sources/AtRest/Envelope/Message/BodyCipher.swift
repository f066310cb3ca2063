internal import Cryptography

/// Seals and opens the body of one message. It has no state of its own: any number of runs of frames may be worked on at
/// once. (AWS Encryption SDK specification, data-format/message-body.)
struct BodyCipher: Sendable {
    private let cipher: AESGCM
    private let format: MessageFrames
    /// The length of all frames but the last; 0 for a body that is one block.
    let frameByteCount: Int

    init(_ keys: MessageKeys, _ header: MessageHeader) {
        cipher = keys.cipher
        frameByteCount = Int(header.frameByteCount)
        format = MessageFrames(messageID: header.messageID, isSingleBlock: header.frameByteCount == 0)
    }

    /// A regular frame's length in the message.
    var regularByteCount: Int { frameByteCount + BodyCipher.regularHead + MessageHeader.tagCount }

    /// Whole frames in a piece of about this many bytes; one at least.
    func frames(in byteCount: Int) -> Int { max(byteCount / max(frameByteCount, 1), 1) }

    /// What can seal or open frames one after the other.
    func worker() -> SegmentedAEAD<MessageFrames> { SegmentedAEAD(cipher: cipher, format: format) }

    /// Seals plaintext as frames, or as the one block, and appends them.
    ///
    /// - Parameters:
    ///   - plaintext: whole frames; where it is the last of the message, any length.
    ///   - sequence: the number of the first frame, from 1.
    /// - Returns: the number of the frame after.
    func seal(
        _ plaintext: Span<UInt8>, from sequence: UInt32, isLast: Bool, into output: inout [UInt8]
    ) throws -> UInt32 {
        let worker = worker()
        guard frameByteCount > 0 else {
            var head = FrameHead()
            head.append(worker.nonce(sequence, isFinal: true))
            head.append(UInt32(truncatingIfNeeded: plaintext.count >> 32))
            head.append(UInt32(truncatingIfNeeded: plaintext.count))
            try append(plaintext, worker, head, sequence, isFinal: true, to: &output)
            return sequence + 1
        }
        var (position, next) = (0, sequence)
        repeat {
            // The marker of final frames is no regular frame's number.
            guard next < UInt32.max else { throw EnvelopeError(.limitExceeded, "2^32 - 2 frames") }
            let end = min(position + frameByteCount, plaintext.count)
            let isFinal = isLast && end == plaintext.count
            var head = FrameHead()
            if isFinal { head.append(UInt32.max) }
            head.append(next)
            head.append(worker.nonce(next, isFinal: isFinal))
            if isFinal { head.append(UInt32(truncatingIfNeeded: end - position)) }
            try append(plaintext.extracting(position..<end), worker, head, next, isFinal: isFinal, to: &output)
            position = end
            next += 1
        } while position < plaintext.count
        return next
    }

    private func append(
        _ plaintext: Span<UInt8>, _ worker: SegmentedAEAD<MessageFrames>, _ head: FrameHead, _ sequence: UInt32,
        isFinal: Bool, to output: inout [UInt8]
    ) throws(CryptographyError) {
        let (start, end) = (head.count, head.count + plaintext.count)
        var tag: InlineArray<16, UInt8> = .init(repeating: 0)
        try output.append(count: end + tag.count) { frame throws(CryptographyError) in
            frame.overwrite(with: head.span)
            var ciphertext = frame._mutatingExtracting(start..<end)
            var tagSpan = tag.mutableSpan
            try worker.seal(plaintext, sequence: sequence, isFinal: isFinal, ciphertext: &ciphertext, tag: &tagSpan)
            frame.overwrite(at: end, with: tag.span)
        }
    }

    /// Number and nonce.
    static let regularHead = 4 + 12
    /// Marker, number, nonce and length.
    static let finalHead = 4 + 4 + 12 + 4
    /// Nonce and length.
    static let blockHead = 12 + 8
    /// The length of a frame's number, and of the marker of a final one.
    static let numberCount = 4
    /// What a message's last frame adds to its plaintext; no other frame adds more.
    static let largestOverhead = finalHead + MessageHeader.tagCount
}

/// What stands before a frame's ciphertext.
private struct FrameHead {
    private var bytes: InlineArray<24, UInt8> = .init(repeating: 0)
    private(set) var count = 0

    mutating func append(_ value: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes[count] = UInt8(truncatingIfNeeded: value >> UInt32(shift))
            count += 1
        }
    }

    mutating func append(_ nonce: InlineArray<12, UInt8>) {
        for index in nonce.indices {
            bytes[count] = nonce[index]
            count += 1
        }
    }

    var span: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { bytes.span.extracting(..<count) }
    }
}

/// A frame, or the one block, as it stands in a message.
struct BodyUnit {
    /// How long it is in the message.
    let byteCount: Int
    /// How long its plaintext is.
    let plaintextByteCount: Int
    let isFinal: Bool
    fileprivate let headCount: Int
}

extension BodyUnit {
    /// What stands behind a signed body.
    init(footerByteCount: Int) {
        self.init(byteCount: footerByteCount, plaintextByteCount: 0, isFinal: true, headCount: 0)
    }
}

extension BodyCipher {
    /// The next unit of a body, of which `bytes` is the front.
    ///
    /// - Returns: nil where the front is too short to tell; `needed` then says how many bytes it takes.
    func nextUnit(_ bytes: Span<UInt8>, limit: Int, needed: inout Int) throws(EnvelopeError) -> BodyUnit? {
        guard frameByteCount > 0 else {
            needed = BodyCipher.blockHead
            guard bytes.count >= needed else { return nil }
            let count = bytes.bigEndian(at: 12, count: 8)
            guard count <= UInt64(limit) else {
                throw EnvelopeError(.limitExceeded, "a block of \(count) bytes, at most \(limit)")
            }
            return unit(Int(count), BodyCipher.blockHead, isFinal: true)
        }
        needed = BodyCipher.numberCount
        guard bytes.count >= needed else { return nil }
        guard bytes.bigEndian(at: 0, count: 4) == UInt64(UInt32.max) else {
            return unit(frameByteCount, BodyCipher.regularHead, isFinal: false)
        }
        needed = BodyCipher.finalHead
        guard bytes.count >= needed else { return nil }
        let count = Int(bytes.bigEndian(at: 20, count: 4))
        guard count <= frameByteCount else { throw EnvelopeError(.notAuthentic) }
        return unit(count, BodyCipher.finalHead, isFinal: true)
    }

    private func unit(_ count: Int, _ head: Int, isFinal: Bool) -> BodyUnit {
        BodyUnit(
            byteCount: head + count + MessageHeader.tagCount, plaintextByteCount: count, isFinal: isFinal,
            headCount: head)
    }

    /// Opens a unit into a buffer of its plaintext's length. On any failure the buffer is zero.
    func open(
        _ unit: BodyUnit, _ bytes: Span<UInt8>, sequence: UInt32, by worker: SegmentedAEAD<MessageFrames>,
        into plaintext: inout MutableSpan<UInt8>
    ) throws {
        let nonceStart: Int
        if frameByteCount == 0 {
            nonceStart = 0
        } else {
            let numberStart = unit.isFinal ? 4 : 0
            guard bytes.bigEndian(at: numberStart, count: 4) == UInt64(sequence) else {
                throw EnvelopeError(.notAuthentic)
            }
            nonceStart = numberStart + 4
        }
        try worker.open(
            bytes.extracting(unit.headCount..<(unit.headCount + unit.plaintextByteCount)),
            tag: bytes.extracting((unit.headCount + unit.plaintextByteCount)..<unit.byteCount),
            nonce: bytes.extracting(nonceStart..<(nonceStart + MessageHeader.nonceCount)), sequence: sequence,
            isFinal: unit.isFinal, plaintext: &plaintext)
    }

    /// Opens regular frames that stand one behind the other, and appends their plaintext.
    func openRegular(_ bytes: Span<UInt8>, from sequence: UInt32, into plaintext: inout [UInt8]) throws {
        let worker = worker()
        var (position, next) = (0, sequence)
        // At once: where an array grows, it leaves what it had in freed memory.
        plaintext.reserveCapacity(plaintext.count + bytes.count / regularByteCount * frameByteCount)
        while position < bytes.count {
            let frame = bytes.extracting(position..<(position + regularByteCount))
            let unit = unit(frameByteCount, BodyCipher.regularHead, isFinal: false)
            let number = next
            try plaintext.append(count: frameByteCount) { target throws(EnvelopeError) in
                do {
                    try open(unit, frame, sequence: number, by: worker, into: &target)
                } catch {
                    target.cleanse()
                    throw EnvelopeError(wrapping: error)
                }
            }
            position += regularByteCount
            next += 1
        }
    }

    /// How many whole regular frames stand at the front of `bytes`, before the final one.
    func regularFrames(_ bytes: Span<UInt8>) -> Int {
        guard frameByteCount > 0 else { return 0 }
        var count = 0
        while (count + 1) * regularByteCount <= bytes.count,
            bytes.bigEndian(at: count * regularByteCount, count: 4) != UInt64(UInt32.max)
        {
            count += 1
        }
        return count
    }
}

extension Span<UInt8> {
    /// The integer of `count` bytes at an index, most significant byte first.
    func bigEndian(at index: Int, count: Int) -> UInt64 {
        var value: UInt64 = 0
        for offset in 0..<count { value = value << 8 | UInt64(self[index + offset]) }
        return value
    }
}
