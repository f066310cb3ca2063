/// A part of a store: the records whose names begin with a folder's, without that beginning. Several services share a
/// database so, each in a folder of its own.
///
/// Batches of one folder are atomic as the store's are. The revision is the whole store's.
public struct RecordFolder: RecordStore {
    private let store: any RecordStore
    private let prefix: String

    /// A folder of a store.
    ///
    /// - Parameter name: the folder's name, which is checked as a record's is; without the slash that ends it.
    public init(_ name: String, of store: any RecordStore) throws(RecordStoreError) {
        self.store = store
        prefix = "\(try RecordName(name))/"
    }

    /// The record of a name.
    public func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        try store.record(try outer(name)).map { Record(name: name, version: $0.version, value: $0.value) }
    }

    /// The version of a name.
    public func version(of name: RecordName) throws(RecordStoreError) -> UInt64 {
        try store.version(of: try outer(name))
    }

    /// The records of a prefix, page by page.
    public func records(
        prefix: String, after last: RecordName?, limit: Int
    ) throws(RecordStoreError) -> [Record] {
        var found: [Record] = []
        let page = try store.records(
            prefix: self.prefix + prefix, after: try last.map { (name) throws(RecordStoreError) in try outer(name) },
            limit: limit)
        for record in page {
            found.append(Record(name: try inner(record.name), version: record.version, value: record.value))
        }
        return found
    }

    /// Applies all writes, or none.
    @discardableResult
    public func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        var outside: [RecordWrite] = []
        for write in writes {
            let name = try outer(write.name)
            outside.append(
                write.value.map { .put(name, $0, expecting: write.expectation) }
                    ?? .delete(name, expecting: write.expectation))
        }
        do {
            return try store.commit(outside)
        } catch  where error.code == .conflict && error.subject.hasPrefix(prefix) {
            throw RecordStoreError(
                .conflict, subject: String(error.subject.dropFirst(prefix.count)), reason: error.reason)
        }
    }

    /// The revision of the whole store.
    public var revision: Revision { get throws(RecordStoreError) { try store.revision } }

    /// What has changed in the folder after a revision of the store.
    public func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        var (found, since, size) = ([RecordChange](), revision, max(limit, 64))
        while found.count < limit {
            let page = try store.changes(since: since, limit: size)
            found = found.filter { $0.revision <= since }
            for change in page where change.name.description.hasPrefix(prefix) {
                found.append(
                    RecordChange(
                        name: try inner(change.name), version: change.version, revision: change.revision,
                        isDeletion: change.isDeletion))
            }
            guard let last = page.last?.revision, page.count == size else { break }
            // A full page may end inside a batch: the last batch is read again, whole.
            if last.rawValue - 1 > since.rawValue {
                since = Revision(last.rawValue - 1)
            } else {
                size *= 4
            }
        }
        return Array(found.prefix(limit))
    }

    private func outer(_ name: RecordName) throws(RecordStoreError) -> RecordName {
        try RecordName(prefix + name.description)
    }

    private func inner(_ name: RecordName) throws(RecordStoreError) -> RecordName {
        try RecordName(String(name.description.dropFirst(prefix.count)))
    }
}
