public import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials

/// Keys that go from one instance to another, wrapped all the way. Only those go that were made for it.
///
/// ```swift
/// let parameters = try await there.restoreParameters()
/// let backup = try await here.backUp(KeyIdentifier(key), for: parameters.publicKey)
/// let same = try await there.restore(backup, parameters.token, as: Encryption.self)
/// ```
extension KeyManagementClient {
    /// A new key for which another instance wraps a backup, and the token that goes with it, for a day. Needs `kms:GetParametersForRestore`.
    public func restoreParameters() async throws(KeyManagementError) -> RestoreParameters {
        try await service.perform("GetParametersForRestore", as: caller) { log in
            try service.authorize("GetParametersForRestore", resource: "*", inAccount: principal.account, log)
            let state = try service.refreshedState()
            let pair = try RSA.PrivateKey(bits: 3072)
            let validTo = WrappingKeyToken.expiry(from: log.time)
            let token = try RestoreToken(
                pair, account: principal.account, until: validTo, domain: state.activeDomain, state.wrappingDomain)
            let publicKey = pair.subjectPublicKeyInfo
            log.response = [("publicKeyDigest", .text(try KeyBackup.digest(publicKey)))]
            return RestoreParameters(publicKey: publicKey, token: token, validTo: validTo)
        }
    }

    /// Wraps a key with all its material for another instance. Needs `kms:BackUpKey`, and a key that was made with `allowingBackup`.
    ///
    /// Identifier, description, tags, rotation and times of use go with it; aliases, grants and the policy stay here, since they speak of
    /// principals here.
    ///
    /// - Parameter publicKey: of the other instance's ``restoreParameters()``. Whoever has its token can use the key from then on: see that
    ///   it came from there.
    /// - Throws: `unsupportedOperation` for a key that was not made for it; `invalidState` for one that waits for its deletion;
    ///   `validation` for another public key than RSA with 3072 or 4096 bits.
    public func backUp(
        _ identifier: KeyIdentifier, for publicKey: [UInt8]
    ) async throws(KeyManagementError) -> KeyBackup {
        let digest = try KeyBackup.digest(publicKey)
        return try await read(
            "BackUpKey", identifier, parameters: [("publicKeyDigest", .text(digest))]
        ) { key, state, log in
            let record = key.record
            guard record.mayBeBackedUp == true else {
                throw KeyManagementError(.unsupportedOperation, "\(key.arnText) was not made to be backed up.")
            }
            guard !record.isPendingDeletion else {
                throw KeyManagementError(.invalidState, "\(key.arnText) is pending deletion.")
            }
            guard let recipient = try? RSA.PublicKey(subjectPublicKeyInfo: publicKey.span),
                [384, 512].contains(recipient.modulusByteCount)
            else { throw KeyManagementError(.validation, "no RSA key of 3072 or 4096 bits") }
            let backup = try KeyBackup(BackupHead(record), for: recipient) { index in
                let secret = try record.material(index, domains: state.domains)
                // What could not be restored is no backup.
                guard try KeyRecord.materialID(of: secret, key: record.id) == record.materials[index].identifier else {
                    throw KeyManagementError(.unsupportedOperation, "\(key.arnText) has material of an older kind.")
                }
                return secret
            }
            log.response = [("backupDigest", .text(backup.digest))]
            return backup
        }
    }

