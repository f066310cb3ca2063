public import AWSSignature
internal import Auditing
public import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// Makes a key store of the account on a cluster of HSMs that the service was given. It is not connected yet.
    ///
    /// - Parameters:
    ///   - name: 1 to 256 characters, of no other key store of the account.
    ///   - cluster: the name that the service was given for it. A cluster has one key store, of an account that may have one there.
    ///   - password: of the cluster's user for the key service, 7 to 32 characters.
    ///   - trustAnchor: the cluster's certificate.
    /// - Returns: its identifier.
    /// - Throws: `clusterNotFound`, `clusterInUse`, `incorrectTrustAnchor`, `clusterNotActive`, `invalidClusterConfiguration`,
    ///   `keyStoreNameInUse`, `limitExceeded` above ten.
    public func createKeyStore(
        _ name: String, cluster: String, password: borrowing SecretBytes, trustAnchor: String
    ) async throws(KeyManagementError) -> String {
        let connections = service.connections
        let password = KeyStoreSecret(password.copy())
        let parameters: [(String, AuditEvent.Value)] = [
            ("customKeyStoreType", .text("AWS_CLOUDHSM")), ("cloudHsmClusterId", .text(cluster)),
        ]
        let admitted = admitted("CreateCustomKeyStore")
        let condition = await admitted?.state(ofCluster: cluster)
        return try await (admitted ?? self).makeKeyStore(name, parameters) { record, state in
            try password.checkLength()
            guard let known = connections.clusters[cluster], known.accounts.contains(record.account) else {
                throw KeyManagementError(.clusterNotFound)
            }
            guard KeyStoreRecord.isSame(known.trustAnchor, trustAnchor) else {
                throw KeyManagementError(.incorrectTrustAnchor)
            }
            try condition.check()
            try KeyStoreRecord.refuse(cluster: cluster, in: state)
            record.cluster = KeyStoreRecord.Cluster(id: cluster, trustAnchor: trustAnchor)
            try record.seal(password.bytes, with: connections.cipher)
        }
    }

    /// Makes a key store of the account whose keys are with a key manager elsewhere, behind a proxy, which is asked first unless it is
    /// reached by an endpoint service. It is not connected yet.
    ///
    /// - Parameters:
    ///   - name: 1 to 256 characters, of no other key store of the account.
    ///   - proxy: where it is.
    ///   - credential: what its requests are signed with: an identifier of 20 to 30 characters, A to Z and 2 to 7, and a secret of 43
    ///     to 64.
    /// - Returns: its identifier.
    /// - Throws: `proxyInUse`, `proxyEndpointInUse`, `endpointServiceInUse`, `endpointServiceNotFound`, `invalidEndpointService`,
    ///   `keyStoreNameInUse`, `unreachableProxy`, `incorrectProxyCredential`, `invalidProxyResponse`,
    ///   `invalidProxyConfiguration`, `limitExceeded` above ten; `unsupportedOperation` for a service without a transport.
    public func createKeyStore(
        _ name: String, proxy: XKSProxyAddress, credential: consuming AccessKey
    ) async throws(KeyManagementError) -> String {
        let (connections, id) = (service.connections, credential.id)
        let secret = KeyStoreSecret(credential.secret.copy())
        let parameters =
            [("customKeyStoreType", .text("EXTERNAL_KEY_STORE"))] + KeyManagementClient.parameters(proxy, id)
        let admitted = admitted("CreateCustomKeyStore")
        if let admitted { try await admitted.checkProxy("CreateCustomKeyStore", proxy, credential, parameters) }
        return try await (admitted ?? self).makeKeyStore(name, parameters) { record, state in
            guard admitted != nil else { throw KeyManagementError.policiesAreChanging }
            try KeyStoreRecord.refuse(proxy, of: record.account, in: state)
            record.proxy = KeyStoreRecord.Proxy(proxy.owned(by: record.account), accessKeyID: id)
            try record.seal(secret.bytes, with: connections.cipher)
        }
    }

    /// The account's key stores, by name.
    public func keyStores() async throws(KeyManagementError) -> [KeyStoreDescription] {
        try await service.perform("DescribeCustomKeyStores", as: caller) { log in
            try service.authorize("DescribeCustomKeyStores", resource: "*", inAccount: principal.account, log)
            return try service.refreshedState().keyStores.values.map(\.record)
                .filter { $0.account == principal.account }
                .compactMap { record in
                    record.backing.map { backing in
                        KeyStoreDescription(
                            id: record.id, name: record.name, backing: backing,
                            creationDate: Date(timeIntervalSince1970: record.created), connection: record.connection)
                    }
                }
                .sorted { $0.name < $1.name }
        }
    }

    /// Connects a key store, so that its keys can be used and made. Where that fails, the description says why.
    ///
    /// - Returns: whether it is connected now. One that was connected stays so.
    /// - Throws: `keyStoreNotFound`; `keyStoreInvalidState` for one that has failed: disconnect it first, as with AWS;
    ///   `clusterNotActive`, `invalidClusterConfiguration`; `conflict` where it was changed meanwhile.
    @discardableResult
    public func connectKeyStore(_ id: String) async throws(KeyManagementError) -> KeyStoreConnection {
        let (service, isDryRun) = (service, caller.isDryRun)
        // Whoever may not connect it has nothing connected.
        var tried: (version: UInt64, condition: KeyStoreCluster.State?, failure: KeyStoreConnectionError?)?
        let admitted = isDryRun ? nil : admitted("ConnectCustomKeyStore")
        if admitted != nil,
            let store = try service.refreshedState().keyStores["\(principal.account)/\(id)"],
            store.record.connection == .disconnected
        {
            let metadata = service.requestMetadata("ConnectCustomKeyStore", nil)
            let condition = await state(ofCluster: store.record.cluster?.id)
            let failure = condition == .active ? await service.connections.probe(store.record, metadata) : nil
            tried = (store.version, condition, failure)
        }
        let outcome = tried
        return try await (admitted ?? self).changeKeyStore("ConnectCustomKeyStore", id) { record, version, _ in
            switch record.connection {
            case .connected: return .connected
            case .failed: throw KeyManagementError(.keyStoreInvalidState, "Disconnect the key store first.")
            case .disconnected: break
            }
            // What was tried must be what is there.
            guard isDryRun || outcome?.version == version else {
                throw KeyManagementError(.conflict, "The key store was changed meanwhile.")
            }
            try outcome?.condition.check()
            record.failure = outcome?.failure
            record.isConnected = record.failure == nil
            record.connections = (record.connections ?? 0) + 1
            return record.connection
        }
    }

    /// Ends the use of a key store's keys, until it is connected again.
    public func disconnectKeyStore(_ id: String) async throws(KeyManagementError) {
        let connections = service.connections
        try await changeKeyStore("DisconnectCustomKeyStore", id) { record, _, _ in
            guard record.connection != .disconnected else { throw KeyManagementError(.keyStoreInvalidState) }
            (record.isConnected, record.failure) = (false, nil)
            connections.close(record)
        }
    }

    /// Takes a key store away that is not connected and has no keys. The cluster, or the key manager, keeps what it has.
    ///
    /// - Throws: `keyStoreHasKeys`, those too that wait for their deletion, or whose material the custodian still has; `keyStoreInvalidState` for one that is not disconnected.
    public func deleteKeyStore(_ id: String) async throws(KeyManagementError) {
        let (service, account) = (service, principal.account)
        try await service.change("DeleteCustomKeyStore", as: caller) { log, state in
            log.parameters = [("customKeyStoreId", .text(id))]
            let store = try keyStore(id, state, log)
            guard store.record.connection == .disconnected else { throw KeyManagementError(.keyStoreInvalidState) }
            guard !state.keys.values.contains(where: { $0.record.account == account && $0.record.keyStore == id })
            else { throw KeyManagementError(.keyStoreHasKeys) }
            guard !state.remains.values.contains(where: { $0.record.account == account && $0.record.keyStore == id })
            else { throw KeyManagementError(.keyStoreHasKeys, "What deleted keys have left is not destroyed yet.") }
            service.connections.close(store.record)
            return ([.delete(try store.record.recordName, expecting: .version(store.version))], ())
        }
    }

    /// The key store of an identifier, where the principal may do this to it.
    private func keyStore(
        _ id: String, _ state: ServiceState, _ log: OperationLog
    ) throws(KeyManagementError) -> StoredKeyStore {
        try service.authorize(log.name, resource: "*", inAccount: principal.account, log)
        guard let store = state.keyStores["\(principal.account)/\(id)"] else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(id).")
        }
        return store
    }

    /// Changes a key store's record, whose version is given too.
    func changeKeyStore<R: Sendable>(
        _ operation: String, _ id: String, parameters: [(String, AuditEvent.Value)] = [],
        _ body: (inout KeyStoreRecord, UInt64, ServiceState) throws -> R
    ) async throws(KeyManagementError) -> R {
        try await service.change(operation, as: caller) { log, state in
            log.parameters = [("customKeyStoreId", .text(id))] + parameters
            let store = try keyStore(id, state, log)
            var record = store.record
            let result = try body(&record, store.version, state)
            let write = RecordWrite.put(
                try record.recordName, try StoredJSON.encode(record), expecting: .version(store.version))
            return ([write, state.nextKeyStoreTurn], result)
        }
    }

    private func makeKeyStore(
        _ name: String, _ parameters: [(String, AuditEvent.Value)],
        fill: (inout KeyStoreRecord, ServiceState) throws -> Void
    ) async throws(KeyManagementError) -> String {
        let (service, account) = (service, principal.account)
        return try await service.change("CreateCustomKeyStore", as: caller) { log, state in
            log.parameters = [("customKeyStoreName", .text(name))] + parameters
            guard Principal.isAccount(account) else {
                throw KeyManagementError(.validation, "the principal has no account that could own a key store")
            }
            try service.authorize("CreateCustomKeyStore", resource: "*", inAccount: account, log)
            let all = state.keyStores.values.map(\.record).filter { $0.account == account }
            guard all.count < KeyStoreRecord.most else { throw KeyManagementError(.limitExceeded) }
            try KeyStoreRecord.check(name, among: all)
            var record = KeyStoreRecord(
                id: try KeyStoreRecord.makeID(), account: account, name: name,
                created: log.time.timeIntervalSince1970, secret: [])
            try fill(&record, state)
            log.response = [("customKeyStoreId", .text(record.id))]
            let write = RecordWrite.put(try record.recordName, try StoredJSON.encode(record), expecting: .absent)
            return ([write, state.nextKeyStoreTurn], record.id)
        }
    }
}

extension ServiceState {
    /// Takes the next turn in changing key stores, or in restoring keys: nobody else does at the same time.
    var nextKeyStoreTurn: RecordWrite {
        .put(KeyStoreRecord.turn, [], expecting: keyStoreTurn.map { .version($0) } ?? .absent)
    }
}
