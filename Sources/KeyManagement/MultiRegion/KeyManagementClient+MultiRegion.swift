public import AccessPolicy
internal import Auditing
internal import FoundationEssentials
internal import RecordIntegrity

extension KeyManagementClient {
    /// Makes a replica of a multi-Region key in another Region: the same identifier and material, and a policy, tags, aliases and
    /// grants of its own. What one of them has sealed the others open.
    ///
    /// - Parameters:
    ///   - identifier: the primary key's id or ARN.
    ///   - region: of a service that is connected with this one.
    ///   - description: of the replica.
    ///   - tags: of the replica.
    ///   - policy: of the replica; by default its account's own policies decide.
    /// - Returns: the replica's ARN. A key whose material is imported waits for the same material there.
    /// - Throws: `unsupportedOperation` for a key that is no primary of several Regions; `alreadyExists`; `validation` for a
    ///   Region that is not connected; as making a key does.
    @discardableResult
    public func replicateKey(
        _ identifier: KeyIdentifier, to region: String, description: String = "", tags: [String: String] = [:],
        policy: PolicyDocument? = nil, bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> ARN {
        var creation = KeyCreation(alias: nil, description: description, tags: tags, policy: policy)
        creation.bypassesLockoutCheck = bypassingLockoutCheck
        let (service, caller) = (service, caller)
        let peer: KeyManagementService
        do throws(KeyManagementError) { peer = try service.peer(region) } catch {
            try await refuse("ReplicateKey", error)
        }
        // The list comes first: a primary is not deleted while a replica is being made.
        let place = try await service.change("ReplicateKey", as: caller) { log, state in
            log.parameters = [("keyId", .text(identifier.description)), ("replicaRegion", .text(region))]
            let key = try primary(identifier, state, ["kms:replicaregion": [region]], &log)
            try peer.checkReplicaCreation(key.record, creation, caller)
            var record = key.record
            let known = record.multiRegion?.replicas ?? []
            let isThere = try peer.refreshedState().keys[key.place] != nil
            guard !(isThere && known.contains(region)) else {
                throw KeyManagementError(.alreadyExists, "The key has a replica in \(region).")
            }
            record.multiRegion?.replicas = Set(known + [region]).sorted()
            return (
                [.put(try record.name, try StoredJSON.encode(record), expecting: .version(key.version))], key.place
            )
        }
        let state = try service.refreshedState()
        guard let source = state.keys[place] else { throw KeyManagementError(.notFound) }
        let isMade = try await peer.makeReplica(of: source, domains: state.domains, creation, as: caller)
        // Should the list have been put right meanwhile, by one who did not see the replica yet.
        try await peer.synchronizeReplicas(of: place)
        guard isMade else { throw KeyManagementError(.alreadyExists, "The key has a replica in \(region).") }
        return peer.scope.keyARN(id: source.record.id, account: source.record.account)
    }

    /// Makes a replica the primary key, and the primary a replica.
    ///
    /// Needs `kms:UpdatePrimaryRegion` on both. Where it is cut short, `maintain()` finishes it.
    ///
    /// - Throws: `conflict` where the key was changed meanwhile: try again.
    public func updatePrimaryRegion(
        of identifier: KeyIdentifier, to region: String
    ) async throws(KeyManagementError) {
        let peer: KeyManagementService
        do throws(KeyManagementError) { peer = try service.peer(region) } catch {
            try await refuse("UpdatePrimaryRegion", error)
        }
        // What the primary has, its heir must have; whether it may be, is asked below.
        if let key = try? find(identifier, at: service.clock.now).0, !caller.isDryRun {
            try await service.synchronizeReplicas(of: key.place)
        }
        let (place, next) = try await resign(identifier, for: peer)
        try await peer.adopt(next, place, as: "UpdatePrimaryRegion")
        // The other replicas learn it now, or later.
        try? await peer.synchronizeReplicas(of: place)
    }

    /// The first half: the primary steps back for its heir. From then on nobody is primary until the heir knows, so that there are
    /// never two.
    func resign(
        _ identifier: KeyIdentifier, for peer: KeyManagementService
    ) async throws(KeyManagementError) -> (place: String, next: KeyRecord.MultiRegion) {
        let (service, caller, region) = (service, caller, peer.scope.region)
        let conditions = ["kms:primaryregion": [region]]
        return try await service.change("UpdatePrimaryRegion", as: caller) { log, state in
            log.parameters = [("keyId", .text(identifier.description)), ("primaryRegion", .text(region))]
            let key = try primary(identifier, state, conditions, &log)
            guard let now = key.record.multiRegion, now.replicas.contains(region),
                let heir = try peer.refreshedState().keys[key.place]
            else { throw KeyManagementError(.unsupportedOperation, "The key has no replica in \(region).") }
            try peer.checkHeir(heir, caller, conditions, log)
            guard heir.record.multiRegion == now, heir.record.synchronized == key.version else {
                throw KeyManagementError(.conflict, "The replica in \(region) is behind.")
            }
            var record = key.record
            let next = KeyRecord.MultiRegion(
                primary: region, replicas: (now.replicas.filter { $0 != region } + [service.scope.region]).sorted(),
                epoch: now.epoch + 1)
            record.multiRegion = next
            record.synchronized = nil
            return (
                [.put(try record.name, try StoredJSON.encode(record), expecting: .version(key.version))],
                (key.place, next)
            )
        }
    }

    /// The primary key that is named, where the principal may do this, in a state that allows it.
    private func primary(
        _ identifier: KeyIdentifier, _ state: ServiceState, _ conditions: [String: [String]], _ log: inout OperationLog
    ) throws(KeyManagementError) -> ManagedKey {
        let key = try managed(identifier, state, &log)
        try service.authorize(log.name, on: key, in: state, log, conditions: conditions)
        // Imported material may be missing: it is not what is replicated.
        if key.state(at: log.time) != .pendingImport { try checkState(key, log) }
        guard key.record.multiRegion != nil, !key.record.isReplica(in: service.scope.region) else {
            throw KeyManagementError(.unsupportedOperation, "\(key.arnText) is no primary key of several Regions.")
        }
        return key
    }
}
