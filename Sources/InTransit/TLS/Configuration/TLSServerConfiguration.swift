/// What a server needs to know. Make a ``TLSServerContext`` of it once, and connections of that.
public struct TLSServerConfiguration: Sendable {
    /// Whether clients show a certificate.
    public enum ClientAuthentication: Sendable {
        /// None is asked for.
        case none
        /// One is asked for; a client without one is served, a client with a bad one is not.
        case optional(PeerTrust)
        /// One is needed.
        case required(PeerTrust)
    }

    /// Whether a client may go on with an earlier session, which costs half as much.
    public enum Resumption: Sendable {
        /// No.
        case none
        /// From a cache in the context: 4,096 sessions, two hours. A client's certificates are judged anew each time.
        case allowed
    }

    /// Who the server is: one identity for each kind of key. A client that takes several gets the first that the policy's
    /// schemes prefer.
    public var identities: [TLSIdentity]
    /// Versions, suites, groups and signatures.
    public var policy: TLSPolicy
    /// Application protocols, best first, such as "h2" and "http/1.1"; none for any. A client that offers others is refused.
    public var applicationProtocols: [String]
    /// Whether clients show a certificate.
    public var clientAuthentication: ClientAuthentication
    /// Whether sessions go on.
    public var resumption: Resumption
    /// Takes lines of the key log (draft-ietf-tls-keylogfile), with which anybody can read the traffic: for debugging.
    public var keyLog: (@Sendable (String) -> Void)?

    /// The recommended policy, for any client.
    public init(
        identities: [TLSIdentity], policy: TLSPolicy = .recommended, applicationProtocols: [String] = [],
        clientAuthentication: ClientAuthentication = .none, resumption: Resumption = .allowed
    ) {
        self.identities = identities
        self.policy = policy
        self.applicationProtocols = applicationProtocols
        self.clientAuthentication = clientAuthentication
        self.resumption = resumption
    }

    /// The recommended policy, for any client.
    public init(identity: TLSIdentity, policy: TLSPolicy = .recommended, applicationProtocols: [String] = []) {
        self.init(identities: [identity], policy: policy, applicationProtocols: applicationProtocols)
    }
}
