public import AWSSignature
public import Cryptography

extension KeyManagementClient {
    /// Gives a key store another name. One on a cluster must not be connected.
    public func renameKeyStore(_ id: String, to name: String) async throws(KeyManagementError) {
        try await changeKeyStore(
            "UpdateCustomKeyStore", id, parameters: [("newCustomKeyStoreName", .text(name))]
        ) { record, state in
            try record.refuseConnectedCluster()
            let account = record.account
            let others = state.keyStores.values.map(\.record).filter { $0.account == account && $0.id != id }
            try KeyStoreRecord.check(name, among: others)
            record.name = name
        }
    }

    /// Tells the service of a cluster's new password, or of the cluster that a backup of the old one has become. The key store must not
    /// be connected.
    ///
    /// - Throws: `clusterNotFound`; `clusterNotRelated` for a cluster with another trust anchor.
    public func updateKeyStore(
        _ id: String, cluster: String? = nil, password: consuming SecretBytes? = nil
    ) async throws(KeyManagementError) {
        let connections = service.connections
        let password: Password? = if let secret = consume password { Password(secret) } else { nil }
        try await changeKeyStore("UpdateCustomKeyStore", id) { record, state in
            try record.refuseConnectedCluster()
            guard let old = record.cluster else {
                throw KeyManagementError(.validation, "the key store is on no cluster")
            }
            if let cluster {
                guard let known = connections.clusters[cluster] else { throw KeyManagementError(.clusterNotFound) }
                guard KeyStoreRecord.isSame(known.trustAnchor, old.trustAnchor) else {
                    throw KeyManagementError(.clusterNotRelated)
                }
                guard cluster == old.id || !state.keyStores.values.contains(where: { $0.record.cluster?.id == cluster })
                else { throw KeyManagementError(.clusterInUse) }
                record.cluster?.id = cluster
            }
            if let password {
                guard (7...32).contains(password.secret.count) else {
                    throw KeyManagementError(.validation, "a password has 7 to 32 characters")
                }
                try record.seal(password.secret, with: connections.cipher)
            }
        }
    }

    /// Tells the service of a proxy's new address or credential, with which it is asked first. Another endpoint needs the key store
    /// not to be connected.
    ///
    /// - Throws: as making one does.
    public func updateKeyStore(
        _ id: String, proxy: XKSProxyAddress? = nil, credential: consuming AccessKey? = nil
    ) async throws(KeyManagementError) {
        let (connections, caller, place) = (service.connections, caller, "\(principal.account)/\(id)")
        guard mayDo("UpdateCustomKeyStore"), let old = try service.refreshedState().keyStores[place]?.record,
            let known = old.proxy
        else {
            // Recorded as every refusal is.
            return try await changeKeyStore("UpdateCustomKeyStore", id) { _, _ in
                throw KeyManagementError(.validation, "the key store has no proxy")
            }
        }
        let address: XKSProxyAddress
        if let proxy {
            address = proxy
        } else {
            address = try XKSProxyAddress(endpoint: known.endpoint, path: known.path)
        }
        let key: AccessKey
        switch consume credential {
        case .some(let new): key = new
        case nil: key = AccessKey(id: known.accessKeyID, secret: try old.openSecret(with: connections.cipher))
        }
        let fresh = (id: key.id, secret: Password(key.secret.copy()))
        if !caller.isDryRun { try await checkProxy("UpdateCustomKeyStore", address, key) }
        try await changeKeyStore("UpdateCustomKeyStore", id) { record, state in
            guard record.proxy != nil else { throw KeyManagementError(.validation, "the key store has no proxy") }
            guard !record.isConnected || record.proxy?.endpoint == address.endpoint else {
                throw KeyManagementError(.keyStoreInvalidState)
            }
            try KeyStoreRecord.refuse(address, in: state, except: id)
            record.proxy = KeyStoreRecord.Proxy(
                endpoint: address.endpoint, path: address.path, accessKeyID: fresh.id)
            try record.seal(fresh.secret.secret, with: connections.cipher)
        }
    }
}

/// A secret that a change may be tried with more than once.
private final class Password: Sendable {
    let secret: SecretBytes

    init(_ secret: consuming SecretBytes) { self.secret = secret }
}

extension KeyStoreRecord {
    fileprivate func refuseConnectedCluster() throws(KeyManagementError) {
        guard cluster == nil || !isConnected else { throw KeyManagementError(.keyStoreInvalidState) }
    }
}
