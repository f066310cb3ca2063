public import AccessPolicy
public import Auditing
public import Cryptography
internal import Dispatch
internal import FoundationEssentials
public import PKIX
internal import RecordIntegrity
public import RecordStorage
internal import Synchronization

/// A key management service in this process, after the model of AWS KMS.
///
/// Keys are made in it and never leave it; callers hold ``Key`` handles. Every use is checked against policies and
/// recorded in an audit trail before its answer is released. State lives in a record store that several processes may
/// share: a change that one of them makes is seen by the others within a quarter of a second, and at once by calls that
/// change state.
///
/// ```swift
/// let kms = try await KeyManagementService(store: store, rootOfTrust: PassphraseRoot(passphrase))
/// let admin = kms.client(for: .user("alice", account: "111122223333"))
/// let orders = try await admin.createKey(.symmetric, alias: "alias/orders")
/// let sealed = try await admin.encrypt(card, under: orders, context: ["tenant": "42"])
/// ```
public final class KeyManagementService: Sendable {
    let scope: ServiceScope
    let access: AccessControl
    let clock: any WallClock
    let opening: (time: Date, uptime: Duration)
    let trail: AuditTrail
    let copies: [any AuditSink]
    let records: AuthenticatedRecords
    let keyStores: [String: any KeyCustodian]
    let quotas: Quotas
    let algorithms: AlgorithmPolicy
    let connections: KeyStoreConnections
    let attestationRoots: [Certificate]
    let limiter: RequestLimiter
    let peers = ConnectedRegions()
    private let current: Mutex<ServiceState>
    private let began = ContinuousClock.now
    /// When other processes' changes were last looked for, in nanoseconds since it began.
    private let lastLook = Atomic<Int64>(0)
    private let refreshing = Mutex(())

    /// How old the view of other processes' changes may be on the path of cryptographic operations.
    private static let staleness: Int64 = 250_000_000

    /// Opens a store, or makes a new one of an empty one.
    ///
    /// - Parameters:
    ///   - store: where the state lives.
    ///   - rootOfTrust: what opens it. It is asked once and not kept.
    ///   - region: the Region in ARNs.
    ///   - partition: the partition in ARNs.
    ///   - access: who decides what key policies leave to accounts. By default each account's members may do all of it: the
    ///     embedding process has done its own checks.
    ///   - audit: when an event is on the disk.
    ///   - keyStores: custodians that keep the material of some keys, such as an HSM's partition, by their names. Every account may
    ///     have keys there.
    ///   - clusters: on which accounts may make key stores of their own, by their names; see ``KeyStoreCluster``.
    ///   - transport: how proxies of external key stores are reached; without one, accounts make none but by an endpoint service.
    ///   - endpointServices: other ways to such proxies, by their names.
    ///   - attestationRoots: who may vouch for recipients, such as AWS's root of Nitro's attestation; see ``Recipient``.
    ///   - quotas: how much accounts may have and ask.
    ///   - algorithms: which are taken. Where approved ones alone are, a store that a passphrase opens is not.
    ///   - copies: where else every event goes, after the trail has it. Where one fails, the answer is withheld, though
    ///     a change that was asked for stands.
    ///   - clock: what time it is.
    /// - Throws: `wrongRootOfTrust`, `tampered`, `storeFailure`; `selfTestFailed` and `unsupportedOperation` with approved algorithms.
    public init(
        store: any RecordStore, rootOfTrust: any RootOfTrust, region: String = "us-east-1", partition: String = "aws",
        access: AccessControl = .accountMembers, audit: AuditDurability = .recorded,
        keyStores: [String: any KeyCustodian] = [:], clusters: [String: KeyStoreCluster] = [:],
        externalKeyStores transport: (any XKSTransport)? = nil,
        endpointServices: [String: XKSEndpointService] = [:], attestationRoots: [Certificate] = [],
        quotas: Quotas = .unlimited, algorithms: AlgorithmPolicy = .all,
        copyingEventsTo copies: [any AuditSink] = [],
        clock: any WallClock = SystemClock()
    ) async throws(KeyManagementError) {
        do {
            try algorithms.test()
            let scope = ServiceScope(partition: partition, region: region)
            let secrets = try await KeyManagementService.unlock(store, rootOfTrust, algorithms)
            let records = try AuthenticatedRecords(store: store, key: secrets.records)
            let state = try KeyManagementService.load(records, secrets, scope)
            self.scope = scope
            self.access = access
            self.clock = clock
            opening = (clock.now, clock.uptime)
            self.records = records
            self.keyStores = keyStores
            connections = try KeyStoreConnections(
                clusters, transport, endpointServices, secrets.records, region: region, clock)
            self.attestationRoots = attestationRoots
            try algorithms.check(state.root.record.root.kind)
            self.quotas = quotas
            self.algorithms = algorithms
            limiter = RequestLimiter(quotas)
            self.copies = copies
            trail = try AuditTrail(store: store, rootKey: secrets.audit, durability: audit, isBegun: true)
            current = Mutex(state)
            if state.root.record.domainVersions.count > 1 { try await finishDomainRotation() }
        } catch {
            throw KeyManagementError(wrapping: error)
        }
    }

