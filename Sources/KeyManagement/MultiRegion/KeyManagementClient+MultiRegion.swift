public import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

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
        let conditions = ["kms:replicaregion": [region]]
        // Asked first, since what is made in the other Region stands before this Region's change does.
        let source: ManagedKey
        let peer: KeyManagementService
        do throws(KeyManagementError) {
            peer = try service.peer(region)
            var log = OperationLog(name: "ReplicateKey", caller: caller, time: service.clock.now, isReadOnly: false)
            source = try primary(identifier, try service.refreshedState(), conditions, &log)
        } catch { try await refuse("ReplicateKey", error) }
        if caller.isDryRun { try await refuse("ReplicateKey", .dryRun) }
        let state = try service.refreshedState()
        let made = try await peer.makeReplica(of: source, domains: state.domains, creation, as: caller)
        try await service.change("ReplicateKey", as: caller) { log, state in
            log.parameters = [("keyId", .text(identifier.description)), ("replicaRegion", .text(region))]
            let key = try primary(identifier, state, conditions, &log)
            var record = key.record
            let known = record.multiRegion?.replicas ?? []
            guard made || !known.contains(region) else {
                throw KeyManagementError(.alreadyExists, "The key has a replica in \(region).")
            }
            record.multiRegion?.replicas = Set(known + [region]).sorted()
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(key.version))], ())
        }
        // Replicas that are out of reach are caught up with later.
        try? await service.synchronizeReplicas(of: source.place)
        return peer.scope.keyARN(id: source.record.id, account: source.record.account)
    }

    /// Makes a replica the primary key, and the primary a replica.
    ///
    /// Needs `kms:UpdatePrimaryRegion` on both.
    public func updatePrimaryRegion(
        of identifier: KeyIdentifier, to region: String
    ) async throws(KeyManagementError) {
        let conditions = ["kms:primaryregion": [region]]
        let (service, caller) = (service, caller)
        let place: String
        let configuration: KeyRecord.MultiRegion
        let peer: KeyManagementService
        do throws(KeyManagementError) {
            peer = try service.peer(region)
            var log = OperationLog(
                name: "UpdatePrimaryRegion", caller: caller, time: service.clock.now, isReadOnly: false)
            let key = try primary(identifier, try service.refreshedState(), conditions, &log)
            guard let multiRegion = key.record.multiRegion, multiRegion.replicas.contains(region) else {
                throw KeyManagementError(.unsupportedOperation, "The key has no replica in \(region).")
            }
            (place, configuration) = (key.place, multiRegion)
        } catch { try await refuse("UpdatePrimaryRegion", error) }
        if caller.isDryRun { try await refuse("UpdatePrimaryRegion", .dryRun) }
        // What the primary has, its heir must have.
        try await service.synchronizeReplicas(of: place)
        let next = KeyRecord.MultiRegion(
            primary: region,
            replicas: (configuration.replicas.filter { $0 != region } + [service.scope.region]).sorted(),
            epoch: configuration.epoch + 1)
        for part in [peer, service] {
            try await part.change("UpdatePrimaryRegion", as: caller) { log, state in
                log.parameters = [("keyId", .text(identifier.description)), ("primaryRegion", .text(region))]
                guard let key = state.keys[place] else { throw KeyManagementError(.notFound) }
                log.use(key)
                try part.authorize("UpdatePrimaryRegion", on: key, in: state, log, conditions: conditions)
                guard key.record.multiRegion?.epoch ?? 0 < next.epoch else { return ([], ()) }
                var record = key.record
                record.multiRegion = next
                return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(key.version))], ())
            }
        }
        try? await peer.synchronizeReplicas(of: place)
    }

    /// The primary key that is named, where the principal may replicate it, in a state that allows it.
    private func primary(
        _ identifier: KeyIdentifier, _ state: ServiceState, _ conditions: [String: [String]], _ log: inout OperationLog
    ) throws(KeyManagementError) -> ManagedKey {
        let key = try managed(identifier, state, &log)
        try service.authorize(log.name, on: key, in: state, log, conditions: conditions)
        try checkState(key, log)
        guard key.record.multiRegion != nil, !key.record.isReplica(in: service.scope.region) else {
            throw KeyManagementError(.unsupportedOperation, "\(key.arnText) is no primary key of several Regions.")
        }
        return key
    }
}
