internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage
internal import Synchronization

/// A partition that somebody's password has opened. It lasts as long as somebody is logged in; then its keys go.
final class OpenPartition: Sendable {
    let name: String
    let id: String
    let clock: any WallClock
    /// Seals attributes and material.
    let cipher: AESGCM
    let trail: AuditTrail
    let records: AuthenticatedRecords

    /// What opens everything else, kept to seal it for new users.
    private let master: SecretBytes
    private let state: Mutex<PartitionState>
    /// One change of this process at a time.
    private let changing = Mutex(())
    private let lastLook = Mutex(ContinuousClock.now)
    private let changesOfUsers = Atomic<UInt64>(1)

    /// For how long what other processes have changed may go unseen.
    static let staleness = Duration.milliseconds(50)

    init(
        _ name: String, id: String, store: any RecordStore, master: consuming SecretBytes, clock: any WallClock,
        durability: AuditDurability
    ) throws {
        let keys = try PartitionKeys(master)
        let records = try AuthenticatedRecords(store: store, key: keys.records)
        let (all, revision) = try records.verifiedRecords(
            prefixes: [PartitionRecord.name.description, UserRecord.prefix, StoredKey.prefix])
        var state = PartitionState(revision: revision)
        let cipher = try AESGCM(key: keys.objects)
        for record in all { try state.take(record, record.name, version: record.version, cipher) }
        trail = try AuditTrail(store: store, rootKey: keys.audit, durability: durability, isBegun: true)
        self.name = name
        self.id = id
        self.clock = clock
        self.cipher = cipher
        self.records = records
        self.master = master
        self.state = Mutex(state)
    }

