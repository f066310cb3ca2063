public import Auditing
public import Cryptography
internal import RecordIntegrity
internal import RecordStorage
internal import Synchronization

/// An administrator's session: manages users and trust, and uses no key.
public final class HSMAdministrator: Sendable {
    /// Who it is.
    public let user: String

    private let identity: SessionUser
    private let cost: Scrypt
    /// What is administered; nil once this has ended.
    private let current: Mutex<OpenPartition?>

    init(_ partition: OpenPartition, _ user: SessionUser, cost: Scrypt) {
        current = Mutex(partition)
        self.user = user.name
        identity = user
        self.cost = cost
    }

    /// Ends the session: it refuses from now on.
    public func logOut() {
        let partition = current.withLock { current in
            defer { current = nil }
            return current
        }
        try? partition?.record(HSMEvent(name: "Logout", user: user))
    }

    /// A user as administrators see one.
    public struct User: Sendable, Hashable {
        /// The name.
        public let name: String
        /// Whether it is an administrator.
        public let isAdministrator: Bool
        /// How many wrong passwords came in a row.
        public let failedLogins: Int
        /// Whether that were too many.
        public var isLocked: Bool { failedLogins >= LoginCounter.limit }
    }

    /// All users, by name.
    public func users() throws(HSMError) -> [User] {
        let partition = try partition()
        let all = try partition.read { $0.users }
        return try stated {
            try all.sorted { $0.key < $1.key }.map { name, user in
                User(
                    name: name, isAdministrator: user.record.role == .administrator,
                    failedLogins: Int(try LoginCounter(name, in: partition.records.store).failures))
            }
        }
    }

    /// Makes a crypto user.
    ///
    /// - Parameters:
    ///   - name: 1 to 31 letters, digits and `-_.@`.
    ///   - password: 7 to 256 bytes.
    /// - Throws: `alreadyExists`, `invalidName`, `pinLengthRange`.
    public func createUser(_ name: String, password: borrowing SecretBytes) throws(HSMError) {
        try create(name, .cryptoUser, password)
    }

    /// Makes another administrator.
    ///
    /// - Throws: as ``createUser(_:password:)``.
    public func createAdministrator(_ name: String, password: borrowing SecretBytes) throws(HSMError) {
        try create(name, .administrator, password)
    }

    /// Removes a user, and takes away what was shared with it. Its sessions end.
    ///
    /// - Throws: `userNotFound`; `userNotRemovable` for one who still has keys, and for the last administrator.
    public func deleteUser(_ name: String) throws(HSMError) {
        let partition = try partition()
        try change(partition, "DeleteUser", name) { state in
            guard let known = state.users[name] else { throw HSMAdministrator.unknown(name) }
            let (own, shared) = state.keys(of: name)
            guard own == 0 else { throw HSMError(.userNotRemovable, "\(name) still has keys") }
            let administrators = state.users.values.filter { $0.record.role == .administrator }.count
            guard known.record.role != .administrator || administrators > 1 else {
                throw HSMError(.userNotRemovable, "\(name) is the last administrator")
            }
            var plan = OpenPartition.Plan(
                writes: [.delete(try UserRecord.name(name), expecting: .version(known.version))],
                counters: [try LoginCounter(name, in: partition.records.store).forgetting])
            for object in shared {
                let snapshot = object.snapshot
                var attributes = snapshot.attributes
                attributes.sharedWith.remove(name)
                if let write = try partition.write(object.handle, attributes, over: snapshot) {
                    plan.writes.append(write)
                }
            }
            return plan
        }
    }

