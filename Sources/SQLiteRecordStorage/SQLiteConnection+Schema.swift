#if SQLite
internal import RecordStorage

extension SQLiteConnection {
    /// "Strg": tells a store from other SQLite files (`PRAGMA application_id`).
    private static let applicationID: UInt64 = 0x5374_7267

    /// The steps from each schema version to the next; the file's version is `PRAGMA user_version`.
    private static let migrations = [
        """
        CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            version INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            value BLOB
        ) STRICT;
        CREATE INDEX records_by_revision ON records (revision);
        """
    ]

    /// Brings a new or older file to this library's schema, and refuses newer and foreign ones.
    func prepareSchema() throws(RecordStoreError) {
        if try number("PRAGMA user_version") == UInt64(SQLiteConnection.migrations.count),
            try number("PRAGMA application_id") == SQLiteConnection.applicationID
        {
            return
        }
        try execute("BEGIN IMMEDIATE")
        do throws(RecordStoreError) {
            let version = try number("PRAGMA user_version")
            let isEmpty = try number("SELECT count(*) FROM sqlite_schema") == 0
            let isOurs = try number("PRAGMA application_id") == SQLiteConnection.applicationID
            guard isEmpty || isOurs else {
                throw error(.notAStore, "a SQLite file of another application")
            }
            guard version <= UInt64(SQLiteConnection.migrations.count) else {
                throw error(
                    .newerFormat, "schema \(version), and this library knows \(SQLiteConnection.migrations.count)")
            }
            for step in SQLiteConnection.migrations.dropFirst(Int(version)) { try execute(step) }
            try execute("PRAGMA application_id = \(SQLiteConnection.applicationID)")
            try execute("PRAGMA user_version = \(SQLiteConnection.migrations.count)")
            try execute("COMMIT")
        } catch {
            try? execute("ROLLBACK")
            throw error
        }
    }

    func checkIntegrity() throws(RecordStoreError) {
        let check = try statement("PRAGMA integrity_check(1)")
        defer { check.reset() }
        _ = try step(check)
        guard check.text(0) == "ok" else { throw error(.damaged, check.text(0)) }
    }

    private func number(_ sql: String) throws(RecordStoreError) -> UInt64 {
        let query = try statement(sql)
        defer { query.reset() }
        _ = try step(query)
        return query.number(0)
    }
}
#endif
