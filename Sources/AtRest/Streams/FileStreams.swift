internal import Cryptography
internal import SystemCalls

/// A file as a source: as many bytes as it had when it was opened, even where it goes on growing.
public struct FileSource: ByteSource, ~Copyable {
    private let file: FileDescriptor
    private var position = 0

    /// The file's size when it was opened.
    public let expectedByteCount: Int?

    /// Opens a regular file.
    public init(path: String) throws(EnvelopeError) {
        do throws(SystemError) {
            let opened = try FileDescriptor(reading: path)
            expectedByteCount = try opened.size()
            file = opened
        } catch { throw EnvelopeError(wrapping: error) }
    }

    /// See ``ByteSource``.
    public mutating func read(into bytes: inout MutableSpan<UInt8>) throws(EnvelopeError) -> Int {
        do throws(SystemError) {
            let wanted = min(bytes.count, (expectedByteCount ?? .max) - position)
            var target = bytes._mutatingExtracting(..<wanted)
            let count = try file.read(into: &target)
            position += count
            return count
        } catch { throw EnvelopeError(wrapping: error) }
    }
}

/// A file that is there whole or not at all.
///
/// Bytes go to a file of the mode 0600 beside it. Committing waits until they are on the disk, renames it into place and
/// waits for the folder. A sink that goes away uncommitted leaves nothing behind.
public struct AtomicFileSink: TransactionalSink, ~Copyable {
    private let file: FileDescriptor
    private let path: String
    private let temporaryPath: String
    private let isReplacing: Bool
    private var isCommitted = false

    /// Creates the temporary file.
    ///
    /// - Parameters:
    ///   - path: the final name.
    ///   - replacing: whether a file of that name may be replaced. Otherwise it is an error, now or when committing.
    public init(path: String, replacing: Bool) throws(EnvelopeError) {
        guard replacing || !FileSystem.exists(path) else { throw EnvelopeError(.stream, "\(path) is there already") }
        do {
            let suffix = Hexadecimal.encode(try SystemRandom().bytes(count: 6))
            let temporaryPath = "\(path).\(suffix).part"
            file = try FileDescriptor(creating: temporaryPath)
            self.temporaryPath = temporaryPath
        } catch { throw EnvelopeError(wrapping: error) }
        self.path = path
        isReplacing = replacing
    }

    deinit { if !isCommitted { FileSystem.remove(temporaryPath) } }

    /// See ``TransactionalSink``.
    public mutating func write(_ bytes: Span<UInt8>) throws(EnvelopeError) {
        do { try file.write(bytes) } catch { throw EnvelopeError(wrapping: error) }
    }

    /// See ``TransactionalSink``.
    public mutating func commit() throws(EnvelopeError) {
        do {
            try file.synchronize()
            if isReplacing {
                try FileSystem.rename(temporaryPath, to: path)
            } else {
                try FileSystem.renameExclusively(temporaryPath, to: path)
            }
            isCommitted = true
        } catch { throw EnvelopeError(wrapping: error) }
    }
}
