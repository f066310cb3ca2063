/// Named, versioned records, changed by atomic batches of compare-and-set writes.
///
/// The calls are synchronous and may block on a disk; they are safe from any thread. ``asynchronous`` is the same store
/// for callers that must not block. What ``commit(_:)`` returned survives whatever happens to the process next, as far as
/// the store is durable at all.
///
/// A record's version counts its writes and is never used twice: a name that is deleted and made again goes on counting.
/// Conformers: ``MemoryRecordStore``, and `SQLiteRecordStore` of the product SQLiteRecordStorage.
public protocol RecordStore: Sendable {
    /// The record of a name, or nil where there is none.
    func record(_ name: RecordName) throws(RecordStoreError) -> Record?

    /// The version of a name: its record's, or its last one before it was deleted, or 0 if it never was.
    func version(of name: RecordName) throws(RecordStoreError) -> UInt64

    /// At most `limit` records whose names begin with `prefix` and stand after `last`, in the order of their names' bytes.
    /// Fewer than `limit` means the end. Pages are read one by one: a batch may commit between two of them.
    func records(
        prefix: String, after last: RecordName?, limit: Int
    ) throws(RecordStoreError) -> [Record]

    /// Applies all writes, or none where one of them expects another version than there is.
    ///
    /// - Returns: the store's revision after the batch. An empty batch changes nothing.
    /// - Throws: `conflict` with the name, and nothing has changed.
    @discardableResult
    func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision

    /// The revision of the last batch.
    var revision: Revision { get throws(RecordStoreError) }

    /// The names that have changed after a revision, each once, with its latest change, in the order of revisions.
    /// Fewer than `limit` means the end.
    func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange]
}

extension RecordStore {
    /// All records whose names begin with `prefix`, read page by page.
    public func records(prefix: String) throws(RecordStoreError) -> [Record] {
        var all: [Record] = []
        while true {
            let page = try records(prefix: prefix, after: all.last?.name, limit: 256)
            all += page
            if page.count < 256 { return all }
        }
    }
}
