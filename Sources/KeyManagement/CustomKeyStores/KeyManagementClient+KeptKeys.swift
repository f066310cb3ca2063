public import AccessPolicy
internal import Auditing
internal import Cryptography
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// Makes a key in a key store.
    ///
    /// In one with a custodian, such as an HSM's partition, the custodian makes and keeps the material, a key for HMAC-SHA-256 that
    /// derives each message's key; the service has a handle of it. Where the process dies at the wrong moment, the custodian keeps a
    /// key that nobody uses. In an external key store the material is the service's own, and what it seals is encrypted once more
    /// by the external key. Neither is rotated by the service.
    ///
    /// - Parameters:
    ///   - specification: symmetric: others stay with the service.
    ///   - keyStore: the name that the service was given for a custodian, or the identifier of a key store of the account's.
    ///   - externalKey: the name of a key of an external key store, for AES-256; one that no other key of the key store has.
    ///   - alias: a name for it, made in the same commit.
    ///   - description: up to 8192 characters.
    ///   - tags: what its owner writes on it.
    ///   - policy: who may use it. By default the account's own policies decide.
    /// - Throws: as without a key store; `keyStoreNotFound`, `keyStoreInvalidState`; `keyStoreFailure` where the custodian makes none;
    ///   `externalKeyNotFound`, `externalKeyInUse`, `invalidExternalKey`.
    public func createKey(
        _ specification: KeySpecification<Encryption>, in keyStore: String, externalKey: String? = nil,
        alias: String? = nil, description: String = "", tags: [String: String] = [:], policy: PolicyDocument? = nil,
        bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> Key<Encryption> {
        let creation = KeyCreation(
            alias: alias, description: description, tags: tags, policy: policy,
            origin: externalKey == nil ? "AWS_CLOUDHSM" : "EXTERNAL_KEY_STORE",
            bypassesLockoutCheck: bypassingLockoutCheck)
        // Whoever may not make a key bothers nobody else with it; the refusal itself comes below, and is recorded.
        let admitted = admitted(creation, specification)
        let (mayCreate, client) = (admitted != nil, admitted ?? self)
        let isDone = mayCreate && !caller.isDryRun
        var parameters: [(String, AuditEvent.Value)] = [
            ("origin", .text(creation.origin)), ("customKeyStoreId", .text(keyStore)),
        ]
        if let externalKey { parameters.append(("xksKeyId", .text(externalKey))) }
        var handle: (key: KeyHandle, custodian: any KeyCustodian, connection: Int?)?
        do throws(KeyManagementError) {
            if isDone, let externalKey {
                try await service.checkExternalKey(externalKey, in: keyStore, caller)
            } else if isDone {
                handle = try await service.makeMaterial(in: keyStore, of: principal.account)
            }
        } catch {
            // Recorded as every refusal is.
            return try await service.perform("CreateKey", as: client.caller) { log in
                log.isReadOnly = false
                log.parameters = parameters
                throw error
            }
        }
        let (made, connection, account, noted) = (
            handle?.key, handle?.connection, principal.account, parameters
        )
        do {
            return try await client.createKey(specification, creation) { record, log, state in
                log.parameters += noted
                // Where the answers differ, something has changed between them.
                guard mayCreate else {
                    if let alias = creation.alias {
                        _ = try client.newAlias(AliasName(account: account, name: alias), "", 0, state)
                    }
                    throw KeyManagementError(.accessDenied, "policies are being changed")
                }
                record.keyStore = keyStore
                if let externalKey {
                    let isTaken = state.keys.values.contains {
                        $0.record.account == account && $0.record.keyStore == keyStore
                            && $0.record.externalKey == externalKey
                    }
                    guard !isTaken else { throw KeyManagementError(.externalKeyInUse) }
                    record.externalKey = externalKey
                    let domain = try state.wrappingDomain
                    record.materials = [
                        try record.newMaterial(at: log.time, domain: state.activeDomain, under: domain)
                    ]
                } else {
                    record.materials = [try KeyRecord.keptMaterial(made ?? KeyHandle([]), at: log.time)]
                }
                // The cluster may be another one since.
                let current = state.keyStores["\(account)/\(keyStore)"]?.record.connections
                guard externalKey != nil || !isDone || current == connection else {
                    throw KeyManagementError(.keyStoreInvalidState, "The key store was connected anew meanwhile.")
                }
                return try service.writesOfKeyStore(keyStore, account, state)
            }
        } catch {
            // An error may come after the key stands, from a sink for events. Only material that no key has is destroyed.
            if let handle, let state = try? service.refreshedState(),
                !state.keys.values.contains(where: { $0.record.isMade(of: handle.key, in: keyStore) })
            {
                try? await handle.custodian.destroy(handle.key)
            }
            throw error
        }
    }
}