    /// Brings a key back, or here from another instance: with its identifier, and with all that it sealed. It can be backed up again.
    ///
    /// Needs `kms:RestoreKey` and `kms:CreateKey`, whose conditions hold for it.
    ///
    /// - Parameters:
    ///   - backup: a backup for the token's public key.
    ///   - token: of ``restoreParameters()``, in the same account.
    ///   - purpose: what the key must be for.
    ///   - alias: a name for it.
    ///   - policy: who may use it. By default the account's own policies decide.
    /// - Throws: `invalidCiphertext`, `invalidImportToken`, `expiredImportToken`, `invalidKeyUsage`, `incorrectKeyMaterial`;
    ///   `alreadyExists` where the key or its material is here; otherwise as
    ///   ``createKey(_:alias:description:tags:policy:multiRegion:allowingBackup:bypassingLockoutCheck:)``.
    public func restore<Purpose: KeyPurpose>(
        _ backup: KeyBackup, _ token: RestoreToken, as purpose: Purpose.Type, alias: String? = nil,
        policy: PolicyDocument? = nil, bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> Key<Purpose> {
        let (service, account) = (service, principal.account)
        let parameters: [(String, AuditEvent.Value)] = [("backupDigest", .text(backup.digest))]
        guard let client = admitted("RestoreKey") else {
            // It refuses itself, and that is recorded.
            return try await service.perform("RestoreKey", as: caller) { log in
                (log.isReadOnly, log.parameters) = (false, parameters)
                try service.authorize("RestoreKey", resource: "*", inAccount: account, log)
                throw KeyManagementError.policiesAreChanging
            }
        }
        let (key, head): (RSA.PrivateKey, BackupHead)
        let specification: KeySpecification<Purpose>
        do throws(KeyManagementError) {
            let domains = try service.refreshedState().domains
            key = try token.open(account: account, at: service.clock.now, domains: domains)
            head = try backup.head(with: key)
            guard head.usage == Purpose.usage, let known = KeySpecification<Purpose>(head.specification) else {
                throw KeyManagementError(
                    .invalidKeyUsage, "the backup is of \(head.specification) for \(head.usage)")
            }
            specification = known
        } catch {
            return try await service.perform("RestoreKey", as: client.caller) { log in
                (log.isReadOnly, log.parameters) = (false, parameters)
                throw error
            }
        }
        var creation = KeyCreation(
            alias: alias, description: head.description, tags: head.tags ?? [:], policy: policy)
        creation.bypassesLockoutCheck = bypassingLockoutCheck
        creation.parameters = parameters
        (creation.id, creation.operation) = (head.id, "RestoreKey")
        return try await client.createKey(specification, creation) { record, log, state in
            try service.authorize("RestoreKey", resource: "*", inAccount: account, log)
            try record.restore(backup, with: key, at: log.time, state)
            return [state.nextKeyStoreTurn]
        }
    }
}

extension KeyRecord {
    /// Takes over what a backup has.
    fileprivate mutating func restore(
        _ backup: KeyBackup, with key: RSA.PrivateKey, at time: Date, _ state: ServiceState
    ) throws {
        let now = time.timeIntervalSince1970
        guard state.keys[place] == nil else { throw KeyManagementError(.alreadyExists, "the key is here already") }
        // Of all keys, also of what they open no more.
        let taken = Set(state.keys.values.flatMap { $0.record.materials.map(\.identifier) })
        try backup.open(with: key) { head, secret in
            mayBeBackedUp = true
            (oldest, notBefore, notAfter) = (head.oldest, head.notBefore, head.notAfter)
            schedule = head.rotationPeriod.map { Schedule(days: $0, next: now + Double($0) * 86400) }
            guard isSymmetric || (head.materials.count == 1 && schedule == nil) else {
                throw KeyManagementError(.invalidCiphertext)
            }
            let destroyed = head.materials.prefix { $0.isDestroyed }.count
            trimmed = destroyed == 0 ? nil : destroyed
            for (index, known) in head.materials.enumerated() {
                // A date to come would keep the deletions of all keys waiting.
                let created = min(known.created, now)
                guard let id = MaterialID(text: known.id) else { throw KeyManagementError(.invalidCiphertext) }
                guard !known.isDestroyed else {
                    // It is of nothing, and claims no name.
                    let id = try MaterialID(random: SystemRandom())
                    materials.append(
                        Material(id: id, created: created, rotation: known.rotation, domain: 0, wrapped: []))
                    continue
                }
                guard !taken.contains(id) else {
                    throw KeyManagementError(.alreadyExists, "the key's material is here already")
                }
                let right = try normalized(try secret(index))
                guard try KeyRecord.materialID(of: right, key: head.id) == id else {
                    throw KeyManagementError(.incorrectKeyMaterial, "the material is not what it is called")
                }
                var material = try material(
                    id, right, at: time, domain: state.activeDomain, under: state.wrappingDomain)
                (material.created, material.rotation) = (created, known.rotation)
                materials.append(material)
            }
        }
    }
}
