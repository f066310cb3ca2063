internal import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import Synchronization

/// A key in memory: its record, and what has been made of it as far as it has been used. Most keys of a store are never used by a process, and
/// should cost it little.
final class ManagedKey: Sendable {
    /// What a core has at hand for a key that is used.
    final class Working: Sendable {
        let arnText: String
        /// It alone, as most events have it.
        let arnTexts: [String]
        let signatureAlgorithms: [SignatureAlgorithm]
        let policy: PolicyDocument
        let backing: Mutex<[MaterialID: BackingKey]>
        /// The key itself, of a kind that has one material, once it was unwrapped.
        let single: Mutex<CustodialKey.Use?>
        let events = Mutex(RepeatedEvents())

        init(
            _ key: ManagedKey, _ policy: PolicyDocument, backing: [MaterialID: BackingKey] = [:],
            single: CustodialKey.Use? = nil
        ) {
            arnText = key.arn.description
            arnTexts = [arnText]
            signatureAlgorithms = key.record.pairKind?.managedSignatureAlgorithms ?? []
            self.policy = policy
            self.backing = Mutex(backing)
            self.single = Mutex(single)
        }

        /// Notes a use that was done, and makes the template of its event where it was done before.
        func note(
            _ known: KnownUse?, _ log: OperationLog, event: (OperationLog) -> AuditEvent
        ) throws(CryptographyError) -> AuditEventTemplate? {
            let template = known == nil ? nil : try AuditEventTemplate(event(log))
            let use = KnownUse(log, template)
            events.withLock { $0.note(use, inPlaceOf: known) }
            return template
        }
    }

    let record: KeyRecord
    /// The stored record's version, for compare and set.
    let version: UInt64
    /// Its account and identifier, by which the state finds it.
    let place: String
    let policy: PolicyDocument
    private let scope: ServiceScope
    /// Its number among the ``Workplaces``; -1 until it is used.
    private let number = Atomic(-1)
    /// The marks of all that had or have grants on it.
    private let grantees = Atomic<UInt64>(0)

    init(_ record: KeyRecord, version: UInt64, scope: ServiceScope, after older: ManagedKey?) throws {
        var record = record
        self.version = version
        self.scope = scope
        place = older?.place ?? record.place
        do {
            policy = try scope.policies.policy(record.policy)
        } catch {
            throw KeyManagementError(.tampered, "the policy of \(record.id) cannot be read")
        }
        // Most keys have the same policy, and all keys of a kind its names: their texts are kept once.
        record.policy = policy.text
        record.shareTexts()
        self.record = record
        // One that was deleted and came back is another key.
        if let older, older.record.created == record.created { takeOver(from: older) }
    }

    deinit {
        let number = number.load(ordering: .acquiring)
        if number >= 0 { Workplaces.shared.giveBack(number) }
    }

    /// Goes on using what an older record had at hand. Material that was unwrapped stays, whatever it is wrapped under now, unless it
    /// was deleted.
    private func takeOver(from older: ManagedKey) {
        let before = older.number.load(ordering: .acquiring)
        guard before >= 0 else { return }
        let there = Set(record.materials.filter { !$0.wrapped.isEmpty }.map(\.identifier))
        let first = record.materials.first?.identifier
        let isSame =
            older.record.isOfSameKind(as: record) && older.record.materials.first?.identifier == first
            && first.map(there.contains) == true
        let taken = Workplaces.shared.takeNumber(after: before) { used, place in
            Working(
                self, policy(at: place),
                backing: used.backing.withLock { $0 }.filter { there.contains($0.key) },
                single: isSame ? used.single.withLock { $0 } : nil)
        }
        number.store(taken, ordering: .releasing)
    }

    /// What this core has at hand. An operation asks once.
    var working: Working {
        var number = number.load(ordering: .acquiring)
        if number < 0 { number = takeNumber() }
        return Workplaces.shared.working(number) { Working(self, policy(at: $0)) }
    }

    /// Notes whose grants there are, by their marks.
    func noteGrantees(_ marks: UInt64) { grantees.bitwiseOr(marks, ordering: .relaxed) }

    /// Whether it may be that a caller has a grant. Mostly nobody asks further: finding grants costs as much as deciding the policy.
    func mayHaveGrants(for caller: Caller) -> Bool { grantees.load(ordering: .relaxed) & caller.grantMarks != 0 }

    /// The policy as a core has it.
    private func policy(at place: Int) -> PolicyDocument {
        (try? scope.policies.policy(policy.text, at: place)) ?? policy
    }

    private func takeNumber() -> Int {
        let taken = Workplaces.shared.takeNumber()
        let (isFirst, other) = number.compareExchange(
            expected: -1, desired: taken, ordering: .acquiringAndReleasing)
        if !isFirst { Workplaces.shared.giveBack(taken) }
        return isFirst ? taken : other
    }

    var arn: ARN { scope.keyARN(id: record.id, account: record.account) }
    var arnText: String { working.arnText }
    /// How it signs, in the service's lists.
    var signatureAlgorithms: [SignatureAlgorithm] { working.signatureAlgorithms }

    /// The identifiers of its materials, oldest first.
    var materials: [MaterialID] { record.materials.map(\.identifier) }

