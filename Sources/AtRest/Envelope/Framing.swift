/// How a message's body is divided.
public enum Framing: Sendable, Hashable {
    /// Frames of this many bytes of plaintext, 1 to 2^32 - 1; the last may be shorter. Each is authenticated with its place,
    /// so that a reader holds one in memory, and an unsigned message can be released frame by frame and read in ranges.
    case frames(of: Int)
    /// One block, as old systems wrote it. Writer and reader hold all of it in memory.
    case singleBlock

    /// 4096 bytes: small frames are released sooner, frames of 64 KiB and more are faster.
    public static let standard = Framing.frames(of: 4096)

    /// The length of all frames but the last; 0 for a single block.
    var frameByteCount: UInt32 {
        get throws(EnvelopeError) {
            guard case .frames(let count) = self else { return 0 }
            guard let length = UInt32(exactly: count), length > 0 else {
                throw EnvelopeError(.limitExceeded, "frames of \(count) bytes: 1 to 2^32 - 1")
            }
            return length
        }
    }

    init(frameByteCount: UInt32) { self = frameByteCount == 0 ? .singleBlock : .frames(of: Int(frameByteCount)) }
}

/// What is accepted of a message that nobody has authenticated yet.
public struct MessageLimits: Sendable, Hashable {
    /// How many sealed data keys a message may have.
    public var encryptedDataKeys = 64
    /// How many bytes the header may have: the encryption context and the sealed data keys.
    public var headerByteCount = 1 << 20
    /// How long a frame, or a body that is one block, may be in bytes: a reader holds one in memory.
    public var frameByteCount = 1 << 26

    /// The limits above.
    public init() {}
}
