public import AWSSignature
internal import Auditing
public import Cryptography

extension KeyManagementClient {
    /// Gives a key store another name. One on a cluster must not be connected.
    public func renameKeyStore(_ id: String, to name: String) async throws(KeyManagementError) {
        try await changeKeyStore(
            "UpdateCustomKeyStore", id, parameters: [("newCustomKeyStoreName", .text(name))]
        ) { record, _, state in
            try record.refuseConnectedCluster()
            try record.rename(name, in: state)
        }
    }

    /// Tells the service of a cluster's new password, or of the cluster that a backup of the old one has become, and a new name. The key
    /// store must not be connected.
    ///
    /// - Throws: `clusterNotFound`; `clusterNotRelated` for a cluster with another trust anchor; `clusterInUse`, `clusterNotActive`,
    ///   `invalidClusterConfiguration`.
    public func updateKeyStore(
        _ id: String, name: String? = nil, cluster: String? = nil, password: consuming SecretBytes? = nil
    ) async throws(KeyManagementError) {
        let connections = service.connections
        let password: KeyStoreSecret? = if let secret = consume password { KeyStoreSecret(secret) } else { nil }
        var parameters: [(String, AuditEvent.Value)] = []
        if let name { parameters.append(("newCustomKeyStoreName", .text(name))) }
        if let cluster { parameters.append(("cloudHsmClusterId", .text(cluster))) }
        let admitted = admitted("UpdateCustomKeyStore")
        let condition = await admitted?.state(ofCluster: cluster)
        try await (admitted ?? self).changeKeyStore(
            "UpdateCustomKeyStore", id, parameters: parameters
        ) { record, _, state in
            guard let old = record.cluster else {
                throw KeyManagementError(.validation, "the key store is on no cluster")
            }
            try record.refuseConnectedCluster()
            if let cluster, cluster != old.id {
                guard let known = connections.clusters[cluster], known.accounts.contains(record.account) else {
                    throw KeyManagementError(.clusterNotFound)
                }
                guard KeyStoreRecord.isSame(known.trustAnchor, old.trustAnchor) else {
                    throw KeyManagementError(.clusterNotRelated)
                }
                try condition.check()
                try KeyStoreRecord.refuse(cluster: cluster, in: state)
                record.cluster?.id = cluster
            }
            if let password {
                try password.checkLength()
                try record.seal(password.bytes, with: connections.cipher)
            }
            if let name { try record.rename(name, in: state) }
        }
    }

