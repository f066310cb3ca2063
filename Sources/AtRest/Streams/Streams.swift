internal import Cryptography

/// Bytes that are read once, from front to back. Conformers: ``FileSource`` and ``ArraySource``.
public protocol ByteSource: ~Copyable {
    /// Fills the buffer as far as there is anything; less than its length means the end. May block.
    mutating func read(into bytes: inout MutableSpan<UInt8>) throws -> Int

    /// How many bytes there are in all at most, where that is known. One that gives more is an error.
    var expectedByteCount: Int? { get }
}

/// Takes bytes, and shows them to nobody until they are committed. Conformers: ``AtomicFileSink`` and ``ArraySink``.
public protocol TransactionalSink: ~Copyable {
    /// Takes bytes. May block.
    mutating func write(_ bytes: Span<UInt8>) throws

    /// Makes all that was written visible and lasting, at once.
    mutating func commit() throws
}

/// An array as a source.
public struct ArraySource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    /// Reads from the array's start.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// See ``ByteSource``.
    public mutating func read(into target: inout MutableSpan<UInt8>) -> Int {
        let count = min(target.count, bytes.count - position)
        target.overwrite(with: bytes.span.extracting(position..<(position + count)))
        position += count
        return count
    }

    /// The array's length.
    public var expectedByteCount: Int? { bytes.count }
}

/// An array as a sink.
public struct ArraySink: TransactionalSink, ~Copyable {
    private var written: [UInt8] = []

    /// What was committed; nothing before.
    public private(set) var bytes: [UInt8] = []

    /// An empty sink.
    public init() {}

    /// See ``TransactionalSink``.
    public mutating func write(_ bytes: Span<UInt8>) {
        written.append(copying: bytes)
    }

    /// See ``TransactionalSink``.
    public mutating func commit() { swap(&bytes, &written) }
}