    func read<R>(_ body: (PartitionState) throws(HSMError) -> R) throws(HSMError) -> R {
        let result: Result<R, HSMError> = state.withLock { state in
            do throws(HSMError) { return .success(try body(state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Adds, changes or removes keys that end with their session.
    func edit<R: Sendable>(_ body: (inout PartitionState) -> R) -> R { state.withLock { body(&$0) } }

    /// How often the users have changed; a session that has seen this number knows its user.
    var userChanges: UInt64 { changesOfUsers.load(ordering: .acquiring) }

    /// Whether a user is still the one who logged in.
    func isKnown(_ user: SessionUser) -> Bool {
        state.withLock { state in
            guard let known = state.users[user.name]?.record else { return false }
            return known.role == user.role && known.incarnation == user.incarnation
        }
    }

    /// A user's record with the master key sealed under a password.
    func userRecord(
        _ user: String, _ role: UserRecord.Role, _ password: borrowing SecretBytes, cost: Scrypt
    ) throws -> UserRecord {
        try UserRecord.make(user, role, password, partition: id, sealing: master, cost: cost)
    }

    /// Reads the whole trail and checks it.
    func verifyTrail(against checkpoint: AuditCheckpoint?) throws(HSMError) -> AuditVerification {
        try stated {
            try trail.flushBlocking()
            let keys = try PartitionKeys(master)
            return try AuditTrail.verify(in: records.store, rootKey: keys.audit, against: checkpoint)
        }
    }

    /// The trail's events, as lines of JSON.
    func events() throws(HSMError) -> [String] {
        try stated {
            try trail.flushBlocking()
            return try AuditTrail.events(in: records.store)
        }
    }
}

// What others have changed.
extension OpenPartition {
    /// Looks for it where the last look is too long ago.
    func look() throws(HSMError) {
        let now = ContinuousClock.now
        guard lastLook.withLock({ now - $0 > OpenPartition.staleness }) else { return }
        try refresh()
        lastLook.withLock { $0 = now }
    }

    /// Takes over every change that the store has.
    func refresh() throws(HSMError) {
        let failure: HSMError? = state.withLock { state in
            let users = state.userChanges
            defer { if state.userChanges != users { changesOfUsers.add(1, ordering: .releasing) } }
            do {
                try OpenPartition.refresh(&state, records, cipher)
                return nil
            } catch { return HSMError(wrapping: error) }
        }
        if let failure { throw failure }
    }

    private static func refresh(
        _ state: inout PartitionState, _ records: AuthenticatedRecords, _ cipher: AESGCM
    ) throws {
        let newest = try records.store.revision
        guard newest > state.revision else { return }
        var limit = 256
        while true {
            let changes = try records.store.changes(since: state.revision, limit: limit)
            for change in changes where PartitionState.holds(change.name) {
                let record = try records.record(change.name)
                try state.take(record, change.name, version: record?.version ?? change.version, cipher)
            }
            guard changes.count == limit, let last = changes.last?.revision else {
                // What has changed elsewhere in the store need not be looked through again.
                state.revision = max(newest, changes.last?.revision ?? newest)
                return
            }
            // A full page may end inside a batch: the last batch is read again, whole.
            if last.rawValue - 1 > state.revision.rawValue {
                state.revision = Revision(last.rawValue - 1)
            } else {
                limit *= 4
            }
        }
    }
}

// What this process changes.
extension OpenPartition {
    /// What a change writes.
    struct Plan {
        /// Records that are authenticated.
        var writes: [RecordWrite] = []
        /// Counters of logins, which are not.
        var counters: [RecordWrite] = []
    }

    /// The write that gives a key other attributes; nil for a key that ends with its session.
    func write(
        _ handle: KeyHandle, _ attributes: KeyAttributes, over snapshot: HSMObject.Snapshot
    ) throws -> RecordWrite? {
        guard let value = snapshot.value else { return nil }
        let name = try StoredKey.name(handle)
        return .put(
            name, try StoredKey(value, name).with(attributes, handle, under: cipher),
            expecting: .version(snapshot.version))
    }

    /// Makes a change: the event that tells of it and the change itself are stored together, or neither.
    ///
    /// - Parameters:
    ///   - event: what it is called, and on what.
    ///   - plan: decides, on the state as it is, what to write. Nothing can have changed when that is written; where others
    ///     were faster, it is called again. It must not call the partition.
    func change(_ event: HSMEvent, _ plan: (PartitionState) throws -> Plan) throws(HSMError) {
        let failure: HSMError? = changing.withLock { _ in
            do throws(HSMError) {
                try changeInTurn(event, plan)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    private func changeInTurn(_ event: HSMEvent, _ plan: (PartitionState) throws -> Plan) throws(HSMError) {
        var refusal = HSMError(.conflict, "others change the partition all the time")
        for _ in 0..<20 {
            do {
                let head = try records.headVersion
                try refresh()
                let plan = try plan(state.withLock { $0 })
                try trail.recordBlocking(event.audited(in: self)) { auditWrites in
                    _ = try records.commit(plan.writes, alongside: auditWrites + plan.counters, head: head)
                }
            } catch let error as RecordStoreError where error.code == .conflict {
                continue
            } catch {
                refusal = HSMError(wrapping: error)
                break
            }
            // It is done, whether or not it can be read back now: the next look tries again.
            try? refresh()
            return
        }
        // A refusal is worth knowing of too; where even that cannot be stored, the reason is the same.
        recordRefusal(of: event, refusal)
        throw refusal
    }

    /// Records that something was refused, as far as that can be stored.
    func recordRefusal(of event: HSMEvent, _ error: HSMError) {
        try? trail.recordBlocking(event.audited(in: self, refusedWith: error))
    }

    /// Records a use of a key.
    func record(_ event: HSMEvent) throws(HSMError) {
        do { try trail.recordBlocking(event.audited(in: self)) } catch { throw HSMError(wrapping: error) }
    }

    /// Records one of many uses of a key.
    func record(_ event: AuditEventTemplate) throws(HSMError) {
        do { try trail.recordBlocking(event, at: clock.now) } catch { throw HSMError(wrapping: error) }
    }
}

/// Who a session is: a name alone may have become somebody else's.
struct SessionUser: Sendable {
    let name: String
    let role: UserRecord.Role
    let incarnation: [UInt8]

    init(_ name: String, _ record: UserRecord) {
        self.name = name
        role = record.role
        incarnation = record.incarnation
    }
}

/// The keys under a partition's master key.
struct PartitionKeys: ~Copyable {
    let records: SecretBytes
    let objects: SecretBytes
    let audit: SecretBytes

    init(_ master: borrowing SecretBytes) throws(CryptographyError) {
        let expansion = try HKDF(.sha256).expansion(of: master)
        let records = try expansion.expand(info: Array("hsm records".utf8).span, count: 32)
        let objects = try expansion.expand(info: Array("hsm objects".utf8).span, count: 32)
        let audit = try expansion.expand(info: Array("hsm audit".utf8).span, count: 32)
        self.records = records
        self.objects = objects
        self.audit = audit
    }
}

/// What a partition is, in clear and authentic.
struct PartitionRecord: Codable {
    static let name: RecordName = "partition"
    static let currentFormat = 1

    let format: Int
    let id: String
}
