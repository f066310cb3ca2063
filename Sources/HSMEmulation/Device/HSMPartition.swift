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

    /// Logs a crypto user in. It takes as long as scrypt does.
    ///
    /// - Throws: `pinIncorrect` for a wrong name or password, without telling which; `pinLocked` after ten wrong passwords
    ///   in a row; `tampered`, `storeFailure`, `auditFailure`.
    public func logIn(_ user: String, password: borrowing SecretBytes) throws(HSMError) -> HSMSession {
        HSMSession(try authenticate(user, .cryptoUser, password), user: user, cost: cost)
    }

    /// Logs an administrator in.
    ///
    /// - Throws: as ``logIn(_:password:)``.
    public func administer(_ user: String, password: borrowing SecretBytes) throws(HSMError) -> HSMAdministrator {
        HSMAdministrator(try authenticate(user, .administrator, password), user: user, cost: cost)
    }

    private func authenticate(
        _ user: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws(HSMError) -> OpenPartition {
        do {
            try UserRecord.check(name: user)
            let found = try store.record(try UserRecord.name(user))
            let record = try found.map {
                // Its tag is checked when there is a key to check it with.
                try StoredJSON.decode(UserRecord.self, Array($0.value.dropLast(32)), $0.name)
            }
            guard let record, record.role == role else {
                // As long as for a user who exists.
                _ = try cost.derive(from: password, salt: [UInt8](repeating: 0, count: 32).span, count: 32)
                throw HSMError(.pinIncorrect, "")
            }
            let counter = try LoginCounter(user, in: store)
            let failures = try counter.failures
            try counter.begin()
            let master: SecretBytes
            do {
                master = try record.master(user, password, partition: id)
            } catch {
                // Where nobody has opened the partition, there is no key to record this with: the next login tells.
                try openPartition?.record(HSMEvent(name: "Login", user: user, parameters: [("failed", .flag(true))]))
                throw error
            }
            try counter.reset()
            let partition = try open(master)
            try partition.refresh()
            guard try partition.read({ $0.users[user]?.record == record }) else {
                throw HSMError(.tampered, "the record of \(user) was put back")
            }
            try partition.record(
                HSMEvent(
                    name: "Login", user: user, parameters: [("failuresBefore", .number(Int(failures)))]))
            return partition
        } catch { throw HSMError(wrapping: error) }
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
}
