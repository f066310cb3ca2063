internal import SystemCalls

/// Bytes that can be read anywhere, by several readers at once. Conformers: ``RandomAccessFile`` and ``RandomAccessBytes``.
public protocol RandomAccessSource: Sendable {
    /// How many bytes there are.
    var byteCount: Int { get }

    /// Fills the buffer from an offset on, as far as there is anything. May block.
    ///
    /// - Returns: how many bytes were read; less than the buffer's length means the end.
    func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws -> Int
}

/// A file that is read anywhere. Its length is that of the moment of opening.
public final class RandomAccessFile: RandomAccessSource {
    private let file: FileDescriptor

    /// How many bytes the file had when it was opened.
    public let byteCount: Int

    /// Opens a regular file.
    public init(path: String) throws(EnvelopeError) {
        do throws(SystemError) {
            let opened = try FileDescriptor(reading: path)
            byteCount = try opened.size()
            file = opened
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// See ``RandomAccessSource``.
    public func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws -> Int {
        do { return try file.read(at: offset, into: &bytes) } catch { throw EnvelopeError(wrapping: error) }
    }
}

/// An array that is read anywhere.
public struct RandomAccessBytes: RandomAccessSource {
    private let bytes: [UInt8]

    /// Takes the array.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The array's length.
    public var byteCount: Int { bytes.count }

    /// See ``RandomAccessSource``.
    public func read(at offset: Int, into target: inout MutableSpan<UInt8>) throws -> Int {
        let start = min(max(offset, 0), bytes.count)
        let count = min(target.count, bytes.count - start)
        target.overwrite(with: bytes.span.extracting(start..<(start + count)))
        return count
    }
}
