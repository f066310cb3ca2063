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
    ///   - cluster: the name that the service was given for it. A cluster has one key store.
    ///   - password: of the cluster's user for the key service, 7 to 32 characters.
    ///   - trustAnchor: the cluster's certificate.
    /// - Returns: its identifier.
    /// - Throws: `clusterNotFound`, `clusterInUse`, `incorrectTrustAnchor`, `keyStoreNameInUse`, `limitExceeded` above ten.
    public func createKeyStore(
        _ name: String, cluster: String, password: borrowing SecretBytes, trustAnchor: String
    ) async throws(KeyManagementError) -> String {
        let connections = service.connections
        let password = password.copy()
        return try await makeKeyStore(name) { record, log, state in
            log.parameters += [("customKeyStoreType", .text("AWS_CLOUDHSM")), ("clusterId", .text(cluster))]
            guard (7...32).contains(password.count) else {
                throw KeyManagementError(.validation, "a password has 7 to 32 characters")
            }
            guard let known = connections.clusters[cluster] else { throw KeyManagementError(.clusterNotFound) }
            guard KeyStoreRecord.isSame(known.trustAnchor, trustAnchor) else {
                throw KeyManagementError(.incorrectTrustAnchor)
            }
            guard !state.keyStores.values.contains(where: { $0.record.cluster?.id == cluster }) else {
                throw KeyManagementError(.clusterInUse)
            }
            record.cluster = KeyStoreRecord.Cluster(id: cluster, trustAnchor: trustAnchor)
            try record.seal(password, with: connections.cipher)
        }
    }

    /// Makes a key store of the account whose keys are with a key manager elsewhere, behind a proxy, which is asked first. It is
    /// not connected yet.
    ///
    /// - Parameters:
    ///   - name: 1 to 256 characters, of no other key store of the account.
    ///   - proxy: where it is.
    ///   - credential: what its requests are signed with: an identifier of 20 to 30 characters, A to Z and 2 to 7, and a secret of 43
    ///     to 64.
    /// - Returns: its identifier.
    /// - Throws: `proxyInUse`, `keyStoreNameInUse`, `unreachableProxy`, `incorrectProxyCredential`, `invalidProxyResponse`,
    ///   `invalidProxyConfiguration`, `limitExceeded` above ten; `unsupportedOperation` for a service without a transport.
    public func createKeyStore(
        _ name: String, proxy: XKSProxyAddress, credential: consuming AccessKey
    ) async throws(KeyManagementError) -> String {
        let (connections, id) = (service.connections, credential.id)
        let secret = credential.secret.copy()
        try await checkProxy("CreateCustomKeyStore", proxy, credential)
        return try await makeKeyStore(name) { record, log, state in
            log.parameters += [("customKeyStoreType", .text("EXTERNAL_KEY_STORE"))]
            try KeyStoreRecord.refuse(proxy, in: state)
            record.proxy = KeyStoreRecord.Proxy(endpoint: proxy.endpoint, path: proxy.path, accessKeyID: id)
            try record.seal(secret, with: connections.cipher)
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

    /// Connects a key store, so that its keys can be used and made. Where that fails, the description says why; it can be tried again.
    ///
    /// - Returns: whether it is connected now.
    /// - Throws: `keyStoreNotFound`; `keyStoreInvalidState` for one that is connected.
    @discardableResult
    public func connectKeyStore(_ id: String) async throws(KeyManagementError) -> KeyStoreConnection {
        let service = service
        let place = "\(principal.account)/\(id)"
        // Whoever may not connect it has nothing connected.
        var failure: KeyStoreConnectionError?
        if mayDo("ConnectCustomKeyStore"), !caller.isDryRun, let store = try service.refreshedState().keyStores[place],
            !store.record.isConnected
        {
            failure = await service.connections.probe(
                store, service.requestMetadata("ConnectCustomKeyStore", nil))
        }
        let outcome = failure
        try await changeKeyStore("ConnectCustomKeyStore", id) { record, _ in
            guard !record.isConnected else { throw KeyManagementError(.keyStoreInvalidState) }
            record.isConnected = outcome == nil
            record.failure = outcome
        }
        return outcome.map { .failed($0) } ?? .connected
    }

    /// Ends the use of a key store's keys, until it is connected again.
    public func disconnectKeyStore(_ id: String) async throws(KeyManagementError) {
        let connections = service.connections
        try await changeKeyStore("DisconnectCustomKeyStore", id) { record, _ in
            guard record.connection != .disconnected else { throw KeyManagementError(.keyStoreInvalidState) }
            (record.isConnected, record.failure) = (false, nil)
            connections.close(record)
        }
    }

    /// Takes a key store away that is not connected and has no keys. The cluster, or the key manager, keeps what it has.
    ///
    /// - Throws: `keyStoreHasKeys`, those too that wait for their deletion; `keyStoreInvalidState` for one that is connected.
    public func deleteKeyStore(_ id: String) async throws(KeyManagementError) {
        let (service, account) = (service, principal.account)
        try await service.change("DeleteCustomKeyStore", as: caller) { log, state in
            log.parameters = [("customKeyStoreId", .text(id))]
            let store = try keyStore(id, state, log)
            guard !store.record.isConnected else { throw KeyManagementError(.keyStoreInvalidState) }
            guard !state.keys.values.contains(where: { $0.record.account == account && $0.record.keyStore == id })
            else {
                throw KeyManagementError(.keyStoreHasKeys)
            }
            service.connections.close(store.record)
            return ([.delete(try store.record.recordName, expecting: .version(store.version))], ())
        }
    }

    /// The key store of an identifier, where the principal may do this to it.
    func keyStore(
        _ id: String, _ state: ServiceState, _ log: OperationLog
    ) throws(KeyManagementError) -> StoredKeyStore {
        try service.authorize(log.name, resource: "*", inAccount: principal.account, log)
        guard let store = state.keyStores["\(principal.account)/\(id)"] else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(id).")
        }
        return store
    }

    func changeKeyStore(
        _ operation: String, _ id: String, parameters: [(String, AuditEvent.Value)] = [],
        _ body: @Sendable (inout KeyStoreRecord, ServiceState) throws -> Void
    ) async throws(KeyManagementError) {
        try await service.change(operation, as: caller) { log, state in
            log.parameters = [("customKeyStoreId", .text(id))] + parameters
            let store = try keyStore(id, state, log)
            var record = store.record
            try body(&record, state)
            return (
                [.put(try record.recordName, try StoredJSON.encode(record), expecting: .version(store.version))], ()
            )
        }
    }

    /// Whether policies let the principal do this: asked before somebody else is bothered, and again in the operation itself.
    func mayDo(_ operation: String) -> Bool {
        let log = OperationLog(name: operation, caller: caller, time: service.clock.now, isReadOnly: false)
        do {
            try service.check(caller, at: log.time)
            try service.authorize(operation, resource: "*", inAccount: principal.account, log)
        } catch { return false }
        return true
    }

    /// Asks a proxy whether it works with a credential. Refusals are recorded.
    func checkProxy(
        _ operation: String, _ proxy: XKSProxyAddress, _ credential: consuming AccessKey
    ) async throws(KeyManagementError) {
        guard mayDo(operation), !caller.isDryRun else { return }
        let isWellFormed =
            (20...30).contains(credential.id.utf8.count) && (43...64).contains(credential.secret.count)
            && credential.id.unicodeScalars.allSatisfy { ("A"..."Z").contains($0) || ("2"..."7").contains($0) }
        guard isWellFormed else {
            try await refuse(
                operation, KeyManagementError(.validation, "a credential is 20 to 30 and 43 to 64 characters"))
        }
        let client: XKSClient
        do throws(KeyManagementError) { client = try service.connections.client(proxy, credential) } catch {
            try await refuse(operation, error)
        }
        do throws(XKSFailure) {
            try await client.checkHealth(service.requestMetadata(operation, nil))
        } catch { try await refuse(operation, error.whileConfiguring) }
    }

    private func makeKeyStore(
        _ name: String,
        fill: (inout KeyStoreRecord, inout OperationLog, ServiceState) throws -> Void
    ) async throws(KeyManagementError) -> String {
        let (service, account) = (service, principal.account)
        return try await service.change("CreateCustomKeyStore", as: caller) { log, state in
            log.parameters = [("customKeyStoreName", .text(name))]
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
            try fill(&record, &log, state)
            log.response = [("customKeyStoreId", .text(record.id))]
            return ([.put(try record.recordName, try StoredJSON.encode(record), expecting: .absent)], record.id)
        }
    }
}