    /// Tells the service of a proxy's new endpoint, path or credential, with which it is asked first, and a new name. Another endpoint,
    /// or another way to it, needs the key store not to be connected.
    ///
    /// - Parameter connectivity: another way; from or to an endpoint service, only along with an endpoint. Of an endpoint service without
    ///   an owner the owner stays as it is.
    /// - Throws: as making one does; `conflict` where it was changed meanwhile.
    public func updateKeyStore(
        _ id: String, name: String? = nil, endpoint: String? = nil, path: String? = nil,
        connectivity: XKSConnectivity? = nil, credential: consuming AccessKey? = nil
    ) async throws(KeyManagementError) {
        let (connections, operation) = (service.connections, "UpdateCustomKeyStore")
        let admitted = admitted(operation)
        guard let admitted, let old = try service.refreshedState().keyStores["\(principal.account)/\(id)"],
            let known = old.record.proxy
        else {
            // Recorded as every refusal is.
            return try await (admitted ?? self).changeKeyStore(operation, id) { record, _, _ in
                guard record.proxy != nil else {
                    throw KeyManagementError(.validation, "the key store has no proxy")
                }
                throw KeyManagementError(.conflict, "the key store was changed meanwhile")
            }
        }
        let address: XKSProxyAddress
        do throws(KeyManagementError) {
            address = try XKSProxyAddress(
                endpoint: endpoint ?? known.endpoint, path: path ?? known.path,
                connectivity: connectivity ?? known.connectivity
            ).owned(by: known.endpointServiceOwner ?? principal.account)
            guard endpoint != nil || (address.endpointService == nil) == (known.endpointService == nil) else {
                throw KeyManagementError(.validation, "another connectivity needs another endpoint")
            }
        } catch { try await admitted.refuse(operation, error) }
        let key: AccessKey
        switch consume credential {
        case .some(let new): key = new
        case nil: key = AccessKey(id: known.accessKeyID, secret: try old.record.openSecret(with: connections.cipher))
        }
        let fresh = (id: key.id, secret: KeyStoreSecret(key.secret.copy()))
        var parameters = KeyManagementClient.parameters(address, fresh.id)
        if let name { parameters.append(("newCustomKeyStoreName", .text(name))) }
        let all = [("customKeyStoreId", .text(id))] + parameters
        try await admitted.checkProxy(operation, address, key, all, isConnected: old.record.isConnected)
        try await admitted.changeKeyStore(operation, id, parameters: parameters) { record, version, state in
            // The rest of what was asked about must still be there.
            guard version == old.version else {
                throw KeyManagementError(.conflict, "the key store was changed meanwhile")
            }
            let isReachedAlike = known.endpoint == address.endpoint && known.connectivity == address.connectivity
            guard !record.isConnected || isReachedAlike else {
                throw KeyManagementError(.keyStoreInvalidState)
            }
            try KeyStoreRecord.refuse(address, of: record.account, in: state, except: id)
            record.proxy = KeyStoreRecord.Proxy(address, accessKeyID: fresh.id)
            try record.seal(fresh.secret.bytes, with: connections.cipher)
            if let name { try record.rename(name, in: state) }
        }
    }
}

extension KeyStoreRecord {
    /// How many an account has at most.
    static let most = 10

    fileprivate func refuseConnectedCluster() throws(KeyManagementError) {
        guard cluster == nil || !isConnected else { throw KeyManagementError(.keyStoreInvalidState) }
    }

    fileprivate mutating func rename(_ name: String, in state: ServiceState) throws(KeyManagementError) {
        let (account, id) = (account, id)
        let others = state.keyStores.values.map(\.record).filter { $0.account == account && $0.id != id }
        try KeyStoreRecord.check(name, among: others)
        self.name = name
    }

    static func check(_ name: String, among all: [KeyStoreRecord]) throws(KeyManagementError) {
        guard (1...256).contains(name.unicodeScalars.count) else {
            throw KeyManagementError(.validation, "a key store's name has 1 to 256 characters")
        }
        guard !all.contains(where: { $0.name == name }) else { throw KeyManagementError(.keyStoreNameInUse) }
    }

    static func refuse(cluster: String, in state: ServiceState) throws(KeyManagementError) {
        guard !state.keyStores.values.contains(where: { $0.record.cluster?.id == cluster }) else {
            throw KeyManagementError(.clusterInUse)
        }
    }

    static func refuse(
        _ proxy: XKSProxyAddress, of account: String, in state: ServiceState, except id: String? = nil
    ) throws(KeyManagementError) {
        for other in state.keyStores.values.map(\.record) where other.id != id {
            guard let known = other.proxy else { continue }
            // An endpoint service leads to one proxy for one key store, whosever they are.
            if let service = proxy.endpointService, service == known.endpointService {
                throw KeyManagementError(.endpointServiceInUse)
            }
            guard other.account == account, known.endpoint == proxy.endpoint else { continue }
            guard proxy.endpointService == nil, known.endpointService == nil else {
                throw KeyManagementError(.proxyEndpointInUse)
            }
            guard known.path != proxy.path else { throw KeyManagementError(.proxyInUse) }
        }
    }

    /// Whether two texts of a certificate are one.
    static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.filter { $0 > 0x20 } == right.utf8.filter { $0 > 0x20 }
    }
}
