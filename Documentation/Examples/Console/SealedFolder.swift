package import AtRest
internal import Foundation

/// A folder of files, each sealed as a message of its own: `a/b` becomes `a/b.sealed`.
///
/// A message is bound to its file's path, so files cannot change places unseen. Names, sizes and the shape of the folder
/// stay visible; empty folders, modes and times are not kept. A folder sealed again keeps messages of files that are gone.
package struct SealedFolder: Sendable {
    /// What was done.
    package struct Summary: Sendable, Equatable {
        package var files = 0
        package var bytes = 0

        package init(files: Int = 0, bytes: Int = 0) { (self.files, self.bytes) = (files, bytes) }
    }

    private static let suffix = ".sealed"
    private let envelope: Envelope

    package init(_ envelope: Envelope) { self.envelope = envelope }

    /// Seals every file below a folder into another.
    ///
    /// - Parameter progress: told how many bytes of all are done.
    /// - Throws: ``UsageError`` for what is neither file nor folder, before anything is written; `EnvelopeError`.
    package func seal(
        _ folder: String, into target: String, replacing: Bool = false, progress: (_ done: Int) -> Void = { _ in }
    ) async throws -> Summary {
        var summary = Summary()
        for file in try SealedFolder.files(in: folder) {
            let (source, sealed) = ("\(folder)/\(file.path)", "\(target)/\(file.path)\(SealedFolder.suffix)")
            try SealedFolder.makeFolder(of: sealed)
            let done = summary.bytes
            let message = try await envelope.encryptFile(
                source, to: sealed, replacing: replacing, context: ["path": file.path]
            ) { progress(done + $0) }
            summary.files += 1
            summary.bytes += message.byteCount
        }
        return summary
    }

    /// Opens what ``seal(_:into:replacing:progress:)`` has sealed.
    ///
    /// - Throws: ``UsageError`` for a file that is no sealed one; `EnvelopeError`, also where a file has changed its place.
    package func open(
        _ folder: String, into target: String, replacing: Bool = false, progress: (_ done: Int) -> Void = { _ in }
    ) async throws -> Summary {
        let files = try SealedFolder.files(in: folder)
        if let other = files.first(where: { !$0.path.hasSuffix(SealedFolder.suffix) }) {
            throw UsageError("\(folder)/\(other.path) does not end in \(SealedFolder.suffix)")
        }
        var summary = Summary()
        for file in files {
            let path = String(file.path.dropLast(SealedFolder.suffix.count))
            try SealedFolder.makeFolder(of: "\(target)/\(path)")
            let done = summary.bytes
            let message = try await envelope.decryptFile(
                "\(folder)/\(file.path)", to: "\(target)/\(path)", replacing: replacing, expecting: ["path": path]
            ) { progress(done + $0) }
            summary.files += 1
            summary.bytes += message.byteCount
        }
        return summary
    }

    /// The size of all files below a folder.
    package static func size(of folder: String) throws -> Int { try files(in: folder).reduce(0) { $0 + $1.size } }

    private static func files(in folder: String) throws -> [(path: String, size: Int)] {
        guard let paths = FileManager.default.subpaths(atPath: folder) else {
            throw UsageError("cannot read \(folder)")
        }
        return try paths.sorted().compactMap { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(path)")
            switch attributes[.type] as? FileAttributeType {
            case .typeRegular?: return (path, attributes[.size] as? Int ?? 0)
            case .typeDirectory?: return nil
            default: throw UsageError("\(folder)/\(path) is neither a file nor a folder")
            }
        }
    }

    private static func makeFolder(of path: String) throws {
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    }
}
