internal import AccessPolicy
public import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementService {
    /// Deletes the keys whose date has come, with their aliases. What they sealed is gone for good.
    ///
    /// Such a key is unusable from its date on, whether or not this has run.
    ///
    /// - Returns: how many.
    /// - Throws: `clockJumped`; nothing is deleted then. What a key store's custodian throws, once everything else is done: what it
    ///   could not destroy is tried again the next time, and is nobody's until then.
    @discardableResult
    public func deleteDueKeys() async throws(KeyManagementError) -> Int {
        let (count, failure) = await deleteKeys()
        if let failure { throw failure }
        return count
    }

    /// Deletes what is due, and tells how much of it went before, and in spite of, the first failure.
    func deleteKeys() async -> (count: Int, failure: KeyManagementError?) {
        var (count, failure): (Int, KeyManagementError?) = (0, nil)
        do throws(KeyManagementError) {
            let now = clock.now
            let state = try refreshedState()
            try checkClock(now, state)
            for key in state.keys.values.filter({ $0.state(at: now) == nil }) {
                do throws(KeyManagementError) {
                    if try await deleteWithReplicas(key, at: now) { count += 1 }
                } catch { failure = failure ?? error }
            }
            try await destroyRemains()
        } catch { failure = failure ?? error }
        return (count, failure)
    }

    private func deleteWithReplicas(_ key: ManagedKey, at now: Date) async throws(KeyManagementError) -> Bool {
        let isReplica = key.record.isReplica(in: scope.region)
        // A primary that moves meanwhile comes first: what this replica knows of it would go with it.
        if isReplica { try await synchronizeReplicas(of: key.place) }
        let isDeleted = try await delete(key, at: now)
        if isReplica, let primary = key.record.multiRegion?.primary {
            try? await peers[primary]?.synchronizeReplicas(of: key.place)
        }
        return isDeleted
    }

    /// - Returns: whether it was there to be deleted: another process may have been faster.
    private func delete(_ key: ManagedKey, at now: Date) async throws(KeyManagementError) -> Bool {
        try await change("DeleteKey", as: .service) { log, state in
            log.use(key)
            guard let current = state.keys[key.place], current.state(at: now) == nil
            else { return ([], false) }
            try checkReplicaDeletion(current.record)
            // A primary is not deleted under its replicas, however it came to have a date.
            if let multiRegion = current.record.multiRegion, !multiRegion.replicas.isEmpty,
                !current.record.isReplica(in: scope.region)
            {
                var record = current.record
                record.deletion = nil
                record.pendingWindow = KeyRecord.shortestWindow
                return (
                    [.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], false
                )
            }
            var writes: [RecordWrite] = [.delete(try current.record.name, expecting: .version(current.version))]
            for (name, alias) in state.aliases
            where name.account == key.record.account && alias.record.target == key.record.id {
                writes.append(.delete(try AliasRecord.name(name), expecting: .version(alias.version)))
            }
            if let remains = KeptRemains(current.record) {
                writes.append(.put(try remains.name, try StoredJSON.encode(remains), expecting: .absent))
            }
            for (grant, version) in (state.grants[key.place] ?? KeyGrants()).byID.values {
                writes.append(.delete(try RecordName(grant.record.recordName), expecting: .version(version)))
            }
            return (writes, true)
        }
    }

    /// Refuses a time that somebody has set: a deletion cannot be undone.
    ///
    /// A clock that was wrong before the store was opened, and is ahead, cannot be told from a right one.
    func checkClock(_ now: Date, _ state: ServiceState) throws(KeyManagementError) {
        try checkDrift(now)
        let newest = state.keys.values.lazy.compactMap { $0.record.materials.last?.created }.max() ?? 0
        guard now.timeIntervalSince1970 > newest - KeyManagementService.clockTolerance else {
            throw KeyManagementError(.clockJumped, "the clock is behind the store's newest key")
        }
    }

    /// Refuses a time that was set since the store was opened: material with a date in the future would keep all
    /// deletions waiting for it.
    func checkDrift(_ now: Date) throws(KeyManagementError) {
        let passed = (clock.uptime - opening.uptime) / .seconds(1)
        let drift = now.timeIntervalSince(opening.time) - passed
        guard abs(drift) < KeyManagementService.clockTolerance else {
            throw KeyManagementError(.clockJumped, "the clock was set by \(Int(drift)) s since the store was opened")
        }
    }

    private static let clockTolerance = 3600.0

    /// Seals the store's key under another root of trust: a change of passphrase. One record is rewritten.
    ///
    /// Copies of the store made earlier still open with the old root.
    public func replaceRootOfTrust(
        _ old: any RootOfTrust, with new: any RootOfTrust
    ) async throws(KeyManagementError) {
        for _ in 0..<10 {
            let root = try refreshedState().root
            let resealed: RootRecord
            do {
                resealed = try await root.record.resealed(from: old, for: new)
            } catch {
                throw KeyManagementError(wrapping: error)
            }
            try algorithms.check(resealed.root.kind)
            if try await replaceRoot(resealed, after: root.version, "ReplaceRootOfTrust") { return }
        }
        throw KeyManagementError(.conflict, "the root record changes too fast")
    }

    /// Makes a new domain key, wraps all key material under it, and forgets the old one.
    ///
    /// The old one stays until the last key has moved. A rotation that was cut short goes on when the store is opened.
    /// Other processes must open the store again to use keys that they had not used before.
    public func rotateDomainKey(unlockedBy rootOfTrust: any RootOfTrust) async throws(KeyManagementError) {
        for _ in 0..<10 {
            let state = try refreshedState()
            do {
                let (record, version, key) = try await state.root.record.addingDomain(unlockedBy: rootOfTrust)
                // All domain keys of the record, those too that another process has made since this one opened it.
                let known = try await state.root.record.unlock(with: rootOfTrust).domains
                guard try await replaceRoot(record, after: state.root.version, "RotateDomainKey") else { continue }
                replaceDomains(known.merging([version: key]) { $1 }, active: version)
            } catch {
                throw KeyManagementError(wrapping: error)
            }
            return try await finishDomainRotation()
        }
        throw KeyManagementError(.conflict, "the root record changes too fast")
    }

    /// Moves what is still wrapped under older domain keys, and removes them.
    func finishDomainRotation() async throws(KeyManagementError) {
        while true {
            let state = try refreshedState()
            guard state.root.record.domainVersions.count > 1, let newest = state.root.record.domainVersions.max(),
                newest == state.activeDomain
            else { return }
            let active = state.activeDomain
            let behind = state.keys.values.filter { key in
                !key.record.isKept && key.record.materials.contains { $0.isBehind(active) }
            }
            // One that does not open keeps the old domain key, and no other key from moving.
            var failure: KeyManagementError?
            for key in behind {
                do throws(KeyManagementError) { try await move(key, to: active) } catch { failure = failure ?? error }
            }
            if let failure { throw failure }
            guard behind.isEmpty else { continue }
            // Nobody makes material under an old domain key once a newer one stands in the root record.
            let record = state.root.record.keepingDomain(active)
            if try await replaceRoot(record, after: state.root.version, "RetireDomainKey") {
                retireDomains(before: active)
                return
            }
        }
    }

    private func move(_ key: ManagedKey, to active: UInt32) async throws(KeyManagementError) {
        try await change("RewrapKey", as: .service) { log, state in
            log.use(key)
            // Another process may have rotated once more in the meantime, and moves the keys itself.
            guard let current = state.keys[key.place],
                current.record.materials.contains(where: { $0.isBehind(active) }),
                state.root.record.domainVersions.max() == active, let target = state.domains[active]
            else { return ([], ()) }
            var record = current.record
            for (index, material) in record.materials.enumerated() where material.isBehind(active) {
                let opened = try record.material(index, domains: state.domains)
                let label = record.label(material.identifier, version: index)
                record.materials[index].wrapped = try target.seal(opened, authenticating: label)
                record.materials[index].domain = active
            }
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], ())
        }
    }

    /// Takes away imported material that has expired. It is unusable from that time on, whether or not this has run.
    ///
    /// - Returns: from how many keys.
    /// - Throws: `clockJumped`; nothing is taken away then. What one key throws, once the others are done.
    @discardableResult
    public func deleteExpiredKeyMaterial() async throws(KeyManagementError) -> Int {
        let now = clock.now
        let state = try refreshedState()
        try checkClock(now, state)
        var (count, failure): (Int, KeyManagementError?) = (0, nil)
        for key in state.keys.values
        where key.record.isProtected != true && key.record.materials.contains(where: { $0.isExpired(at: now) }) {
            do throws(KeyManagementError) {
                let isDone = try await change("DeleteExpiredKeyMaterial", as: .service) { log, state in
                    log.use(key)
                    // Another process may have been faster, or the material come back.
                    guard let current = state.keys[key.place], current.record.isProtected != true,
                        current.record.materials.contains(where: { $0.isExpired(at: now) })
                    else { return ([], false) }
                    var record = current.record
                    for index in record.materials.indices.reversed()
                    where record.materials[index].isExpired(at: now) { record.removeMaterial(index) }
                    return (
                        [.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))],
                        true
                    )
                }
                if isDone { count += 1 }
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        return count
    }

    /// Writes the root record; false where it has changed since.
    private func replaceRoot(
        _ record: RootRecord, after version: UInt64, _ operation: String
    ) async throws(KeyManagementError) -> Bool {
        try await change(operation, as: .service) { _, state in
            guard state.root.version == version else { return ([], false) }
            return ([.put(RootRecord.name, try StoredJSON.encode(record), expecting: .version(version))], true)
        }
    }

    /// The events of the trail in the order of time, as lines of JSON in CloudTrail's layout.
    public func auditEvents() async throws(KeyManagementError) -> [String] {
        try await flush()
        return try stated { try AuditTrail.events(in: records.store) }
    }

    /// Where the trail stands, to be kept outside the store.
    public func auditCheckpoint() async throws(KeyManagementError) -> AuditCheckpoint {
        do { return try await trail.checkpoint() } catch { throw KeyManagementError(wrapping: error) }
    }

    /// Reads the whole trail and checks it.
    ///
    /// - Parameters:
    ///   - rootOfTrust: the service does not keep what opens the chains, so it is asked again.
    ///   - checkpoint: from outside the store; shows a rollback of the whole store too.
    public func verifyAuditTrail(
        unlockedBy rootOfTrust: any RootOfTrust, against checkpoint: AuditCheckpoint? = nil
    ) async throws(KeyManagementError) -> AuditVerification {
        try await flush()
        do {
            let secrets = try await refreshedState().root.record.unlock(with: rootOfTrust)
            return try AuditTrail.verify(in: records.store, rootKey: secrets.audit, against: checkpoint)
        } catch {
            throw KeyManagementError(wrapping: error)
        }
    }
}
