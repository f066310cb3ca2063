internal import AccessPolicy
internal import Cryptography
internal import FoundationEssentials
internal import Synchronization

/// A key in memory: its record, and its material as far as it has been used.
final class ManagedKey: Sendable {
    let record: KeyRecord
    /// The stored record's version, for compare and set.
    let version: UInt64
    let arn: ARN
    let arnText: String
    /// Its account and identifier, by which the state finds it.
    let place: String
    let policy: PolicyDocument
    let materials: [MaterialID]
    private let backing: Mutex<[MaterialID: BackingKey]>
    /// The key itself, of a kind that has one material, once it was unwrapped.
    private let single: Mutex<CustodialKey.Use?>

    init(_ record: KeyRecord, version: UInt64, scope: ServiceScope, after older: ManagedKey?) throws {
        var record = record
        self.version = version
        arn = scope.keyARN(id: record.id, account: record.account)
        arnText = arn.description
        place = record.place
        do {
            policy = try scope.policies.policy(record.policy)
        } catch {
            throw KeyManagementError(.tampered, "the policy of \(record.id) cannot be read")
        }
        // Most keys have the same policy: its text is kept once.
        record.policy = policy.text
        self.record = record
        materials = try record.materials.map { material in
            guard let id = Hexadecimal.decode(material.id).flatMap({ MaterialID($0) }) else {
                throw KeyManagementError(.tampered, "a material of \(record.id) has no identifier")
            }
            return id
        }
        // Material that was unwrapped stays, whatever it is wrapped under now, unless it was deleted.
        let there = Set(zip(materials, record.materials).filter { !$1.wrapped.isEmpty }.map(\.0))
        backing = Mutex((older?.backing.withLock { $0 } ?? [:]).filter { there.contains($0.key) })
        let isSame =
            older?.record.isOfSameKind(as: record) == true && older?.materials.first == materials.first
            && materials.first.map(there.contains) == true
        single = Mutex(isSame ? older?.single.withLock { $0 } : nil)
    }

    /// The material that seals. A key in a usable state has one.
    var current: Int { record.current ?? 0 }

    /// Material ready for work, unwrapped on first use.
    func backingKey(_ index: Int, domains: [UInt32: AESGCM]) throws -> BackingKey {
        let id = materials[index]
        if let ready = backing.withLock({ $0[id] }) { return ready }
        let material = try record.material(index, domains: domains)
        return keep(try BackingKey(id: id, material: material))
    }

    /// A key for signing, authentication or agreement, unwrapped on first use.
    func use(domains: [UInt32: AESGCM]) throws -> CustodialKey.Use {
        if let ready = single.withLock({ $0 }) { return ready }
        guard let kind = record.pairKind, !materials.isEmpty else {
            throw KeyManagementError(.tampered, "\(record.id) is of an unknown kind")
        }
        let material = try record.material(0, domains: domains)
        let use =
            record.isPublic
            ? try CustodialKey.Use(publicKey: material.bytes, of: kind) : try CustodialKey.Use(kind, material)
        single.withLock { $0 = use }
        return use
    }

    /// Material ready for work, whose key a custodian keeps.
    func backingKey(_ index: Int, custodian: any KeyCustodian) async throws -> BackingKey {
        let id = materials[index]
        if let ready = backing.withLock({ $0[id] }) { return ready }
        let authenticator = try await custodian.authenticator(KeyHandle(record.materials[index].wrapped))
        return keep(BackingKey(id: id, keptBy: authenticator))
    }

    private func keep(_ key: BackingKey) -> BackingKey {
        let id = key.id
        return backing.withLock { backing in
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
struct ServiceScope: Sendable {
    let partition: String
    let region: String
    let policies = CompiledPolicies()

    func keyARN(id: String, account: String) -> ARN {
        ARN(partition: partition, service: "kms", region: region, account: account, resource: "key/\(id)")
    }

    func aliasARN(_ alias: AliasName) -> ARN {
        ARN(partition: partition, service: "kms", region: region, account: alias.account, resource: alias.name)
    }
}

/// Policies by their texts: most keys have the same.
final class CompiledPolicies: Sendable {
    private let known = Mutex([String: PolicyDocument]())

    func policy(_ text: String) throws(PolicyError) -> PolicyDocument {
        if let known = known.withLock({ $0[text] }), known.text.utf8.elementsEqual(text.utf8) { return known }
        let policy = try PolicyDocument(text)
        known.withLock { known in
            if known.count >= 1000 { known.removeAll() }
            known[text] = policy
        }
        return policy
    }
}
