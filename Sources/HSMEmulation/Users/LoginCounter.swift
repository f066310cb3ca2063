internal import Cryptography
internal import RecordStorage

/// How often a user's password has been wrong since it was right, kept in the store: killing the process wins no guesses.
///
/// It is not authenticated, since nothing is before a login. Whoever can write to the store can guess offline anyway,
/// against scrypt.
struct LoginCounter {
    /// CloudHSM does not say its own; SoftHSM and most tokens allow 3 to 10.
    static let limit: UInt32 = 10

    private let store: any RecordStore
    private let name: RecordName

    /// A counter of nobody: a wrong name writes to the store as a wrong password does.
    static func decoy(in store: any RecordStore) throws {
        let name: RecordName = "login/~"
        try store.commit([.put(name, [0, 0, 0, 0], expecting: .anything)])
    }

    init(_ user: String, in store: any RecordStore) throws(RecordStoreError) {
        self.store = store
        name = try RecordName("login/\(user)")
    }

    /// How often in a row.
    var failures: UInt32 {
        get throws(RecordStoreError) { LoginCounter.count(try store.record(name)) }
    }

    /// Counts an attempt before its password is looked at.
    ///
    /// - Throws: `pinLocked` where there were too many.
    func begin() throws {
        while true {
            let record = try store.record(name)
            let count = LoginCounter.count(record)
            guard count < LoginCounter.limit else {
                throw HSMError(.pinLocked, "\(count) wrong passwords: an administrator can unlock the user")
            }
            var value: [UInt8] = []
            value.appendBigEndian(count + 1)
            let expected: RecordWrite.Expectation = record.map { .version($0.version) } ?? .absent
            if try commit(.put(name, value, expecting: expected)) { return }
        }
    }

    /// The write that forgets the failures, for a batch with others; it does no harm where there are none.
    var forgetting: RecordWrite { .delete(name, expecting: .anything) }

    /// Forgets the failures: the password was right.
    func reset() throws {
        while true {
            guard let record = try store.record(name) else { return }
            if try commit(.delete(name, expecting: .version(record.version))) { return }
        }
    }

    /// Whether nobody else was faster.
    private func commit(_ write: RecordWrite) throws(RecordStoreError) -> Bool {
        do throws(RecordStoreError) {
            try store.commit([write])
            return true
        } catch {
            guard error.code == .conflict else { throw error }
            return false
        }
    }

    private static func count(_ record: Record?) -> UInt32 {
        guard let value = record?.value else { return 0 }
        // What cannot be read is taken for locked: a counter is never helped by damage.
        return value.count == 4 ? value.reduce(0) { $0 << 8 | UInt32($1) } : limit
    }
}
