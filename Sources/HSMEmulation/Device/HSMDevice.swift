public import Auditing
public import Cryptography
internal import RecordIntegrity
public import RecordStorage

/// An emulated hardware security module: partitions, each with users of its own, and keys that never leave it in clear.
///
/// ```swift
/// let device = try HSMDevice(store: SQLiteRecordStore(path: "hsm.db"))
/// let partition = try device.createPartition("payments", administrator: "admin", password: adminPassword)
/// try partition.administer("admin", password: adminPassword).createUser("issuer", password: password)
/// let session = try partition.logIn("issuer", password: password)
/// let key = try session.generateKey(.ecdsa(.p256), label: "issuing-ca")       // a Signer
/// ```
///
/// Everything is synchronous and safe from any thread. What a partition holds is sealed under a key that only a user's
/// password opens; the device itself has no secret. What a store's file gives away is written in the threat model.
public final class HSMDevice: Sendable {
    private let store: any RecordStore
    private let cost: Scrypt
    private let clock: any WallClock
    private let durability: AuditDurability

    /// A device whose partitions are folders of a store.
    ///
    /// - Parameters:
    ///   - store: where everything is kept. It may hold other things beside.
    ///   - passwordCost: what guessing a password costs, for new passwords.
    ///   - clock: the time in the audit trail.
    ///   - audit: when a use of a key is on the disk. A change always is with what it changes.
    public init(
        store: any RecordStore, passwordCost: Scrypt = .standard, clock: any WallClock = SystemClock(),
        audit: AuditDurability = .buffered(lossWindow: .seconds(1))
    ) {
        self.store = store
        cost = passwordCost
        self.clock = clock
        durability = audit
    }

    /// Makes a partition, with its first administrator.
    ///
    /// - Parameters:
    ///   - name: 1 to 31 letters, digits and `-_.@`.
    ///   - administrator: who manages its users. Administrators use no keys.
    ///   - password: 7 to 256 bytes.
    /// - Throws: `alreadyExists`, `invalidName`, `pinLengthRange`, `storeFailure`.
    @discardableResult
    public func createPartition(
        _ name: String, administrator: String, password: borrowing SecretBytes
    ) throws(HSMError) -> HSMPartition {
        try UserRecord.check(name: name)
        try UserRecord.check(name: administrator)
        do {
            let folder = try HSMDevice.folder(name, of: store)
            guard try folder.record(PartitionRecord.name) == nil else { throw HSMDevice.exists(name) }
            let id = Hexadecimal.encode(try SystemRandom().bytes(count: 16))
            let master = try SecretBytes.random(count: 32)
            let keys = try PartitionKeys(master)
            let first = try UserRecord.make(
                administrator, .administrator, password, partition: id, sealing: master, cost: cost)
            try AuthenticatedRecords(store: folder, key: keys.records).commit(
                [
                    .put(
                        PartitionRecord.name,
                        try StoredJSON.encode(PartitionRecord(format: PartitionRecord.currentFormat, id: id)),
                        expecting: .absent),
                    .put(try UserRecord.name(administrator), try StoredJSON.encode(first), expecting: .absent),
                ], alongside: [try AuditTrail.beginning(rootKey: keys.audit)])
            let partition = try partition(name)
            try partition.recordCreation(master, administrator: administrator)
            return partition
        } catch let error as RecordStoreError where error.code == .conflict {
            throw HSMDevice.exists(name)
        } catch { throw HSMError(wrapping: error) }
    }

    /// A partition, closed until somebody logs in.
    ///
    /// - Throws: `partitionNotFound`, `storeFailure`; `tampered` where its record cannot be read.
    public func partition(_ name: String) throws(HSMError) -> HSMPartition {
        try UserRecord.check(name: name)
        return try stated {
            let folder = try HSMDevice.folder(name, of: store)
            guard let record = try folder.record(PartitionRecord.name) else {
                throw HSMError(.partitionNotFound, "there is no partition \(name)")
            }
            let parsed = try StoredJSON.decode(
                PartitionRecord.self, Array(record.value.dropLast(32)), PartitionRecord.name)
            guard parsed.format <= PartitionRecord.currentFormat else {
                throw RecordStoreError(.newerFormat, subject: "partition", reason: "format \(parsed.format)")
            }
            return HSMPartition(
                name: name, id: parsed.id, store: folder, cost: cost, clock: clock, durability: durability)
        }
    }

    /// The partitions' names, sorted.
    public var partitionNames: [String] {
        get throws(HSMError) {
            try stated {
                // By asking for what stands behind a partition's last possible record, whatever it holds is skipped.
                var names: [String] = []
                while true {
                    let after = try names.last.map { try RecordName("\(HSMDevice.prefix)\($0)0") }
                    guard let next = try store.records(prefix: HSMDevice.prefix, after: after, limit: 1).first else {
                        return names.sorted()
                    }
                    let path = next.name.description.dropFirst(HSMDevice.prefix.count)
                    names.append(String(path.prefix { $0 != "/" }))
                }
            }
        }
    }

    private static let prefix = "hsm/"

    private static func folder(_ name: String, of store: any RecordStore) throws(RecordStoreError) -> RecordFolder {
        try RecordFolder("\(prefix)\(name)", of: store)
    }

    private static func exists(_ name: String) -> HSMError {
        HSMError(.alreadyExists, "there is a partition \(name) already")
    }
}