    /// Gives a user another password, and unlocks it. Its sessions end.
    ///
    /// - Throws: `userNotFound`, `pinLengthRange`.
    public func setPassword(_ password: borrowing SecretBytes, of name: String) throws(HSMError) {
        let partition = try partition()
        guard let known = try partition.read({ $0.users[name] }) else { throw HSMAdministrator.unknown(name) }
        let record = try stated { try partition.userRecord(name, known.record.role, password, cost: cost) }
        try change(partition, "SetPIN", name) { state in
            guard let known = state.users[name], known.record.role == record.role else {
                throw HSMAdministrator.unknown(name)
            }
            return OpenPartition.Plan(
                writes: [
                    .put(
                        try UserRecord.name(name), try StoredJSON.encode(record), expecting: .version(known.version))
                ], counters: [try LoginCounter(name, in: partition.records.store).forgetting])
        }
    }

    /// Forgets a user's wrong passwords.
    ///
    /// - Throws: `userNotFound`.
    public func unlock(_ name: String) throws(HSMError) {
        let partition = try partition()
        try change(partition, "UnlockUser", name) { state in
            guard state.users[name] != nil else { throw HSMAdministrator.unknown(name) }
            return OpenPartition.Plan(counters: [try LoginCounter(name, in: partition.records.store).forgetting])
        }
    }

    /// Lets a key wrap sensitive keys though it was not made here, or no longer lets it. What left under it meanwhile stays
    /// outside.
    ///
    /// - Throws: `objectHandleInvalid`.
    public func setTrusted(_ isTrusted: Bool, _ handle: KeyHandle) throws(HSMError) {
        let partition = try partition()
        let event = HSMEvent(
            name: "SetAttributeValue", user: user, parameters: [("trusted", .flag(isTrusted))], key: handle.description)
        try partition.change(event) { state in
            guard isStill(state), let object = state.objects[handle] else { throw HSMObject.gone(handle) }
            let snapshot = object.snapshot
            var attributes = snapshot.attributes
            attributes.isTrusted = isTrusted
            guard let write = try partition.write(handle, attributes, over: snapshot) else {
                throw HSMObject.gone(handle)
            }
            return OpenPartition.Plan(writes: [write])
        }
    }

    /// The partition's audit trail, as lines of JSON in CloudTrail's layout.
    public func auditEvents() throws(HSMError) -> [String] { try partition().events() }

    /// Reads the whole audit trail and checks it.
    ///
    /// - Parameter checkpoint: one that was kept outside, which also shows the rollback of the whole store.
    public func verifyAuditTrail(
        against checkpoint: AuditCheckpoint? = nil
    ) throws(HSMError) -> AuditVerification {
        try partition().verifyTrail(against: checkpoint)
    }

    private func create(
        _ name: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws(HSMError) {
        try UserRecord.check(name: name)
        let partition = try partition()
        let record = try stated { try partition.userRecord(name, role, password, cost: cost) }
        try change(partition, "CreateUser", name) { state in
            guard state.users[name] == nil else { throw HSMError(.alreadyExists, "there is a user \(name) already") }
            return OpenPartition.Plan(
                writes: [.put(try UserRecord.name(name), try StoredJSON.encode(record), expecting: .absent)],
                counters: [try LoginCounter(name, in: partition.records.store).forgetting])
        }
    }

    private func change(
        _ partition: OpenPartition, _ event: String, _ name: String,
        _ plan: (PartitionState) throws -> OpenPartition.Plan
    ) throws(HSMError) {
        try partition.change(HSMEvent(name: event, user: user, parameters: [("user", .text(name))])) { state in
            guard isStill(state) else { throw closed }
            return try plan(state)
        }
    }

    /// The partition, for an administrator who is one still.
    private func partition() throws(HSMError) -> OpenPartition {
        guard let partition = current.withLock({ $0 }) else { throw closed }
        try partition.refresh()
        guard partition.isKnown(identity) else {
            current.withLock { $0 = nil }
            throw closed
        }
        return partition
    }

    private func isStill(_ state: PartitionState) -> Bool {
        state.users[user]?.record.incarnation == identity.incarnation
    }

    private var closed: HSMError { HSMError(.sessionClosed, "the session of \(user) has ended") }

    private static func unknown(_ name: String) -> HSMError { HSMError(.userNotFound, "there is no user \(name)") }
}