    /// A client that acts as a principal. The caller has authenticated them.
    public func client(for principal: Principal) -> KeyManagementClient {
        KeyManagementClient(service: self, caller: Caller(principal))
    }

    /// Writes what the audit trail has buffered. With recorded audit there is never anything.
    public func flush() async throws(KeyManagementError) {
        do { try await trail.flush() } catch { throw KeyManagementError(wrapping: error) }
    }

    /// Gives an event that the trail has to the other sinks.
    func copy(_ event: AuditEvent) async throws(AuditError) {
        for sink in copies { try await sink.record(event) }
    }

    /// The state as it is known, looked up anew where the last look is too long ago.
    func state() throws(KeyManagementError) -> ServiceState {
        let now = (ContinuousClock.now - began).nanoseconds
        guard now - lastLook.load(ordering: .relaxed) > KeyManagementService.staleness else {
            return current.withLock { $0 }
        }
        // Where the look fails, so does the operation, and the next one looks again: an old view is not gone on with.
        let state = try refreshedState()
        lastLook.store(now, ordering: .relaxed)
        return state
    }

    /// The state with every change that the store has.
    @discardableResult
    func refreshedState() throws(KeyManagementError) -> ServiceState {
        let result: Result<ServiceState, any Error> = refreshing.withLock { _ in
            Result {
                let old = current.withLock { $0 }
                let fresh = try old.refreshed(from: records, scope: scope)
                current.withLock { $0 = fresh }
                // The old one goes here, not under the lock.
                _ = consume old
                return fresh
            }
        }
        return try stated { try result.get() }
    }

    /// Takes over what a domain rotation has changed in memory.
    func replaceDomains(_ domains: [UInt32: AESGCM], active: UInt32) {
        refreshing.withLock { _ in
            current.withLock { $0 = $0.with(domains: domains, activeDomain: active, root: $0.root) }
        }
    }

    /// Forgets domain keys that were retired, and none that came meanwhile.
    func retireDomains(before version: UInt32) {
        refreshing.withLock { _ in
            current.withLock { state in
                state = state.with(
                    domains: state.domains.filter { $0.key >= version }, activeDomain: max(state.activeDomain, version),
                    root: state.root)
            }
        }
    }

