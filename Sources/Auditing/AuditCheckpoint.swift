internal import Cryptography
internal import RecordStorage

/// Where the chains of a store stood at a moment.
///
/// Kept outside the store - printed, mailed, in another store - it shows a later reader that nothing before it has been
/// taken away, not even by putting back an old copy of everything.
public struct AuditCheckpoint: Sendable, Hashable, CustomStringConvertible {
    struct Position: Hashable {
        let writer: String
        let head: AuditHead
    }

    let positions: [Position]

    /// Reads a checkpoint from its text, or nil where it is none.
    public init?(_ text: String) {
        guard let bytes = Hexadecimal.decode(text) else { return nil }
        self.init(bytes[...])
    }

    /// Hexadecimal digits, 128 for each chain.
    public var description: String { Hexadecimal.encode(bytes) }

    /// How many events it vouches for.
    public var eventCount: UInt64 { positions.reduce(0) { $0 &+ $1.head.events } }

    var bytes: [UInt8] {
        positions.flatMap { (Hexadecimal.decode($0.writer) ?? []) + $0.head.bytes.dropFirst() }
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count % 64 == 0 else { return nil }
        var positions: [Position] = []
        var rest = bytes
        while !rest.isEmpty {
            let writer = Hexadecimal.encode(Array(rest.prefix(16)))
            guard let head = AuditHead([AuditRecord.version] + rest.dropFirst(16).prefix(48)) else { return nil }
            positions.append(Position(writer: writer, head: head))
            rest = rest.dropFirst(64)
        }
        self.positions = positions
    }

    init(reading writers: [String], in store: any RecordStore) throws(RecordStoreError) {
        var positions: [Position] = []
        for writer in writers {
            guard let value = try store.record(AuditRecord.headName(writer))?.value,
                let head = AuditHead(value.dropLast(32))
            else { continue }
            positions.append(Position(writer: writer, head: head))
        }
        self.positions = positions
    }

    init(readingAllIn store: any RecordStore) throws(RecordStoreError) {
        let heads = try store.records(prefix: "audit-head/")
        try self.init(reading: heads.map { String($0.name.description.dropFirst("audit-head/".count)) }, in: store)
    }
}

extension AuditHead {
    fileprivate init?(_ bytes: [UInt8]) { self.init(bytes[...]) }
}
