internal import AWSSignature
internal import FoundationEssentials
internal import KeyManagement

extension KMSOperation {
    /// Key stores of an account's own.
    static let keyStores: [String: KMSOperation] = [
        "CreateCustomKeyStore": KMSOperation("CustomKeyStoreName") { call in
            call.output.field("CustomKeyStoreId", try await call.createKeyStore())
        },
        "DescribeCustomKeyStores": KMSOperation { call in
            var stores = try await call.client.keyStores()
            if let id = call.input.text("CustomKeyStoreId") { stores.removeAll { $0.id != id } }
            if let name = call.input.text("CustomKeyStoreName") { stores.removeAll { $0.name != name } }
            guard !stores.isEmpty || !call.input.has("CustomKeyStoreId") && !call.input.has("CustomKeyStoreName") else {
                throw KeyManagementError(.keyStoreNotFound)
            }
            try call.page("CustomKeyStores", stores, marker: \.id) { writer, store in store.write(to: &writer) }
        },
        "UpdateCustomKeyStore": KMSOperation("CustomKeyStoreId") { call in try await call.updateKeyStore() },
        "DeleteCustomKeyStore": KMSOperation("CustomKeyStoreId") { call in
            try await call.client.deleteKeyStore(call.required("CustomKeyStoreId"))
        },
        "ConnectCustomKeyStore": KMSOperation("CustomKeyStoreId") { call in
            try await call.client.connectKeyStore(call.required("CustomKeyStoreId"))
        },
        "DisconnectCustomKeyStore": KMSOperation("CustomKeyStoreId") { call in
            try await call.client.disconnectKeyStore(call.required("CustomKeyStoreId"))
        },
    ]
}

extension KMSCall {
    fileprivate func createKeyStore() async throws -> String {
        let name = required("CustomKeyStoreName")
        guard input.text("CustomKeyStoreType") == "EXTERNAL_KEY_STORE" else {
            guard let cluster = input.text("CloudHsmClusterId"), let anchor = input.text("TrustAnchorCertificate"),
                let password = input.text("KeyStorePassword")
            else { throw Self.missing("CloudHsmClusterId, TrustAnchorCertificate and KeyStorePassword") }
            return try await client.createKeyStore(
                name, cluster: cluster, password: SecretBytes(copying: Array(password.utf8)), trustAnchor: anchor)
        }
        guard let endpoint = input.text("XksProxyUriEndpoint"), let path = input.text("XksProxyUriPath"),
            let credential = input.credential
        else { throw Self.missing("XksProxyUriEndpoint, XksProxyUriPath and XksProxyAuthenticationCredential") }
        let address = try XKSProxyAddress(
            endpoint: endpoint, path: path, connectivity: connectivity() ?? .publicEndpoint)
        return try await client.createKeyStore(name, proxy: address, credential: credential.accessKey)
    }

    fileprivate func updateKeyStore() async throws {
        let id = required("CustomKeyStoreId")
        let (name, cluster) = (input.text("NewCustomKeyStoreName"), input.text("CloudHsmClusterId"))
        let (endpoint, path) = (input.text("XksProxyUriEndpoint"), input.text("XksProxyUriPath"))
        let (credential, password) = (input.credential, input.text("KeyStorePassword"))
        let connectivity = try connectivity()
        let isProxy = endpoint != nil || path != nil || credential != nil || connectivity != nil
        let isCluster = cluster != nil || password != nil
        guard isProxy || isCluster || name != nil, !(isProxy && isCluster) else {
            throw KeyManagementError(.validation, "What is to be changed of a cluster, or of a proxy, is not named.")
        }
        if isProxy, let credential {
            try await client.updateKeyStore(
                id, name: name, endpoint: endpoint, path: path, connectivity: connectivity,
                credential: credential.accessKey)
        } else if isProxy {
            try await client.updateKeyStore(
                id, name: name, endpoint: endpoint, path: path, connectivity: connectivity)
        } else if let password {
            try await client.updateKeyStore(
                id, name: name, cluster: cluster, password: SecretBytes(copying: Array(password.utf8)))
        } else if isCluster {
            try await client.updateKeyStore(id, name: name, cluster: cluster)
        } else if let name {
            try await client.renameKeyStore(id, to: name)
        }
    }

    /// How a proxy is to be reached; nil where nothing is said of it.
    private func connectivity() throws -> XKSConnectivity? {
        let (service, owner) = (
            input.text("XksProxyVpcEndpointServiceName"), input.text("XksProxyVpcEndpointServiceOwner")
        )
        switch (input.text("XksProxyConnectivity"), service) {
        case ("VPC_ENDPOINT_SERVICE", let service?), (nil, let service?):
            return .endpointService(service, owner: owner)
        case (nil, nil) where owner == nil: return nil
        case ("PUBLIC_ENDPOINT", nil) where owner == nil: return .publicEndpoint
        default:
            throw KeyManagementError(
                .validation,
                "A VPC endpoint service has a name, and an owner if need be; a public endpoint has neither.")
        }
    }

    private static func missing(_ names: String) -> KeyManagementError {
        KeyManagementError(.validation, "A key store of this type needs \(names).")
    }
}

extension Input.Credential {
    fileprivate var accessKey: AccessKey {
        AccessKey(id: accessKeyID ?? "", secret: SecretBytes(copying: Array((secret ?? "").utf8)))
    }
}

extension KeyStoreDescription {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("CustomKeyStoreId", id)
        writer.field("CustomKeyStoreName", name)
        switch backing {
        case .cluster(let cluster, let anchor):
            writer.field("CustomKeyStoreType", "AWS_CLOUDHSM")
            writer.field("CloudHsmClusterId", cluster)
            writer.field("TrustAnchorCertificate", anchor)
        case .external(let address, let accessKeyID):
            writer.field("CustomKeyStoreType", "EXTERNAL_KEY_STORE")
            writer.object("XksProxyConfiguration") { writer in
                if case .endpointService(let name, let owner) = address.connectivity {
                    writer.field("Connectivity", "VPC_ENDPOINT_SERVICE")
                    writer.field("VpcEndpointServiceName", name)
                    if let owner { writer.field("VpcEndpointServiceOwner", owner) }
                } else {
                    writer.field("Connectivity", "PUBLIC_ENDPOINT")
                }
                writer.field("AccessKeyId", accessKeyID)
                writer.field("UriEndpoint", address.endpoint)
                writer.field("UriPath", address.path)
            }
        }
        switch connection {
        case .connected: writer.field("ConnectionState", "CONNECTED")
        case .disconnected: writer.field("ConnectionState", "DISCONNECTED")
        case .failed(let error):
            writer.field("ConnectionState", "FAILED")
            writer.field("ConnectionErrorCode", error.rawValue)
        }
        writer.date("CreationDate", creationDate)
    }
}