    /// Opens the root record, or makes it in an empty store.
    static func unlock(
        _ store: any RecordStore, _ root: any RootOfTrust, _ algorithms: AlgorithmPolicy
    ) async throws -> StoreSecrets {
        for _ in 0..<3 {
            // Looked for before the root record, which is older than any key: others may be making the store right now.
            let hasKeys = try !store.records(prefix: KeyRecord.prefix, after: nil, limit: 1).isEmpty
            if let record = try await store.asynchronous.record(RootRecord.name) {
                let bytes = Array(record.value.dropLast(32))
                let parsed = try StoredJSON.decode(RootRecord.self, bytes, RootRecord.name)
                guard parsed.format <= RootRecord.currentFormat else {
                    throw RecordStoreError(.newerFormat, subject: "root", reason: "format \(parsed.format)")
                }
                return try await parsed.unlock(with: root)
            }
            guard !hasKeys else { throw KeyManagementError(.tampered, "the root record is gone") }
            let secrets = try await RootRecord.make(for: root)
            try algorithms.check(secrets.record.root.kind)
            let records = try AuthenticatedRecords(store: store, key: secrets.records)
            do {
                let value = try StoredJSON.encode(secrets.record)
                let trail = try AuditTrail.beginning(rootKey: secrets.audit)
                try records.commit([.put(RootRecord.name, value, expecting: .absent)], alongside: [trail])
                return secrets
            } catch {
                // Where another process was faster, what it has made is there, and none of it fits these secrets.
                guard try store.record(RootRecord.name) != nil else { throw error }
            }
        }
        throw KeyManagementError(.conflict, "the store is being made by others")
    }

    private static func load(
        _ records: AuthenticatedRecords, _ secrets: borrowing StoreSecrets, _ scope: ServiceScope
    ) throws -> ServiceState {
        var root: (record: RootRecord, version: UInt64)?
        let (tables, revision) = try records.readVerified(
            prefixes: [
                RootRecord.name.description, KeyRecord.prefix, AliasRecord.prefix, GrantRecord.prefix,
                MemberRecord.prefix, KeyStoreRecord.prefix, KeptRemains.prefix,
            ], into: ServiceTables()
        ) { tables, record in
            let name = record.name.description
            if name.hasPrefix(KeyRecord.prefix) {
                let stored = try StoredJSON.decode(KeyRecord.self, record.value, record.name)
                let key = try ManagedKey(stored, version: record.version, scope: scope, after: nil)
                tables.setKey(key.place, key)
            } else if name.hasPrefix(AliasRecord.prefix) {
                let alias = try StoredJSON.decode(AliasRecord.self, record.value, record.name)
                tables.aliases[AliasRecord.alias(record.name)] = StoredAlias(record: alias, version: record.version)
            } else if name.hasPrefix(MemberRecord.prefix) {
                let stored = try StoredJSON.decode(MemberRecord.self, record.value, record.name)
                let member = try DirectoryMember(stored, version: record.version)
                tables.members[member.principal] = member
            } else if record.name == KeyStoreRecord.turn {
                tables.keyStoreTurn = record.version
            } else if name.hasPrefix(KeptRemains.prefix) {
                let stored = try StoredJSON.decode(KeptRemains.self, record.value, record.name)
                tables.remains["\(stored.account)/\(stored.id)"] = StoredRemains(
                    record: stored, version: record.version)
            } else if name.hasPrefix(KeyStoreRecord.prefix) {
                let stored = try StoredJSON.decode(KeyStoreRecord.self, record.value, record.name)
                tables.keyStores[stored.place] = StoredKeyStore(record: stored, version: record.version)
            } else if let place = GrantRecord.place(name), name.hasPrefix(GrantRecord.prefix) {
                let grant = try Grant(StoredJSON.decode(GrantRecord.self, record.value, record.name), scope: scope)
                tables.setGrant(place, (grant, record.version))
            } else {
                root = (try StoredJSON.decode(RootRecord.self, record.value, record.name), record.version)
            }
        }
        guard let root else { throw KeyManagementError(.tampered, "the root record is gone") }
        return ServiceState(
            tables, domains: secrets.domains, activeDomain: secrets.activeDomain, root: root, revision: revision)
    }
}

extension Duration {
    /// For times that a process lives through.
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
