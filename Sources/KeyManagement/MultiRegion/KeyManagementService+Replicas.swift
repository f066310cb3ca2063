internal import AccessPolicy
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementService {
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
                ("multiRegion", .flag(true)),
            ]
            try Tags.check(description: creation.description)
            try Tags.check(creation.tags)
            try authorizeCreation(
                creation, specification: origin.specification, usage: origin.usage, multiRegionKeyType: "REPLICA", log)
            guard state.keys[source.place] == nil else { return ([], false) }
            try checkDrift(log.time)
            var record = KeyRecord(
                id: origin.id, account: origin.account, created: log.time.timeIntervalSince1970,
                description: creation.description, usage: origin.usage, specification: origin.specification,
                policy: try (creation.policy ?? .delegating(toAccount: origin.account, partition: scope.partition))
                    .text,
                tags: creation.tags.isEmpty ? nil : creation.tags, materials: [])
            record.origin = origin.origin
            record.multiRegion = origin.multiRegion
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

    /// Gives a primary key's replicas what it has: material, its rotation, and who is primary. A replica that was deleted is
    /// forgotten; the primary's own deletion begins with the last of them.
    func synchronizeReplicas(of place: String) async throws(KeyManagementError) {
        let state = try refreshedState()
        guard let key = state.keys[place], let multiRegion = key.record.multiRegion else { return }
        guard !key.record.isReplica(in: scope.region) else { return try await join(key, multiRegion) }
        var gone: [String] = []
        for region in multiRegion.replicas {
            // One that is not connected now is caught up with later.
            guard let peer = peers[region] else { continue }
            if let theirs = try peer.refreshedState().keys[place] {
                if let later = theirs.record.multiRegion, later.epoch > multiRegion.epoch {
                    return try await adopt(later, place)
                }
                try await peer.take(key, domains: state.domains)
            } else {
                gone.append(region)
            }
        }
        guard !gone.isEmpty else { return }
        try await change("SynchronizeMultiRegionKey", as: .service) { log, state in
            guard let current = state.keys[place], current.record.multiRegion?.epoch == multiRegion.epoch else {
                return ([], ())
            }
            log.use(current)
            var record = current.record
            record.multiRegion?.replicas.removeAll { gone.contains($0) }
            if let days = record.pendingWindow, record.multiRegion?.replicas.isEmpty == true {
                record.pendingWindow = nil
                record.deletion = (log.time.timeIntervalSince1970 + Double(days) * 86400).rounded()
            }
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], ())
        }
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

    /// Has the primary know of this replica, should it have been cut short in making it.
    private func join(_ key: ManagedKey, _ multiRegion: KeyRecord.MultiRegion) async throws(KeyManagementError) {
        let region = scope.region
        guard let primary = peers[multiRegion.primary] else { return }
        try await primary.change("SynchronizeMultiRegionKey", as: .service) { log, state in
            guard let theirs = state.keys[key.place], let list = theirs.record.multiRegion,
                list.primary == primary.scope.region, !list.replicas.contains(region)
            else { return ([], ()) }
            log.use(theirs)
            var record = theirs.record
            record.multiRegion?.replicas = (list.replicas + [region]).sorted()
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(theirs.version))], ())
        }
    }

    private func adopt(_ multiRegion: KeyRecord.MultiRegion, _ place: String) async throws(KeyManagementError) {
        try await change("SynchronizeMultiRegionKey", as: .service) { log, state in
            guard let current = state.keys[place], current.record.multiRegion?.epoch ?? 0 < multiRegion.epoch else {
                return ([], ())
            }
            log.use(current)
            var record = current.record
            record.multiRegion = multiRegion
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], ())
        }
    }

    /// Takes over what the primary has.
    private func take(_ primary: ManagedKey, domains: [UInt32: AESGCM]) async throws(KeyManagementError) {
        try await change("SynchronizeMultiRegionKey", as: .service) { log, state in
            guard let current = state.keys[primary.place], current.record.isReplica(in: self.scope.region) else {
                return ([], ())
            }
            log.use(current)
            var record = current.record
            try record.takeMaterial(of: primary.record, opening: domains, state)
            record.multiRegion = primary.record.multiRegion
            let isSame =
                record.multiRegion == current.record.multiRegion
                && record.materials.count == current.record.materials.count
                && record.oldest == current.record.oldest && record.trimmed == current.record.trimmed
                && record.schedule?.next == current.record.schedule?.next
                && record.schedule?.days == current.record.schedule?.days
            guard !isSame else { return ([], ()) }
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], ())
        }
    }
}

extension KeyRecord {
    /// Takes over a relative's material, wrapped under this Region's domain key. Imported material comes from its owner alone.
    fileprivate mutating func takeMaterial(
        of other: KeyRecord, opening domains: [UInt32: AESGCM], _ state: ServiceState
    ) throws {
        schedule = other.schedule
        guard origin == nil else { return }
        let domain = try state.wrappingDomain
        for index in materials.count..<max(materials.count, other.materials.count) {
            let theirs = other.materials[index]
            var mine = Material(
                id: theirs.id, created: theirs.created, rotation: theirs.rotation, domain: 0, wrapped: [])
            if !theirs.wrapped.isEmpty {
                let secret = try other.material(index, domains: domains)
                mine.wrapped = try domain.seal(secret, authenticating: label(theirs.id, version: index))
                mine.domain = state.activeDomain
            }
            materials.append(mine)
        }
        oldest = other.oldest
        let (done, due) = (trimmed ?? 0, other.trimmed ?? 0)
        for index in done..<max(done, due) where index < materials.count {
            materials[index].wrapped = []
            materials[index].domain = 0
        }
        trimmed = other.trimmed
    }
}
