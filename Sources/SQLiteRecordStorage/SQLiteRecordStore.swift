#if SQLite
internal import Glibc
public import RecordStorage
internal import Synchronization

/// Records in a SQLite file that one or several processes use.
///
/// Write-ahead log with `synchronous=FULL`: a commit that returned is on the disk. One connection writes, as many read as
/// there are threads reading at once; statements are prepared once. The file, and with it its log, is created with the
/// mode 0600. Its layout stands in Documentation/Formats/SQLiteRecords.md.
///
/// A store copied while it is in use must be copied by SQLite's own means (`.backup`, `VACUUM INTO`).
public final class SQLiteRecordStore: RecordStore {
    private let path: String
    private let writer: Mutex<SQLiteConnection>
    private let readers = Mutex<[SQLiteConnection]>([])
    private let waitingTime: Duration

    /// Opens or creates a store.
    ///
    /// - Parameters:
    ///   - path: the file. Its folder must exist.
    ///   - waitingTime: how long a call waits for another process before it throws `locked`.
    public init(path: String, waitingTime: Duration = .seconds(10)) throws(RecordStoreError) {
        // SQLite would create the file as the umask has it.
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
        self.path = path
        self.waitingTime = waitingTime
        let connection = try SQLiteConnection(path: path, waitingTime: waitingTime)
        try connection.prepareSchema()
        writer = Mutex(connection)
    }

    /// See ``RecordStore``.
    public func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        try reading { connection throws(RecordStoreError) in try connection.record(name) }
    }

    /// See ``RecordStore``.
    public func version(of name: RecordName) throws(RecordStoreError) -> UInt64 {
        try reading { connection throws(RecordStoreError) in try connection.entry(name)?.version ?? 0 }
    }

    /// See ``RecordStore``.
    public func records(
        prefix: String, after last: RecordName?, limit: Int
    ) throws(RecordStoreError) -> [Record] {
        try reading { connection throws(RecordStoreError) in
            try connection.records(prefix: prefix, after: last, limit: limit)
        }
    }

    /// See ``RecordStore``.
    @discardableResult
    public func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        guard !writes.isEmpty else { return try revision }
        let result: Result<Revision, RecordStoreError> = writer.withLock { connection in
            do throws(RecordStoreError) {
                return .success(try connection.commit(writes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// See ``RecordStore``.
    public var revision: Revision {
        get throws(RecordStoreError) {
            try reading { connection throws(RecordStoreError) in try connection.revision() }
        }
    }

    /// See ``RecordStore``.
    public func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        try reading { connection throws(RecordStoreError) in try connection.changes(since: revision, limit: limit) }
    }

    /// Reads the whole file and compares it with itself.
    ///
    /// - Throws: `damaged` with what SQLite found first.
    public func checkIntegrity() throws(RecordStoreError) {
        try reading { connection throws(RecordStoreError) in try connection.checkIntegrity() }
    }

    private func reading<T>(
        _ body: (SQLiteConnection) throws(RecordStoreError) -> T
    ) throws(RecordStoreError) -> T {
        let idle = readers.withLock { $0.popLast() }
        let connection: SQLiteConnection
        if let idle {
            connection = idle
        } else {
            connection = try SQLiteConnection(path: path, waitingTime: waitingTime)
        }
        defer { readers.withLock { if $0.count < 16 { $0.append(connection) } } }
        return try body(connection)
    }
}
#endif
