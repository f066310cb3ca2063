internal import Auditing
public import Cryptography
internal import RecordIntegrity
internal import RecordStorage
internal import Synchronization

/// A part of a device with users and keys of its own, closed until somebody logs in.
public final class HSMPartition: Sendable {
    /// Its name in the device.
    public let name: String

    private let id: String
    private let store: RecordFolder
    private let cost: Scrypt
    private let clock: any WallClock
    private let durability: AuditDurability
    /// What the sessions share. Nobody logged in: nothing open.
    private let opened = Mutex(Opened())
    /// One password at a time: each takes as much memory as scrypt does.
    private let guessing = Mutex(())

    private struct Opened {
        weak var partition: OpenPartition?
    }

    init(
        name: String, id: String, store: RecordFolder, cost: Scrypt, clock: any WallClock, durability: AuditDurability
    ) {
        self.name = name
        self.id = id
        self.store = store
        self.cost = cost
        self.clock = clock
        self.durability = durability
    }

    /// Logs a crypto user in. It takes as long as scrypt does, and one login at a time.
    ///
    /// - Throws: `pinIncorrect` for a wrong name or password; `pinLocked` after ten wrong passwords in a row; `tampered`,
    ///   `storeFailure`, `auditFailure`.
    public func logIn(_ user: String, password: borrowing SecretBytes) throws(HSMError) -> HSMSession {
        let (partition, user) = try authenticate(user, .cryptoUser, password)
        return HSMSession(partition, user, cost: cost)
    }

    /// Logs an administrator in.
    ///
    /// - Throws: as ``logIn(_:password:)``.
    public func administer(_ user: String, password: borrowing SecretBytes) throws(HSMError) -> HSMAdministrator {
        let (partition, user) = try authenticate(user, .administrator, password)
        return HSMAdministrator(partition, user, cost: cost)
    }

    private func authenticate(
        _ user: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws(HSMError) -> (OpenPartition, SessionUser) {
        do {
            try UserRecord.check(name: user)
            let found = try check(user, role, password)
            let partition = try found.master.withBytes { try open(SecretBytes(copying: $0)) }
            let record = found.record
            try partition.refresh()
            // Somebody may have changed the password, or deleted the user, while scrypt was at work.
            guard try partition.read({ $0.users[user]?.record == record }) else { throw HSMError(.pinIncorrect, "") }
            try partition.record(
                HSMEvent(name: "Login", user: user, parameters: [("failuresBefore", .number(Int(found.failures)))]))
            return (partition, SessionUser(user, record))
        } catch { throw HSMError(wrapping: error) }
    }

    /// The master key, from the right password.
    private func check(
        _ user: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws -> Authenticated {
        var result: Result<Authenticated, any Error>?
        guessing.withLock { _ in
            do {
                result = .success(try checkInTurn(user, role, password))
            } catch { result = .failure(error) }
        }
        guard let result else { throw HSMError(.generalError, "") }
        return try result.get()
    }

    private func checkInTurn(
        _ user: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws -> Authenticated {
        // Its tag is checked when there is a key to check it with.
        let record = try store.record(try UserRecord.name(user)).map {
            try StoredJSON.decode(UserRecord.self, Array($0.value.dropLast(32)), $0.name)
        }
        guard let record, record.role == role else {
            // As much work as for a user who exists.
            try LoginCounter.decoy(in: store)
            _ = try cost.derive(from: password, salt: [UInt8](repeating: 0, count: 32).span, count: 32)
            throw HSMError(.pinIncorrect, "")
        }
        let counter = try LoginCounter(user, in: store)
        let failures = try counter.failures
        try counter.begin()
        do {
            let found = Authenticated(record, try record.master(user, password, partition: id), failures)
            try counter.reset()
            return found
        } catch {
            // Where nobody has opened the partition, there is no key to record this with: the next login tells.
            openPartition?.recordRefusal(of: HSMEvent(name: "Login", user: user), HSMError(wrapping: error))
            throw error
        }
    }

    private var openPartition: OpenPartition? { opened.withLock { $0.partition } }

    private func open(_ master: borrowing SecretBytes) throws -> OpenPartition {
        if let partition = openPartition { return partition }
        // Two who come at once may both open it; one of them stays the shared one.
        let fresh = try OpenPartition(
            name, id: id, store: store, master: master.copy(), clock: clock, durability: durability)
        return opened.withLock { opened in
            if let partition = opened.partition { return partition }
            opened.partition = fresh
            return fresh
        }
    }

    /// Tells the trail how the partition began.
    func recordCreation(_ master: borrowing SecretBytes, administrator: String) throws(HSMError) {
        try stated { try open(master).record(HSMEvent(name: "InitToken", user: administrator)) }
    }
}

/// Whose password was right.
private final class Authenticated: Sendable {
    let record: UserRecord
    let master: SecretBytes
    let failures: UInt32

    init(_ record: UserRecord, _ master: consuming SecretBytes, _ failures: UInt32) {
        self.record = record
        self.master = master
        self.failures = failures
    }
}
