#if SQLite
internal import CStrongroomSQLite
internal import Glibc
internal import RecordStorage

/// One connection with its prepared statements. Used by one thread at a time.
@safe final class SQLiteConnection: @unchecked Sendable {
    // Safe to send: a connection stands in a mutex or has been taken out of one.
    private let handle: OpaquePointer
    private let path: String
    private var statements: [String: SQLiteStatement] = [:]

    init(path: String, waitingTime: Duration) throws(RecordStoreError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
        let status = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let opened = unsafe handle else {
            unsafe sqlite3_close_v2(handle)
            throw SQLiteConnection.error(status, path, "cannot be opened")
        }
        self.path = path
        unsafe self.handle = unsafe opened
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, Int32(clamping: Int64(waitingTime / .milliseconds(1))))
        try enterWriteAheadLog(waitingTime)
        try execute("PRAGMA synchronous = FULL")
        try execute("PRAGMA trusted_schema = OFF")
        try execute("PRAGMA cell_size_check = ON")
    }

    deinit {
        statements = [:]
        unsafe sqlite3_close_v2(handle)
    }

    /// Where two connections do this to a new file at once, SQLite refuses one of them without waiting for the other.
    private func enterWriteAheadLog(_ waitingTime: Duration) throws(RecordStoreError) {
        let deadline = ContinuousClock.now + waitingTime
        while true {
            do throws(RecordStoreError) {
                return try execute("PRAGMA journal_mode = WAL")
            } catch {
                guard error.code == .locked, .now < deadline else { throw error }
                usleep(2000)
            }
        }
    }

    /// Runs statements that return nothing of interest.
    func execute(_ sql: String) throws(RecordStoreError) {
        let status = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw lastError(status) }
    }

    /// A statement of this text, prepared on first use, without bindings of an earlier one.
    func statement(_ sql: String) throws(RecordStoreError) -> SQLiteStatement {
        if let statement = statements[sql] {
            statement.reset()
            return statement
        }
        var pointer: OpaquePointer?
        let status = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard status == SQLITE_OK, let prepared = unsafe pointer else { throw lastError(status) }
        let statement = unsafe SQLiteStatement(prepared)
        statements[sql] = statement
        return statement
    }

    /// Goes to the next row; false at the end.
    func step(_ statement: SQLiteStatement) throws(RecordStoreError) -> Bool {
        let status = statement.step()
        switch status {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = lastError(status)
            statement.reset()
            throw error
        }
    }

    func error(_ code: RecordStoreError.Code, _ reason: String) -> RecordStoreError {
        RecordStoreError(code, subject: path, reason: reason)
    }

    private func lastError(_ status: Int32) -> RecordStoreError {
        let message = unsafe String(cString: sqlite3_errmsg(handle))
        return SQLiteConnection.error(status, path, message)
    }

    private static func error(_ status: Int32, _ path: String, _ reason: String) -> RecordStoreError {
        let code: RecordStoreError.Code =
            switch status & 0xFF {
            case SQLITE_BUSY, SQLITE_LOCKED: .locked
            case SQLITE_CORRUPT: .damaged
            case SQLITE_NOTADB: .notAStore
            case SQLITE_FULL: .full
            case SQLITE_READONLY, SQLITE_PERM: .readOnly
            default: .unavailable
            }
        return RecordStoreError(code, subject: path, reason: reason)
    }
}

/// A prepared statement of one connection.
@safe final class SQLiteStatement {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

    deinit { unsafe sqlite3_finalize(pointer) }

    func step() -> Int32 { unsafe sqlite3_step(pointer) }

    func reset() {
        unsafe sqlite3_reset(pointer)
        unsafe sqlite3_clear_bindings(pointer)
    }

    func bind(_ index: Int32, _ text: String) {
        var text = text
        _ = text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
                unsafe strongroom_bind_text(
                    pointer, index, characters.baseAddress, Int32(clamping: characters.count))
            }
        }
    }

    func bind(_ index: Int32, _ number: UInt64) {
        unsafe sqlite3_bind_int64(pointer, index, Int64(clamping: number))
    }

    /// Nil binds NULL; an empty value binds an empty blob, which SQLite tells from NULL by the pointer.
    func bind(_ index: Int32, _ bytes: [UInt8]?) {
        guard let bytes else {
            unsafe sqlite3_bind_null(pointer, index)
            return
        }
        guard !bytes.isEmpty else {
            unsafe sqlite3_bind_zeroblob(pointer, index, 0)
            return
        }
        _ = unsafe bytes.span.withUnsafeBytes { buffer in
            unsafe strongroom_bind_blob(pointer, index, buffer.baseAddress, Int32(clamping: buffer.count))
        }
    }

    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(pointer, column) == SQLITE_NULL }

    func number(_ column: Int32) -> UInt64 { UInt64(clamping: unsafe sqlite3_column_int64(pointer, column)) }

    func text(_ column: Int32) -> String {
        unsafe sqlite3_column_text(pointer, column).map { unsafe String(cString: $0) } ?? ""
    }

    /// The bytes of a blob, copied; nil for NULL.
    func bytes(_ column: Int32) -> [UInt8]? {
        guard !isNull(column) else { return nil }
        guard let start = unsafe sqlite3_column_blob(pointer, column) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(pointer, column))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
#endif
