internal import Cryptography
internal import RecordStorage

/// The writing end of one chain. Used under a lock; each `append` is a commit.
struct AuditChain: ~Copyable {
    let writer: String
    private var key: EvolvingKey
    private(set) var head = AuditHead.empty
    private var headVersion: UInt64 = 0
    /// A record whose commit has failed, and may have happened all the same.
    private var unsettled: (name: RecordName, value: [UInt8], next: AuditHead)?

    init(writer: String, key: consuming EvolvingKey) {
        self.writer = writer
        self.key = key
    }

    /// Appends one record, committed by `commit` together with whatever else it writes.
    ///
    /// The key evolves only after the commit. Where the commit fails, the chain stands as before and can go on, once it is ``settle(in:)``d.
    mutating func append<R>(
        _ kind: AuditRecord.Kind, body: [UInt8], eventCount: UInt32,
        commit: ([RecordWrite]) throws -> R
    ) throws -> R {
        let record = AuditRecord(
            kind: kind, sequence: head.records + 1, firstEvent: head.events, eventCount: eventCount,
            previous: head.last, body: body)
        let name = try AuditRecord.name(writer, record.sequence)
        var value = record.bytes
        value += try key.tag("record", name.description, value).array
        let next = AuditHead(
            records: record.sequence, events: head.events + UInt64(eventCount),
            last: try HashFunction.sha256.hash(value).array)
        let headName = try AuditRecord.headName(writer)
        // The head's tag is made with the key of its record, which is gone once the next record stands: to cut the
        // chain back, a thief would need it.
        let headValue = next.bytes + (try key.tag("head", headName.description, next.bytes).array)
        let result: R
        do {
            result = try commit([
                .put(name, value, expecting: .absent),
                .put(headName, headValue, expecting: headVersion == 0 ? .absent : .version(headVersion)),
            ])
        } catch {
            // A conflict has changed nothing; of any other failure the store will tell.
            if (error as? RecordStoreError)?.code != .conflict { unsettled = (name, value, next) }
            throw error
        }
        try proceed(to: next)
        return result
    }

    /// Finds out whether the last record is there, where its commit has failed.
    ///
    /// - Returns: whether it failed, and is there.
    mutating func settle(in store: any RecordStore) throws -> Bool {
        guard let last = unsettled else { return false }
        let isThere = try store.record(last.name)?.value == last.value
        unsettled = nil
        if isThere { try proceed(to: last.next) }
        return isThere
    }

    private mutating func proceed(to next: AuditHead) throws {
        head = next
        headVersion += 1
        try key.evolve()
    }
}
