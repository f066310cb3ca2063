internal import AWSSignature
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import Synchronization

/// What this process has of the key stores of accounts: the clusters that there are, a way to proxies, and open sessions.
final class KeyStoreConnections: Sendable {
    let clusters: [String: KeyStoreCluster]
    let transport: (any XKSTransport)?
    let endpointServices: [String: XKSEndpointService]
    /// Seals the secrets of key stores.
    let cipher: AESGCM
    private let region: String
    private let clock: any WallClock
    private let open = Mutex([String: (record: KeyStoreRecord, custodian: any KeyCustodian)]())

    init(
        _ clusters: [String: KeyStoreCluster], _ transport: (any XKSTransport)?,
        _ endpointServices: [String: XKSEndpointService], _ records: borrowing SecretBytes, region: String,
        _ clock: any WallClock
    ) throws(CryptographyError) {
        let (salt, info): ([UInt8], [UInt8]) = ([], Array("strongroom key store secrets".utf8))
        cipher = try AESGCM(key: HKDF(.sha256).derive(from: records, salt: salt.span, info: info.span, count: 32))
        (self.clusters, self.transport, self.endpointServices) = (clusters, transport, endpointServices)
        (self.region, self.clock) = (region, clock)
    }

    /// A session with a cluster: the one that is open, or a new one.
    ///
    /// - Parameter isNew: whether it must be a new one.
    func custodian(
        _ record: KeyStoreRecord, isNew: Bool = false
    ) async throws(KeyStoreConnectionError) -> any KeyCustodian {
        // Each connection has a session of its own in each process.
        if !isNew, let known = open.withLock({ $0[record.place] }), known.record.connections == record.connections {
            return known.custodian
        }
        guard let cluster = record.cluster.flatMap({ clusters[$0.id] }), cluster.accounts.contains(record.account)
        else { throw .clusterNotFound }
        let custodian: any KeyCustodian
        do {
            custodian = try await cluster.connect(try record.openSecret(with: cipher))
        } catch { throw error as? KeyStoreConnectionError ?? .internalError }
        if !isNew { open.withLock { $0[record.place] = (record, custodian) } }
        return custodian
    }

    /// Forgets a session.
    func close(_ store: KeyStoreRecord) { open.withLock { $0[store.place] = nil } }

    /// A proxy to be asked.
    func proxy(_ record: KeyStoreRecord) throws(KeyManagementError) -> XKSClient {
        guard let proxy = record.proxy else { throw KeyManagementError(.keyStoreNotFound) }
        return try client(
            proxy.address, AccessKey(id: proxy.accessKeyID, secret: record.openSecret(with: cipher)),
            of: record.account)
    }

    func client(
        _ address: XKSProxyAddress, _ credential: consuming AccessKey, of account: String
    ) throws(KeyManagementError) -> XKSClient {
        guard let transport = try endpointService(address, of: account)?.transport ?? transport else {
            throw KeyManagementError(.unsupportedOperation, "The service has no way to external key stores.")
        }
        return XKSClient(address, credential, region: region, transport, clock)
    }

    /// The endpoint service by which a proxy is reached; nil where it is not by one.
    func endpointService(
        _ address: XKSProxyAddress, of account: String
    ) throws(KeyManagementError) -> XKSEndpointService? {
        guard case .endpointService(let name, let owner) = address.connectivity else { return nil }
        guard let service = endpointServices[name], service.owner == owner ?? account,
            service.accounts.contains(account)
        else {
            throw KeyManagementError(.endpointServiceNotFound, "There is no endpoint service \(name) for the account.")
        }
        guard address.host.prefix(while: { $0 != ":" }) == service.host else {
            throw KeyManagementError(
                .invalidEndpointService, "The endpoint's host is not the private name of the endpoint service.")
        }
        return service
    }
}

extension KeyManagementService {
    /// A key's material ready for work.
    func material(
        of key: ManagedKey, _ index: Int, _ state: ServiceState, _ log: inout OperationLog
    ) async throws -> MaterialInUse {
        guard let keyStore = key.record.keyStore else {
            return MaterialInUse(backing: try key.backingKey(index, domains: state.domains))
        }
        log.addOnce("customKeyStoreId", keyStore)
        if let custodian = keyStores[keyStore] {
            // What is only tried bothers nobody else.
            if log.caller.isDryRun { throw KeyManagementError.dryRun }
            do {
                return MaterialInUse(backing: try await key.backingKey(index, custodian: custodian))
            } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
        }
        guard let store = state.keyStores["\(key.record.account)/\(keyStore)"] else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(keyStore) here.")
        }
        guard store.record.isConnected else {
            throw KeyManagementError(.invalidState, "\(key.arnText) is unavailable: its key store is not connected.")
        }
        if log.caller.isDryRun { throw KeyManagementError.dryRun }
        if let external = key.record.externalKey {
            log.addOnce("xksKeyId", external)
            let metadata = requestMetadata(log.name, log.caller, key: key.arnText)
            log.addOnce("requestId", metadata.kmsRequestId)
            let proxy: XKSClient
            do throws(KeyManagementError) { proxy = try connections.proxy(store.record) } catch {
                throw error.isOfEndpointService ? KeyManagementError(.invalidState, error.message) : error
            }
            return MaterialInUse(
                backing: try key.backingKey(index, domains: state.domains), outer: (proxy, external, metadata))
        }
        do {
            // A session may be another one the next time, so nothing of it is kept with the key.
            let custodian = try await connections.custodian(store.record)
            let authenticator = try await custodian.authenticator(KeyHandle(key.record.materials[index].wrapped))
            return MaterialInUse(backing: BackingKey(id: key.materialID(index), keptBy: authenticator))
        } catch { throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error)") }
    }

    /// The custodian of a key store: one that the service was given, or one of the account's.
    func custodian(
        _ keyStore: String, of account: String, _ state: ServiceState, isNew: Bool = false
    ) async throws(KeyManagementError) -> any KeyCustodian {
        if let custodian = keyStores[keyStore] { return custodian }
        guard let store = state.keyStores["\(account)/\(keyStore)"], store.record.cluster != nil else {
            throw KeyManagementError(.keyStoreNotFound, "There is no key store \(keyStore) here.")
        }
        guard store.record.isConnected else {
            throw KeyManagementError(.keyStoreInvalidState, "The key store \(keyStore) is not connected.")
        }
        do throws(KeyStoreConnectionError) { return try await connections.custodian(store.record, isNew: isNew) } catch
        {
            throw KeyManagementError(.keyStoreFailure, "\(keyStore): \(error.rawValue)")
        }
    }

    /// What a proxy is told of an operation; of whom, where there is somebody.
    func requestMetadata(_ operation: String, _ caller: Caller?, key: String? = nil) -> XKS.RequestMetadata {
        var metadata = XKS.RequestMetadata(
            operation: operation, requestID: caller?.context.requestID ?? UUID().uuidString.lowercased(),
            principal: caller?.principalARN, key: key)
        metadata.kmsViaService = caller?.context.viaService.map { String($0.prefix { $0 != "." }) }
        metadata.awsSourceVpce = caller?.context.sourceEndpoint
        return metadata
    }
}

extension KeyManagementError {
    /// Whether the way to a proxy is missing, or leads elsewhere.
    var isOfEndpointService: Bool { code == .endpointServiceNotFound || code == .invalidEndpointService }
}
