#if SQLite
import FaultyDisk
import Foundation

/// What a process did to its files, in order, and what a power cut would have left of them.
struct DiskLog {
    /// One entry. The layout stands in FaultyDisk.h.
    private struct Operation {
        let kind: UInt32
        let file: Int
        let offset: Int
        let bytes: [UInt8]
    }

    /// One file: what is on the disk for certain, and what was done to it since its last sync.
    private struct File {
        var durable: [UInt8]?
        var pending: [Operation] = []

        var isNew: Bool { pending.contains { $0.kind == FAULTY_DISK_CREATE.rawValue } }
        var isRemoved: Bool { pending.last?.kind == FAULTY_DISK_REMOVE.rawValue }

        /// Some of the pending operations, in their order; writes may be torn between sectors.
        func survivor(_ random: inout some RandomNumberGenerator) -> [UInt8]? {
            var bytes = durable
            let luck = Double.random(in: 0...1, using: &random)
            for operation in pending where Double.random(in: 0...1, using: &random) < luck {
                let sectors = operation.bytes.count / 512 + 2
                let isTorn = Double.random(in: 0...1, using: &random) < 0.3
                File.apply(
                    operation, to: &bytes, losing: (0..<sectors).map { _ in isTorn && Bool.random(using: &random) })
            }
            return bytes
        }

        mutating func sync() {
            for operation in pending { File.apply(operation, to: &durable) }
            pending = []
        }

        private static func apply(_ operation: Operation, to bytes: inout [UInt8]?, losing lost: [Bool] = []) {
            switch operation.kind {
            case FAULTY_DISK_CREATE.rawValue: bytes = bytes ?? []
            case FAULTY_DISK_REMOVE.rawValue: bytes = nil
            case FAULTY_DISK_TRUNCATE.rawValue:
                bytes = bytes.map { Array($0.prefix(operation.offset)) }
            default:
                // A file whose creation was lost has nothing of what was written to it.
                guard var content = bytes else { return }
                var (start, sector) = (0, 0)
                while start < operation.bytes.count {
                    let end = min(start + 512 - (operation.offset + start) % 512, operation.bytes.count)
                    if lost.isEmpty || !lost[sector] {
                        let place = operation.offset + start
                        let missing = operation.offset + end - content.count
                        if missing > 0 { content += [UInt8](repeating: 0, count: missing) }
                        content.replaceSubrange(place..<operation.offset + end, with: operation.bytes[start..<end])
                    }
                    (start, sector) = (end, sector + 1)
                }
                bytes = content
            }
        }
    }

    private static let suffixes = ["", "-wal", "-journal"]
    private let operations: [Operation]

    init(path: String) throws {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        var operations: [Operation] = []
        var place = 0
        while place + 16 <= bytes.count {
            func number(_ offset: Int, _ count: Int) -> Int {
                (0..<count).reduce(0) { $0 | Int(bytes[place + offset + $1]) << (8 * $1) }
            }
            let count = number(4, 4)
            operations.append(
                Operation(
                    kind: UInt32(bytes[place]), file: Int(bytes[place + 1]), offset: number(8, 8),
                    bytes: Array(bytes[place + 16..<place + 16 + count])))
            place += 16 + count
        }
        self.operations = operations
    }

    /// Calls `body` with what was noted and with the files as a power cut after each operation may have left them.
    ///
    /// - Parameter isChosen: whether to cut after an operation, by its place and whether it concerns the database itself.
    func cuts(
        at path: String, _ random: inout some RandomNumberGenerator, isChosen: (Int, _ isDatabase: Bool) -> Bool,
        _ body: (_ path: String, _ notes: [[UInt8]]) async throws -> Void
    ) async throws {
        // The store makes the file itself; that it is there becomes durable with the first sync of the folder.
        var files = [File(durable: []), File(), File()]
        var notes: [[UInt8]] = []
        for (place, operation) in operations.enumerated() {
            switch operation.kind {
            case FAULTY_DISK_NOTE.rawValue:
                notes.append(operation.bytes)
                continue
            case _ where operation.file >= files.count: continue
            case FAULTY_DISK_SYNC.rawValue:
                // SQLite syncs the folder with the first sync of a new log or journal: removals are certain then too.
                if files[operation.file].isNew {
                    for index in files.indices where files[index].isRemoved { files[index].sync() }
                }
                files[operation.file].sync()
            default: files[operation.file].pending.append(operation)
            }
            if operation.kind == FAULTY_DISK_REMOVE.rawValue && operation.offset == 1 {
                files[operation.file].sync()
            }
            guard isChosen(place, operation.file == 0) else { continue }
            // Never the same path twice: a connection that closes late removes the log that has its name.
            let path = "\(path).\(place)"
            for (file, suffix) in zip(files, DiskLog.suffixes) {
                if let bytes = file.survivor(&random) {
                    try Data(bytes).write(to: URL(fileURLWithPath: path + suffix))
                }
            }
            try await body(path, notes)
            for suffix in DiskLog.suffixes + ["-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
    }
}
#endif
