internal import FoundationEssentials
internal import Synchronization

/// An object as an archive keeps it: content, and what stands beside it.
public struct ArchivedObject: Sendable, Hashable {
    /// The content.
    public var content: [UInt8]
    /// What S3 keeps as the object's metadata.
    public var metadata: [String: String]

    /// Joins the two.
    public init(content: [UInt8], metadata: [String: String]) {
        self.content = content
        self.metadata = metadata
    }
}

/// Where an archive's files go. Conformers: ``ArchiveFolder``, ``MemoryArchive``; a bucket is another.
public protocol ArchiveDestination: Sendable {
    /// Writes an object. When this returns, it is there to stay.
    func put(_ object: ArchivedObject, key: String) async throws
}

/// A folder of files; the metadata of `KEY` stands as JSON in `KEY.metadata`.
public struct ArchiveFolder: ArchiveDestination {
    private let path: String

    /// Names the folder. It is made with the first file.
    public init(path: String) { self.path = path }

    /// Writes a file, whole or not at all.
    ///
    /// - Throws: ``AuditError``, also for a key that leads out of the folder.
    public func put(_ object: ArchivedObject, key: String) async throws {
        guard !key.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0 == ".." || $0.isEmpty })
        else {
            throw AuditError("\(key) is no key of a file in the folder")
        }
        let file = URL(filePath: "\(path)/\(key)")
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            try encoder.encode(object.metadata).write(to: URL(filePath: "\(path)/\(key).metadata"), options: .atomic)
            try Data(object.content).write(to: file, options: .atomic)
        } catch { throw AuditError("\(key) cannot be written: \(error)") }
    }
}

/// An archive in memory, for tests.
public final class MemoryArchive: ArchiveDestination {
    private let all = Mutex([String: ArchivedObject]())

    /// An empty one.
    public init() {}

    /// What was written, by key.
    public var objects: [String: ArchivedObject] { all.withLock { $0 } }

    /// Keeps an object.
    public func put(_ object: ArchivedObject, key: String) { all.withLock { $0[key] = object } }
}