extension KeyRecord {
    fileprivate func isMade(of handle: KeyHandle, in keyStore: String) -> Bool {
        self.keyStore == keyStore && materials.contains { $0.wrapped == handle.bytes }
    }
}

extension KeyManagementClient {
    /// The client for what follows, where the principal may make such a key in its account, and its requests are not too many.
    fileprivate func admitted(
        _ creation: KeyCreation, _ specification: KeySpecification<Encryption>
    ) -> KeyManagementClient? {
        let log = OperationLog(name: "CreateKey", caller: caller, time: service.clock.now, isReadOnly: false)
        let account = principal.account
        do {
            let state = try service.refreshedState()
            try service.check(caller, at: log.time)
            try Tags.check(description: creation.description)
            try Tags.check(creation.tags)
            try service.authorizeCreation(creation, specification, log)
            try service.quotas.checkKeys(of: account, in: state)
            if let alias = creation.alias { _ = try newAlias(AliasName(account: account, name: alias), "", 0, state) }
            try service.limiter.take("CreateKey", account: account, at: service.clock.uptime)
        } catch { return nil }
        return copy { $0.isAdmitted = true }
    }
}

extension KeyManagementService {

    fileprivate func makeMaterial(
        in keyStore: String, of account: String
    ) async throws(KeyManagementError) -> (key: KeyHandle, custodian: any KeyCustodian, connection: Int?) {
        let state = try refreshedState()
        let store = state.keyStores["\(account)/\(keyStore)"]?.record
        guard store?.proxy == nil else {
            throw KeyManagementError(.validation, "A key of an external key store has the name of an external key.")
        }
        let custodian = try await custodian(keyStore, of: account, state)
        do {
            return (try await custodian.makeKey(.authentication(.sha256)), custodian, store?.connections)
        } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
    }

    fileprivate func checkExternalKey(
        _ key: String, in keyStore: String, _ caller: Caller
    ) async throws(KeyManagementError) {
        guard let store = try refreshedState().keyStores["\(caller.principal.account)/\(keyStore)"] else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(keyStore).")
        }
        guard store.record.proxy != nil else {
            throw KeyManagementError(.validation, "The key store \(keyStore) is no external one.")
        }
        guard store.record.isConnected else {
            throw KeyManagementError(.keyStoreInvalidState, "The key store \(keyStore) is not connected.")
        }
        guard (1...128).contains(key.utf8.count), key.hasOnlyLettersDigits(and: "-_."), key != ".", key != ".." else {
            throw KeyManagementError(.validation, "\(key) is no name of an external key")
        }
        let client: XKSClient
        do throws(KeyManagementError) { client = try connections.proxy(store.record) } catch {
            throw error.isOfEndpointService ? KeyManagementError(.keyStoreInvalidState, error.message) : error
        }
        do throws(XKSFailure) {
            try await client.checkKey(key, requestMetadata("CreateKey", caller))
        } catch { throw error.whileCreating }
    }

    /// Writes the key store's record as it is, so that nobody takes it away under a key that is being made.
    fileprivate func writesOfKeyStore(_ keyStore: String, _ account: String, _ state: ServiceState) throws
        -> [RecordWrite]
    {
        guard keyStores[keyStore] == nil else { return [] }
        guard let store = state.keyStores["\(account)/\(keyStore)"], store.record.isConnected else {
            throw KeyManagementError(.keyStoreInvalidState, "The key store \(keyStore) is not connected.")
        }
        let value = try StoredJSON.encode(store.record)
        return [.put(try store.record.recordName, value, expecting: .version(store.version))]
    }
}
