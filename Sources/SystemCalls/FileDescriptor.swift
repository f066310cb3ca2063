internal import Glibc

/// A failed system call.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let number: Int32

    package init(_ operation: String, _ path: String) {
        self.operation = operation
        self.path = path
        number = errno
    }

    /// Such as "cannot open a.txt: No such file or directory".
    package var description: String { unsafe "cannot \(operation) \(path): \(String(cString: strerror(number)))" }
}

/// The owner of an open file.
package struct FileDescriptor: ~Copyable {
    private let number: Int32
    private let path: String

    /// Opens a file for reading.
    package init(reading path: String) throws(SystemError) {
        number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard number >= 0 else { throw SystemError("open", path) }
    }

    /// Creates a file that was not there, for its owner alone.
    package init(creating path: String) throws(SystemError) {
        number = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.path = path
        guard number >= 0 else { throw SystemError("create", path) }
    }

    /// Opens a file whose end is written to, and creates it for its owner alone where it is not there.
    package init(appendingTo path: String) throws(SystemError) {
        number = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.path = path
        guard number >= 0 else { throw SystemError("open", path) }
    }

    deinit { if number >= 0 { close(number) } }

    /// The file's size in bytes. Folders and devices have none.
    package func size() throws(SystemError) -> Int {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw SystemError("look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            errno = status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
            throw SystemError("read", path)
        }
        return Int(status.st_size)
    }

    /// Fills the buffer as far as there is anything; less means the end.
    package func read(into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Int {
        unsafe try fill(&bytes) { place, room, _ in unsafe Glibc.read(number, place, room) }
    }

    /// Fills the buffer from an offset on, as far as there is anything; less means the end. Moves no position, so that
    /// several threads may read at once.
    package func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Int {
        unsafe try fill(&bytes) { place, room, done in unsafe pread(number, place, room, off_t(offset + done)) }
    }

    /// Calls `next` until the buffer is full or there is no more.
    private func fill(
        _ bytes: inout MutableSpan<UInt8>,
        _ next: (_ place: UnsafeMutableRawPointer?, _ room: Int, _ done: Int) -> Int
    ) throws(SystemError) -> Int {
        var total = 0
        while total < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe next(buffer.baseAddress?.advanced(by: total), buffer.count - total, total)
            }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("read", path)
            }
            total += count
        }
        return total
    }

    /// The byte before the end; nil in an empty file.
    package func lastByte() throws(SystemError) -> UInt8? {
        let count = try size()
        guard count > 0 else { return nil }
        var byte: [UInt8] = [0]
        var span = byte.mutableSpan
        guard try read(at: count - 1, into: &span) == 1 else { throw SystemError("read", path) }
        return byte[0]
    }

    /// Writes all bytes.
    package func write(_ bytes: Span<UInt8>) throws(SystemError) {
        var total = 0
        while total < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(number, buffer.baseAddress?.advanced(by: total), buffer.count - total)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write", path)
            }
            total += count
        }
    }

    /// Waits until the content is on the disk.
    package func synchronize() throws(SystemError) {
        guard fsync(number) == 0 else { throw SystemError("write", path) }
    }
}

/// Calls on paths.
package enum FileSystem {
    /// Whether anything has this name.
    package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Takes a file away, if it is there.
    package static func remove(_ path: String) { unsafe unlink(path) }

    /// Gives a file its final name, in place of whatever has it, and waits until the folder is on the disk.
    package static func rename(_ path: String, to final: String) throws(SystemError) {
        guard unsafe Glibc.rename(path, final) == 0 else { throw SystemError("rename", path) }
        try synchronizeFolder(of: final)
    }

    /// Gives a file its final name, unless something has it.
    package static func renameExclusively(_ path: String, to final: String) throws(SystemError) {
        guard unsafe link(path, final) == 0 else { throw SystemError("create", final) }
        unsafe unlink(path)
        try synchronizeFolder(of: final)
    }

    private static func synchronizeFolder(of path: String) throws(SystemError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw SystemError("open", folder) }
        defer { close(number) }
        guard fsync(number) == 0 else { throw SystemError("write", folder) }
    }
}