    func materialID(_ index: Int) -> MaterialID { record.materials[index].identifier }

    /// The material that seals. A key in a usable state has one.
    var current: Int { record.current ?? 0 }

    /// Material ready for work, unwrapped on first use.
    func backingKey(_ index: Int, domains: [UInt32: AESGCM]) throws -> BackingKey {
        let id = materialID(index)
        if let ready = working.backing.withLock({ $0[id] }) { return ready }
        do {
            return keep(try BackingKey(id: id, material: try record.material(index, domains: domains)))
        } catch {
            guard let ready = elsewhere({ $0.backing.withLock { $0[id] } }) else { throw error }
            return keep(ready)
        }
    }

    /// What another core has unwrapped, where this one no longer can: keys that are in use go on.
    func elsewhere<Material>(_ find: (Working) -> Material?) -> Material? {
        // The number is the key's own as long as the key is there.
        withExtendedLifetime(self) { Workplaces.shared.first(number.load(ordering: .acquiring), find) }
    }

    /// A key for signing, authentication or agreement, unwrapped on first use.
    func use(domains: [UInt32: AESGCM]) throws -> CustodialKey.Use {
        if let ready = working.single.withLock({ $0 }) { return ready }
        guard let kind = record.pairKind, !record.materials.isEmpty else {
            throw KeyManagementError(.tampered, "\(record.id) is of an unknown kind")
        }
        do {
            let material = try record.material(0, domains: domains)
            let use =
                record.isPublic
                ? try CustodialKey.Use(publicKey: material.bytes, of: kind) : try CustodialKey.Use(kind, material)
            working.single.withLock { $0 = use }
            return use
        } catch {
            guard let ready = elsewhere({ $0.single.withLock { $0 } }) else { throw error }
            working.single.withLock { $0 = ready }
            return ready
        }
    }

    /// Material ready for work, whose key a custodian keeps.
    func backingKey(_ index: Int, custodian: any KeyCustodian) async throws -> BackingKey {
        let id = materialID(index)
        if let ready = working.backing.withLock({ $0[id] }) { return ready }
        if let ready = elsewhere({ $0.backing.withLock { $0[id] } }) { return keep(ready) }
        let authenticator = try await custodian.authenticator(KeyHandle(record.materials[index].wrapped))
        return keep(BackingKey(id: id, keptBy: authenticator))
    }

    private func keep(_ key: BackingKey) -> BackingKey {
        let id = key.id
        return working.backing.withLock { backing in
            if let ready = backing[id] { return ready }
            backing[id] = key
            return key
        }
    }

    /// The state at a time; nil once the deletion date has passed.
    func state(at time: Date) -> KeyState? {
        if let deletion = record.deletion {
            return time.timeIntervalSince1970 >= deletion ? nil : .pendingDeletion
        }
        if record.pendingWindow != nil { return .pendingReplicaDeletion }
        if record.isMaterialMissing(at: time) { return .pendingImport }
        return record.isEnabled ? .enabled : .disabled
    }

    func metadata(at time: Date) -> KeyMetadata? {
        state(at: time).map { state in
            KeyMetadata(
                arn: arn, id: record.id, state: state, usage: record.usage, specification: record.specification,
                algorithms: MaterialKind.algorithms(record),
                description: record.description, creationDate: Date(timeIntervalSince1970: record.created),
                deletionDate: record.deletion.map { Date(timeIntervalSince1970: $0) },
                materials: record.materials.filter { !$0.isPending }.map(\.id),
                multiRegion: record.multiRegionConfiguration(in: arn.region),
                pendingDeletionWindowInDays: record.pendingWindow,
                isManagedByService: record.manager == KeyRecord.awsManager,
                origin: record.originName,
                keyStore: record.keyStore,
                externalKey: record.externalKey,
                validTo: record.current.flatMap { record.materials[$0].imported?.expires }
                    .map { Date(timeIntervalSince1970: $0) },
                notBefore: record.notBefore.map { Date(timeIntervalSince1970: $0) },
                notAfter: record.notAfter.map { Date(timeIntervalSince1970: $0) },
                isProtectedFromDeletion: record.isProtected == true,
                mayBeBackedUp: record.mayBeBackedUp == true)
        }
    }
}

/// What all keys of a service share: partition and Region of their ARNs, and policies.
final class ServiceScope: Sendable {
    let partition: String
    let region: String
    let policies = CompiledPolicies()
    /// How the ARNs of its keys begin.
    private let arnPrefix: String

    init(partition: String, region: String) {
        (self.partition, self.region) = (partition, region)
        arnPrefix = "arn:\(partition):kms:\(region):"
    }

    /// Whether an ARN is of this service's partition and Region.
    func isOwn(_ arn: String) -> Bool { arn.hasPrefix(arnPrefix) }

    func keyARN(id: String, account: String) -> ARN {
        ARN(partition: partition, service: "kms", region: region, account: account, resource: "key/\(id)")
    }

    func aliasARN(_ alias: AliasName) -> ARN {
        ARN(partition: partition, service: "kms", region: region, account: alias.account, resource: alias.name)
    }
}
