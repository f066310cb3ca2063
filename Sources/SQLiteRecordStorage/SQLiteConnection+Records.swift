#if SQLite
internal import RecordStorage

extension SQLiteConnection {
    /// A row: a record, or where the value is nil what a deletion left.
    struct Entry {
        let version: UInt64
        let value: [UInt8]?
    }

    func entry(_ name: RecordName) throws(RecordStoreError) -> Entry? {
        let query = try statement("SELECT version, value FROM records WHERE name = ?1")
        defer { query.reset() }
        query.bind(1, name.description)
        guard try step(query) else { return nil }
        return Entry(version: query.number(0), value: query.bytes(1))
    }

    func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        guard let entry = try entry(name), let value = entry.value else { return nil }
        return Record(name: name, version: entry.version, value: value)
    }

    func records(prefix: String, after last: RecordName?, limit: Int) throws(RecordStoreError) -> [Record] {
        // One bound: of two, SQLite may seek by the lower, and step over all that came before this page.
        let start = last.flatMap { $0.description.utf8.lexicographicallyPrecedes(prefix.utf8) ? nil : $0 }
        let query = try statement(
            """
            SELECT name, version, value FROM records
            WHERE name \(start == nil ? ">=" : ">") ?1 AND value IS NOT NULL ORDER BY name LIMIT ?2
            """)
        defer { query.reset() }
        query.bind(1, start?.description ?? prefix)
        query.bind(2, UInt64(max(limit, 0)))
        var found: [Record] = []
        while try step(query) {
            let name = try storedName(query.text(0))
            // Names are in order: the first without the prefix is behind all that have it.
            guard name.description.utf8.starts(with: prefix.utf8) else { break }
            found.append(Record(name: name, version: query.number(1), value: query.bytes(2) ?? []))
        }
        return found
    }

    func revision() throws(RecordStoreError) -> Revision {
        let query = try statement("SELECT coalesce(max(revision), 0) FROM records")
        defer { query.reset() }
        _ = try step(query)
        return Revision(query.number(0))
    }

    func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        let query = try statement(
            """
            SELECT name, version, revision, value IS NULL FROM records
            WHERE revision > ?1 ORDER BY revision, name LIMIT ?2
            """)
        defer { query.reset() }
        query.bind(1, revision.rawValue)
        query.bind(2, UInt64(max(limit, 0)))
        var found: [RecordChange] = []
        while try step(query) {
            found.append(
                RecordChange(
                    name: try storedName(query.text(0)), version: query.number(1),
                    revision: Revision(query.number(2)), isDeletion: query.number(3) == 1))
        }
        return found
    }

    func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        // IMMEDIATE takes the write lock now: a batch that read first could fail to get it later.
        try execute("BEGIN IMMEDIATE")
        do throws(RecordStoreError) {
            let next = Revision(try revision().rawValue + 1)
            for write in writes { try apply(write, next) }
            try execute("COMMIT")
            return next
        } catch {
            // Where COMMIT itself failed on a full disk, SQLite may have rolled back already.
            try? execute("ROLLBACK")
            throw error
        }
    }

    private func apply(_ write: RecordWrite, _ revision: Revision) throws(RecordStoreError) {
        let entry = try entry(write.name)
        let isMet =
            switch write.expectation {
            case .absent: entry?.value == nil
            case .version(let version): entry?.value != nil && entry?.version == version
            case .anything: true
            }
        guard isMet else { throw RecordStoreError(.conflict, subject: write.name.description) }
        if write.value == nil && entry?.value == nil { return }
        guard (write.value?.count ?? 0) <= 1 << 29 else { throw error(.full, "a record of more than 512 MiB") }
        let upsert = try statement(
            """
            INSERT INTO records (name, version, revision, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (name) DO UPDATE SET
                version = excluded.version, revision = excluded.revision, value = excluded.value
            """)
        defer { upsert.reset() }
        upsert.bind(1, write.name.description)
        upsert.bind(2, (entry?.version ?? 0) + 1)
        upsert.bind(3, revision.rawValue)
        upsert.bind(4, write.value)
        _ = try step(upsert)
    }

    private func storedName(_ text: String) throws(RecordStoreError) -> RecordName {
        do { return try RecordName(text) } catch { throw self.error(.damaged, "a record without a proper name") }
    }
}
#endif
