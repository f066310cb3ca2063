public import AccessPolicy
internal import Auditing
internal import Cryptography
internal import RecordIntegrity

extension KeyManagementClient {
    /// Makes a key whose material a custodian makes and keeps, such as an HSM's partition. The service has a handle of it.
    ///
    /// The material is a key for HMAC-SHA-256 that derives each message's key, so ciphertexts look as all others do. Such a
    /// key is not rotated. Where the process dies at the wrong moment, the custodian keeps a key that nobody uses.
    ///
    /// - Parameters:
    ///   - specification: symmetric: others stay with the service.
    ///   - keyStore: the name that the service was given for the custodian.
    ///   - alias: a name for it, made in the same commit.
    ///   - description: up to 8192 characters.
    ///   - tags: what its owner writes on it.
    ///   - policy: who may use it. By default the account's own policies decide.
    /// - Throws: as without a key store; `keyStoreNotFound`; `keyStoreFailure` where the custodian makes none.
    public func createKey(
        _ specification: KeySpecification<Encryption>, in keyStore: String, alias: String? = nil,
        description: String = "", tags: [String: String] = [:], policy: PolicyDocument? = nil,
        bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> Key<Encryption> {
        // Whoever may not make a key makes none in the custodian either; the refusal itself comes below, and is recorded.
        let creation = KeyCreation(
            alias: alias, description: description, tags: tags, policy: policy, origin: "AWS_CLOUDHSM",
            bypassesLockoutCheck: bypassingLockoutCheck)
        let mayCreate = service.mayCreateKey(caller, creation, specification)
        let makesMaterial = mayCreate && !caller.isDryRun
        let parameters: [(String, AuditEvent.Value)] = [
            ("origin", .text(creation.origin)), ("customKeyStoreId", .text(keyStore)),
        ]
        let handle: KeyHandle
        do throws(KeyManagementError) {
            handle = makesMaterial ? try await service.makeMaterial(in: keyStore) : KeyHandle([])
        } catch {
            // Recorded as every refusal is.
            return try await service.perform("CreateKey", as: caller) { log in
                log.isReadOnly = false
                log.parameters = parameters
                throw error
            }
        }
        do {
            return try await createKey(specification, creation) { record, log, _ in
                log.parameters += parameters
                // Where the answers differ, policies have changed between them.
                guard mayCreate else { throw KeyManagementError(.accessDenied, "policies are being changed") }
                record.keyStore = keyStore
                record.materials = [try KeyRecord.keptMaterial(handle, at: log.time)]
            }
        } catch {
            // An error may come after the key stands, from a sink for events. Only material that no key has is destroyed.
            if makesMaterial, let state = try? service.refreshedState(),
                !state.keys.values.contains(where: { $0.record.isMade(of: handle, in: keyStore) })
            {
                try? await service.keyStores[keyStore]?.destroy(handle)
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

extension KeyManagementService {
    /// Whether a principal may make such a key in its account.
    fileprivate func mayCreateKey(
        _ caller: Caller, _ creation: KeyCreation, _ specification: KeySpecification<Encryption>
    ) -> Bool {
        let log = OperationLog(name: "CreateKey", caller: caller, time: clock.now, isReadOnly: false)
        do {
            try Tags.check(description: creation.description)
            try Tags.check(creation.tags)
            try authorizeCreation(creation, specification, log)
        } catch { return false }
        return true
    }

    fileprivate func makeMaterial(in keyStore: String) async throws(KeyManagementError) -> KeyHandle {
        let custodian = try custodian(keyStore)
        do {
            return try await custodian.makeKey(.authentication(.sha256))
        } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
    }

    /// A key's material ready for work.
    func backingKey(of key: ManagedKey, _ index: Int, _ state: ServiceState) async throws -> BackingKey {
        guard let keyStore = key.record.keyStore else { return try key.backingKey(index, domains: state.domains) }
        let custodian = try custodian(keyStore)
        do {
            return try await key.backingKey(index, custodian: custodian)
        } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
    }

    /// Has the custodian destroy what a key is made of that is to be deleted.
    func destroyKeptMaterial(of record: KeyRecord) async throws(KeyManagementError) {
        guard let keyStore = record.keyStore else { return }
        let custodian = try custodian(keyStore)
        for material in record.materials {
            do {
                try await custodian.destroy(KeyHandle(material.wrapped))
            } catch let error as CryptographyError where error.code == .unknownKey {
                // It is gone already.
            } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
        }
    }

    private func custodian(_ keyStore: String) throws(KeyManagementError) -> any KeyCustodian {
        guard let custodian = keyStores[keyStore] else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(keyStore) here.")
        }
        return custodian
    }
}
