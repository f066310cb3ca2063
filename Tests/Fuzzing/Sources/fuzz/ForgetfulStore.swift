import RecordStorage

/// A store in memory that forgets the audit trail's events: millions of inputs would fill the memory with them.
final class ForgetfulStore: RecordStore {
    private let inner = MemoryRecordStore()

    func record(_ name: RecordName) -> Record? { inner.record(name) }
    func version(of name: RecordName) -> UInt64 { inner.version(of: name) }
    func records(prefix: String, after last: RecordName?, limit: Int) -> [Record] {
        inner.records(prefix: prefix, after: last, limit: limit)
    }
    func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        try inner.commit(writes.filter { !$0.name.description.hasPrefix("audit/") })
    }
    var revision: Revision { inner.revision }
    func changes(since revision: Revision, limit: Int) -> [RecordChange] {
        inner.changes(since: revision, limit: limit)
    }
}
