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
    private let auditKey: SecretBytes
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
        for record in all { try state.take(record, record.name, cipher) }
        trail = try AuditTrail(store: store, rootKey: keys.audit, durability: durability, isBegun: true)
        self.name = name
        self.id = id
        self.clock = clock
        self.cipher = cipher
        self.records = records
        self.master = master
        auditKey = keys.audit.copy()
        self.state = Mutex(state)
    }

    /// The state as it is known, looked up anew where the last look is too long ago.
    func look() throws(HSMError) {
        let now = ContinuousClock.now
        guard lastLook.withLock({ now - $0 > OpenPartition.staleness }) else { return }
        try refresh()
        lastLook.withLock { $0 = now }
    }

    /// Takes over every change that the store has.
    func refresh() throws(HSMError) {
        let failure: HSMError? = state.withLock { state in
            do {
                let users = state.userChanges
                defer { if state.userChanges != users { changesOfUsers.add(1, ordering: .releasing) } }
                try OpenPartition.refresh(&state, records, cipher)
                return nil
            } catch { return HSMError(wrapping: error) }
        }
        if let failure { throw failure }
    }

    private static func refresh(
        _ state: inout PartitionState, _ records: AuthenticatedRecords, _ cipher: AESGCM
    ) throws {
        guard try records.store.revision > state.revision else { return }
        var limit = 256
        while true {
            let changes = try records.store.changes(since: state.revision, limit: limit)
            for change in changes where PartitionState.holds(change.name) {
                try state.take(try records.record(change.name), change.name, cipher)
            }
            guard let last = changes.last?.revision else { return }
            guard changes.count == limit else { return state.revision = last }
            // A full page may end inside a batch: the last batch is read again, whole.
            if last.rawValue - 1 > state.revision.rawValue {
                state.revision = Revision(last.rawValue - 1)
            } else {
                limit *= 4
            }
        }
    }

    func read<R>(_ body: (PartitionState) throws(HSMError) -> R) throws(HSMError) -> R {
        let result: Result<R, HSMError> = state.withLock { state in
            do throws(HSMError) { return .success(try body(state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// How often the users have changed; a session that has seen this number knows its user.
    var userChanges: UInt64 { changesOfUsers.load(ordering: .acquiring) }

    /// Whether a crypto user is one still.
    func isKnown(_ user: String) -> Bool { state.withLock { $0.users[user]?.record.role == .cryptoUser } }

    /// Adds or removes keys that end with their session.
    func edit(_ body: (inout PartitionState) -> Void) { state.withLock { body(&$0) } }

    /// Makes a change: the event that tells of it and the change itself are stored together, or neither.
    ///
    /// - Parameters:
    ///   - event: what it is called, and on what.
    ///   - plan: decides, on the state as it is, what to write. It is called again where others were faster.
    func change(_ event: HSMEvent, _ plan: (PartitionState) throws -> [RecordWrite]) throws(HSMError) {
        let failure: HSMError? = changing.withLock { _ in
            do throws(HSMError) {
                try changeInTurn(event, plan)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    private func changeInTurn(
        _ event: HSMEvent, _ plan: (PartitionState) throws -> [RecordWrite]
    ) throws(HSMError) {
        var refusal = HSMError(.conflict, "others change the partition all the time")
        for _ in 0..<20 {
            try refresh()
            let known = state.withLock { $0 }
            do {
                let writes = try plan(known)
                try trail.recordBlocking(event.audited(in: self)) { auditWrites in
                    _ = try records.commit(writes, alongside: auditWrites)
                }
                return try refresh()
            } catch let error as RecordStoreError where error.code == .conflict {
                continue
            } catch {
                refusal = HSMError(wrapping: error)
                break
            }
        }
        // A refusal is worth knowing of too; where even that cannot be stored, the reason is the same.
        try? trail.recordBlocking(event.audited(in: self, refusedWith: refusal))
        throw refusal
    }

    /// Records a use of a key.
    func record(_ event: HSMEvent) throws(HSMError) {
        do { try trail.recordBlocking(event.audited(in: self)) } catch { throw HSMError(wrapping: error) }
    }

    /// Records one of many uses of a key.
    func record(_ event: AuditEventTemplate) throws(HSMError) {
        do { try trail.recordBlocking(event, at: clock.now) } catch { throw HSMError(wrapping: error) }
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
            return try AuditTrail.verify(in: records.store, rootKey: auditKey, against: checkpoint)
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
