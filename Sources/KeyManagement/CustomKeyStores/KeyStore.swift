public import Cryptography
public import FoundationEssentials

/// A key store of an account, as the service tells of it (AWS KMS, "CustomKeyStoresListEntry").
public struct KeyStoreDescription: Sendable, Hashable {
    /// What keeps its keys.
    public enum Backing: Sendable, Hashable {
        /// A cluster of HSMs, with the certificate that its owner expects of it.
        case cluster(id: String, trustAnchor: String)
        /// A key manager elsewhere, behind a proxy, and the name of the credential for it.
        case external(XKSProxyAddress, accessKeyID: String)
    }

    /// Its identifier, `cks-` and 17 hexadecimal digits.
    public let id: String
    /// Its name, one of its account and Region.
    public let name: String
    /// What keeps its keys.
    public let backing: Backing
    /// When it was made.
    public let creationDate: Date
    /// Whether its keys can be used.
    public let connection: KeyStoreConnection
}

/// Whether a key store is connected.
public enum KeyStoreConnection: Sendable, Hashable {
    /// Its keys can be used.
    case connected
    /// Its keys cannot be used, as somebody wants it.
    case disconnected
    /// It could not be connected.
    case failed(KeyStoreConnectionError)
}

/// Why a key store could not be connected (AWS KMS, "ConnectionErrorCodeType").
public enum KeyStoreConnectionError: String, Error, Sendable, Hashable, Codable {
    /// The cluster does not take the password.
    case invalidCredentials = "INVALID_CREDENTIALS"
    /// There is no such cluster.
    case clusterNotFound = "CLUSTER_NOT_FOUND"
    /// The cluster cannot be reached.
    case networkErrors = "NETWORK_ERRORS"
    /// Something else.
    case internalError = "INTERNAL_ERROR"
    /// The user of the key service had too many failures.
    case userLockedOut = "USER_LOCKED_OUT"
    /// The cluster has no user of the key service.
    case userNotFound = "USER_NOT_FOUND"
    /// The proxy refuses.
    case proxyAccessDenied = "XKS_PROXY_ACCESS_DENIED"
    /// The proxy cannot be reached.
    case proxyNotReachable = "XKS_PROXY_NOT_REACHABLE"
    /// The proxy's answer cannot be understood.
    case proxyInvalidResponse = "XKS_PROXY_INVALID_RESPONSE"
    /// The proxy has another path.
    case proxyInvalidConfiguration = "XKS_PROXY_INVALID_CONFIGURATION"
    /// The proxy did not answer in time.
    case proxyTimedOut = "XKS_PROXY_TIMED_OUT"
    /// The proxy's certificate is not trusted.
    case proxyInvalidTLS = "XKS_PROXY_INVALID_TLS_CONFIGURATION"
    /// The endpoint service is not there, or not the account's to use.
    case endpointServiceNotFound = "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND"
    /// The endpoint service is another proxy's.
    case invalidEndpointService = "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION"
}

/// A cluster of HSMs on which accounts may have key stores: how the service becomes a user of it.
public struct KeyStoreCluster: Sendable {
    /// The certificate that whoever makes a key store must have: it shows that the cluster is theirs.
    public let trustAnchor: String
    /// The accounts that may have a key store on it.
    public let accounts: Set<String>
    let state: @Sendable () async -> State
    let connect: @Sendable (borrowing SecretBytes) async throws -> any KeyCustodian

    /// Whether a cluster can have a key store.
    public enum State: Sendable, Hashable {
        /// It can.
        case active
        /// It is not initialized yet, or is switched off.
        case inactive
        /// It lacks something, such as a second HSM; with what, for its owner.
        case misconfigured(String)
    }

    /// Describes a cluster.
    ///
    /// - Parameters:
    ///   - trustAnchor: what is compared with what an owner gives; white space does not count.
    ///   - accounts: who may have a key store on it: the certificate is no secret, and whoever connects tries passwords.
    ///   - state: asked before a key store is made on it, moved to it, or connected.
    ///   - connect: logs in with the password that the owner has given. It may throw ``KeyStoreConnectionError``; anything else
    ///     is an internal error.
    public init(
        trustAnchor: String, accounts: Set<String>, state: @escaping @Sendable () async -> State = { .active },
        connect: @escaping @Sendable (borrowing SecretBytes) async throws -> any KeyCustodian
    ) {
        self.trustAnchor = trustAnchor
        self.accounts = accounts
        self.state = state
        self.connect = connect
    }
}

extension KeyManagementError.Code {
    /// The key store is in no state for this.
    public static let keyStoreInvalidState = Self(name: "CustomKeyStoreInvalidStateException")
    /// The key store has keys.
    public static let keyStoreHasKeys = Self(name: "CustomKeyStoreHasCMKsException")
    /// The account has a key store of this name.
    public static let keyStoreNameInUse = Self(name: "CustomKeyStoreNameInUseException")
    /// A key store is on this cluster already.
    public static let clusterInUse = Self(name: "CloudHsmClusterInUseException")
    /// There is no such cluster here.
    public static let clusterNotFound = Self(name: "CloudHsmClusterNotFoundException")
    /// The cluster is another's than the key store's: its trust anchor differs.
    public static let clusterNotRelated = Self(name: "CloudHsmClusterNotRelatedException")
    /// The cluster is not initialized, or is switched off.
    public static let clusterNotActive = Self(name: "CloudHsmClusterNotActiveException")
    /// The cluster lacks something that a key store needs.
    public static let invalidClusterConfiguration = Self(name: "CloudHsmClusterInvalidConfigurationException")
    /// The certificate is not the cluster's.
    public static let incorrectTrustAnchor = Self(name: "IncorrectTrustAnchorException")
    /// A key store has this proxy already.
    public static let proxyInUse = Self(name: "XksProxyUriInUseException")
    /// A key store that is reached in another way has this proxy's endpoint.
    public static let proxyEndpointInUse = Self(name: "XksProxyUriEndpointInUseException")
    /// A key store is on this endpoint service already.
    public static let endpointServiceInUse = Self(name: "XksProxyVpcEndpointServiceInUseException")
    /// The endpoint service leads to another host than the key store's.
    public static let invalidEndpointService = Self(name: "XksProxyVpcEndpointServiceInvalidConfigurationException")
    /// There is no such endpoint service for the account.
    public static let endpointServiceNotFound = Self(name: "XksProxyVpcEndpointServiceNotFoundException")
    /// The proxy gives no answer.
    public static let unreachableProxy = Self(name: "XksProxyUriUnreachableException")
    /// The proxy does not accept the credential.
    public static let incorrectProxyCredential = Self(name: "XksProxyIncorrectAuthenticationCredentialException")
    /// The proxy's answer is none.
    public static let invalidProxyResponse = Self(name: "XksProxyInvalidResponseException")
    /// The proxy's address or path is not right.
    public static let invalidProxyConfiguration = Self(name: "XksProxyInvalidConfigurationException")
    /// The external key is not there.
    public static let externalKeyNotFound = Self(name: "XksKeyNotFoundException")
    /// Another key of the key store is on this external key.
    public static let externalKeyInUse = Self(name: "XksKeyAlreadyInUseException")
    /// The external key is of another kind, or switched off.
    public static let invalidExternalKey = Self(name: "XksKeyInvalidConfigurationException")
}
