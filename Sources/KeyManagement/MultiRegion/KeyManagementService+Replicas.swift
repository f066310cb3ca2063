internal import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementService {
    /// Refuses a replica that the caller may not make here.
    func checkReplicaCreation(
        _ origin: KeyRecord, _ creation: KeyCreation, _ caller: Caller
    ) throws(KeyManagementError) {
        let log = OperationLog(name: "CreateKey", caller: caller, time: clock.now, isReadOnly: false)
        try check(caller, at: log.time)
        try Tags.check(description: creation.description)
        try Tags.check(creation.tags)
        var creation = creation
        creation.origin = origin.originName
        try authorizeCreation(
            creation, specification: origin.specification, usage: origin.usage, multiRegionKeyType: "REPLICA", log)
    }

    /// Refuses a primary that the caller may not make of a replica here.
    func checkHeir(
        _ key: ManagedKey, _ caller: Caller, _ conditions: [String: [String]], _ log: OperationLog
    ) throws(KeyManagementError) {
        try check(caller, at: log.time)
        try authorize("UpdatePrimaryRegion", on: key, in: try state(), log, conditions: conditions)
        guard [.enabled, .pendingImport].contains(key.state(at: clock.now)) else {
            throw KeyManagementError(
                .invalidState, "\(key.arnText) is \(key.state(at: clock.now)?.rawValue ?? "deleted").")
        }
    }

    /// Makes a replica of another Region's key here.
    ///
    /// - Returns: false where it is here already.
    func makeReplica(
        of source: ManagedKey, domains: [UInt32: AESGCM], _ creation: KeyCreation, as caller: Caller
    ) async throws(KeyManagementError) -> Bool {
        try await change("CreateKey", as: caller) { log, state in
            let origin = source.record
            log.parameters = [
                ("description", .text(creation.description)), ("origin", .text(origin.originName)),
                ("multiRegion", .flag(true)), ("bypassPolicyLockoutSafetyCheck", .flag(creation.bypassesLockoutCheck)),
            ]
            if !creation.tags.isEmpty { log.parameters.append(("tags", .map(creation.tags))) }
            if let policy = creation.policy { log.parameters.append(("policy", .text(policy.text))) }
            try checkReplicaCreation(origin, creation, caller)
            try algorithms.check(origin.specification)
            guard state.keys[source.place] == nil else { return ([], false) }
            try quotas.checkKeys(of: origin.account, in: state)
            try checkDrift(log.time)
            var record = KeyRecord(
                id: origin.id, account: origin.account, created: log.time.timeIntervalSince1970,
                description: creation.description, usage: origin.usage, specification: origin.specification,
                policy: try (creation.policy ?? .delegating(toAccount: origin.account, partition: scope.partition))
                    .text,
                tags: creation.tags.isEmpty ? nil : creation.tags, materials: [])
            record.origin = origin.origin
            record.multiRegion = origin.multiRegion
            record.synchronized = source.version
            if let policy = creation.policy {
                try checkLockout(policy, record, in: state, log, isBypassed: creation.bypassesLockoutCheck)
            }
            try record.takeMaterial(of: origin, opening: domains, state)
            let arn = scope.keyARN(id: record.id, account: record.account).description
            log.resources = [arn]
            log.response = [("keyId", .text(record.id)), ("arn", .text(arn))]
            log.note(try ManagedKey(record, version: 1, scope: scope, after: nil))
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .absent)], true)
        }
    }

    /// Brings a key and its relatives together, from whichever side: a primary gives its replicas what it has, a replica has its
    /// primary know of it. Regions that are not connected are left for later.
    ///
    /// - Throws: what one Region throws, once the others are done.
    func synchronizeReplicas(of place: String) async throws(KeyManagementError) {
        guard let key = try refreshedState().keys[place], let multiRegion = key.record.multiRegion else { return }
        if key.record.isReplica(in: scope.region) { return try await join(place) }
        let domains = try refreshedState().domains
        var (gone, failure): ([String], KeyManagementError?) = ([], nil)
        for region in multiRegion.replicas {
            guard let peer = peers[region] else { continue }
            do throws(KeyManagementError) {
                guard let theirs = try peer.refreshedState().keys[place] else {
                    gone.append(region)
                    continue
                }
                // Should this Region have missed that another is primary now.
                if let later = theirs.record.multiRegion, later.epoch > multiRegion.epoch {
                    return try await adopt(later, place)
                }
                try await peer.take(key, domains: domains)
            } catch { failure = failure ?? error }
        }
        if !gone.isEmpty { try await forget(gone, place, multiRegion.epoch) }
        if let failure { throw failure }
    }

    /// Synchronizes all multi-Region keys of this Region: what was cut short, or not connected then.
    ///
    /// - Throws: what one key throws, once the others are done.
    public func synchronizeRegions() async throws(KeyManagementError) {
        var failure: KeyManagementError?
        for key in try refreshedState().keys.values where key.record.multiRegion != nil {
            do throws(KeyManagementError) { try await synchronizeReplicas(of: key.place) } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Takes replicas off a primary's list that were deleted. Its own deletion begins with the last of them.
    private func forget(_ gone: [String], _ place: String, _ epoch: Int) async throws(KeyManagementError) {
        try await update(place) { record, log, _ in
            guard record.multiRegion?.epoch == epoch else { return }
            // One that was made anew since stays.
            let gone = try gone.filter { try peers[$0].map { try $0.refreshedState().keys[place] == nil } ?? false }
            guard !gone.isEmpty else { return }
            record.multiRegion?.replicas.removeAll { gone.contains($0) }
            if let days = record.pendingWindow, record.multiRegion?.replicas.isEmpty == true {
                record.pendingWindow = nil
                record.deletion = (log.time.timeIntervalSince1970 + Double(days) * 86400).rounded()
            }
        }
    }

    /// Has the primary know of this replica. Each step follows a later epoch, so it comes to an end.
    private func join(_ place: String) async throws(KeyManagementError) {
        let region = scope.region
        while let mine = try refreshedState().keys[place]?.record.multiRegion, mine.primary != region,
            let primary = peers[mine.primary], let theirs = try primary.refreshedState().keys[place]?.record.multiRegion
        {
            if theirs.epoch > mine.epoch {
                try await adopt(theirs, place)
                continue
            }
            // The heir does not know yet that it is primary.
            if theirs.epoch < mine.epoch { try await primary.adopt(mine, place) }
            try await primary.update(place) { record, log, _ in
                guard let list = record.multiRegion, list.primary == primary.scope.region,
                    !list.replicas.contains(region)
                else { return }
                record.multiRegion?.replicas = (list.replicas + [region]).sorted()
                // A date that was set without knowing of this replica waits for it now.
                if let date = record.deletion {
                    record.deletion = nil
                    let days = (date - log.time.timeIntervalSince1970) / 86400
                    record.pendingWindow = max(KeyRecord.shortestWindow, Int(days.rounded(.up)))
                }
            }
            return
        }
    }

    /// Takes over a later arrangement of Regions.
    func adopt(
        _ next: KeyRecord.MultiRegion, _ place: String, as operation: String = "SynchronizeMultiRegionKey"
    ) async throws(KeyManagementError) {
        try await update(place, as: operation) { record, _, _ in
            guard record.multiRegion?.epoch ?? 0 < next.epoch else { return }
            record.multiRegion = next
            record.synchronized = nil
        }
    }

    /// Takes over what the primary has, unless it has that or something later already.
    func take(_ primary: ManagedKey, domains: [UInt32: AESGCM]) async throws(KeyManagementError) {
        let region = scope.region
        try await update(primary.place) { record, _, state in
            guard record.isReplica(in: region), let mine = record.multiRegion, let theirs = primary.record.multiRegion,
                (mine.epoch, record.synchronized ?? 0) < (theirs.epoch, primary.version)
            else { return }
            try record.takeMaterial(of: primary.record, opening: domains, state)
            record.multiRegion = theirs
            record.synchronized = primary.version
        }
    }

    /// Refuses to delete a replica that could be the only one to know of a later primary, or be that primary without knowing it.
    func checkReplicaDeletion(_ record: KeyRecord) throws(KeyManagementError) {
        guard let mine = record.multiRegion, record.isReplica(in: scope.region) else { return }
        guard let primary = peers[mine.primary] else {
            throw KeyManagementError(
                .invalidState, "\(record.id) is deleted when its primary's Region, \(mine.primary), is connected")
        }
        if let theirs = try primary.refreshedState().keys[record.place]?.record.multiRegion, theirs.epoch != mine.epoch
        {
            throw KeyManagementError(.conflict, "the primary of \(record.id) is moving")
        }
    }

    /// A change of the service's own to a key's record, where there is one.
    private func update(
        _ place: String, as operation: String = "SynchronizeMultiRegionKey",
        _ body: (inout KeyRecord, OperationLog, ServiceState) throws -> Void
    ) async throws(KeyManagementError) {
        try await change(operation, as: .service) { log, state in
            guard let current = state.keys[place] else { return ([], ()) }
            log.use(current)
            var record = current.record
            try body(&record, log, state)
            let before = try StoredJSON.encode(current.record)
            let after = try StoredJSON.encode(record)
            guard before != after else { return ([], ()) }
            return ([.put(try record.name, after, expecting: .version(current.version))], ())
        }
    }
}

extension KeyRecord {
    /// Takes over a relative's material, wrapped under this Region's domain key. Imported material comes from its owner alone: its
    /// places are taken over, empty.
    ///
    /// - Throws: `tampered` where the two have grown apart.
    fileprivate mutating func takeMaterial(
        of other: KeyRecord, opening domains: [UInt32: AESGCM], _ state: ServiceState
    ) throws {
        (schedule, notBefore, notAfter) = (other.schedule, other.notBefore, other.notAfter)
        guard zip(materials, other.materials).allSatisfy({ $0.identifier == $1.identifier }),
            materials.count <= other.materials.count
        else {
            throw KeyManagementError(.tampered, "the materials of \(id) differ between Regions")
        }
        let domain = try state.wrappingDomain
        for (index, theirs) in other.materials.enumerated() {
            if index < materials.count {
                materials[index].created = theirs.created
                materials[index].rotation = theirs.rotation
                if let pending = theirs.imported?.isPending { materials[index].imported?.isPending = pending }
                continue
            }
            var mine = Material(
                id: theirs.identifier, created: theirs.created, rotation: theirs.rotation, domain: 0, wrapped: [])
            if let imported = theirs.imported {
                mine.imported = Imported(expires: nil, description: imported.description, isPending: imported.isPending)
            } else if !theirs.wrapped.isEmpty {
                let secret = try other.material(index, domains: domains)
                mine.wrapped = try domain.seal(secret, authenticating: label(theirs.identifier, version: index))
                mine.domain = state.activeDomain
            }
            materials.append(mine)
        }
        oldest = other.oldest
        // What is destroyed stays destroyed.
        let (done, due) = (trimmed ?? 0, max(trimmed ?? 0, other.trimmed ?? 0))
        for index in done..<due {
            materials[index].wrapped = []
            materials[index].domain = 0
        }
        if due > 0 { trimmed = due }
    }
}