extension KeyStoreRecord {
    /// How many an account has at most.
    static let most = 10

    static func check(_ name: String, among all: [KeyStoreRecord]) throws(KeyManagementError) {
        guard (1...256).contains(name.unicodeScalars.count) else {
            throw KeyManagementError(.validation, "a key store's name has 1 to 256 characters")
        }
        guard !all.contains(where: { $0.name == name }) else { throw KeyManagementError(.keyStoreNameInUse) }
    }

    static func refuse(
        _ proxy: XKSProxyAddress, in state: ServiceState, except id: String? = nil
    ) throws(KeyManagementError) {
        let isTaken = state.keyStores.values.contains {
            $0.record.id != id && $0.record.proxy?.endpoint == proxy.endpoint && $0.record.proxy?.path == proxy.path
        }
        guard !isTaken else { throw KeyManagementError(.proxyInUse) }
    }

    /// Whether two texts of a certificate are one.
    static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.filter { $0 > 0x20 } == right.utf8.filter { $0 > 0x20 }
    }
}

extension KeyStoreConnections {
    /// Tries a key store. Nil where it works.
    fileprivate func probe(
        _ store: StoredKeyStore, _ metadata: XKS.RequestMetadata
    ) async -> KeyStoreConnectionError? {
        guard store.record.proxy != nil else {
            do throws(KeyStoreConnectionError) { _ = try await custodian(store) } catch { return error }
            return nil
        }
        guard let client = try? proxy(store.record) else { return .internalError }
        do throws(XKSFailure) { try await client.checkHealth(metadata) } catch { return error.connectionError }
        return nil
    }
}
