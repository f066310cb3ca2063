public import Auditing
public import Cryptography
internal import RecordIntegrity
internal import RecordStorage

/// An administrator's session: manages users and trust, and uses no key.
public final class HSMAdministrator: Sendable {
    /// Who it is.
    public let user: String

    private let partition: OpenPartition
    private let cost: Scrypt

    init(_ partition: OpenPartition, user: String, cost: Scrypt) {
        self.partition = partition
        self.user = user
        self.cost = cost
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
        try check()
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

    /// Removes a user.
    ///
    /// - Throws: `userNotFound`; `userNotRemovable` for one who still has keys, and for the last administrator.
    public func deleteUser(_ name: String) throws(HSMError) {
        try change("DeleteUser", name) { state in
            guard let known = state.users[name] else { throw HSMAdministrator.unknown(name) }
            guard state.keyCount(of: name) == 0 else {
                throw HSMError(.userNotRemovable, "\(name) still has keys")
            }
            let administrators = state.users.values.filter { $0.record.role == .administrator }.count
            guard known.record.role != .administrator || administrators > 1 else {
                throw HSMError(.userNotRemovable, "\(name) is the last administrator")
            }
            return [.delete(try UserRecord.name(name), expecting: .version(known.version))]
        }
    }

    /// Gives a user another password, and unlocks it.
    ///
    /// - Throws: `userNotFound`, `pinLengthRange`.
    public func setPassword(_ password: borrowing SecretBytes, of name: String) throws(HSMError) {
        try check()
        guard let known = try partition.read({ $0.users[name] }) else { throw HSMAdministrator.unknown(name) }
        let record = try stated { try partition.userRecord(name, known.record.role, password, cost: cost) }
        try change("SetPIN", name) { state in
            guard let known = state.users[name], known.record.role == record.role else {
                throw HSMAdministrator.unknown(name)
            }
            return [
                .put(
                    try UserRecord.name(name), try StoredJSON.encode(record), expecting: .version(known.version))
            ]
        }
        try unlock(name)
    }

    /// Forgets a user's wrong passwords.
    public func unlock(_ name: String) throws(HSMError) {
        try check()
        guard try partition.read({ $0.users[name] }) != nil else { throw HSMAdministrator.unknown(name) }
        try stated { try LoginCounter(name, in: partition.records.store).reset() }
        try partition.record(HSMEvent(name: "UnlockUser", user: user, parameters: [("user", .text(name))]))
    }

    /// Lets a key wrap sensitive keys though it was not made here, or no longer lets it.
    ///
    /// - Throws: `objectHandleInvalid`.
    public func setTrusted(_ isTrusted: Bool, _ handle: KeyHandle) throws(HSMError) {
        let event = HSMEvent(
            name: "SetAttributeValue", user: user, parameters: [("trusted", .flag(isTrusted))], key: handle.description)
        try check()
        try partition.change(event) { state in
            guard let object = state.objects[handle], object.version > 0 else { throw HSMObject.gone(handle) }
            var attributes = object.currentAttributes
            attributes.isTrusted = isTrusted
            guard let value = try object.value(with: attributes, partition.cipher) else {
                throw HSMObject.gone(handle)
            }
            return [.put(try StoredKey.name(handle), value, expecting: .version(object.version))]
        }
    }

    /// The partition's audit trail, as lines of JSON in CloudTrail's layout.
    public func auditEvents() throws(HSMError) -> [String] {
        try check()
        return try partition.events()
    }

    /// Reads the whole audit trail and checks it.
    ///
    /// - Parameter checkpoint: one that was kept outside, which also shows the rollback of the whole store.
    public func verifyAuditTrail(
        against checkpoint: AuditCheckpoint? = nil
    ) throws(HSMError) -> AuditVerification {
        try check()
        return try partition.verifyTrail(against: checkpoint)
    }

    private func create(
        _ name: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes
    ) throws(HSMError) {
        try UserRecord.check(name: name)
        let record = try stated { try partition.userRecord(name, role, password, cost: cost) }
        try change("CreateUser", name) { state in
            guard state.users[name] == nil else { throw HSMError(.alreadyExists, "there is a user \(name) already") }
            return [.put(try UserRecord.name(name), try StoredJSON.encode(record), expecting: .absent)]
        }
    }

    private func change(
        _ event: String, _ name: String, _ plan: (PartitionState) throws -> [RecordWrite]
    ) throws(HSMError) {
        try check()
        try partition.change(HSMEvent(name: event, user: user, parameters: [("user", .text(name))]), plan)
    }

    /// Refuses an administrator who is none any more.
    private func check() throws(HSMError) {
        try partition.refresh()
        guard try partition.read({ $0.users[user]?.record.role }) == .administrator else {
            throw HSMError(.sessionClosed, "\(user) is no administrator any more")
        }
    }

    private static func unknown(_ name: String) -> HSMError { HSMError(.userNotFound, "there is no user \(name)") }
}
