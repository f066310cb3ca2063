/// What a client needs to know. Make a ``TLSClient`` of it once, and connections of that.
public struct TLSClientConfiguration: Sendable {
    /// Whom it trusts. Its servers are always verified, by name.
    public var trust: PeerTrust
    /// Who it is, for servers that ask.
    public var identity: TLSIdentity?
    /// Versions, suites, groups and signatures.
    public var policy: TLSPolicy
    /// Application protocols, best first, such as "h2" and "http/1.1".
    public var applicationProtocols: [String]
    /// Whether it goes on with earlier sessions.
    public var isResuming: Bool
    /// Takes lines of the key log (draft-ietf-tls-keylogfile), with which anybody can read the traffic: for debugging.
    public var keyLog: (@Sendable (String) -> Void)?

    /// The recommended policy.
    public init(
        trust: PeerTrust, identity: TLSIdentity? = nil, policy: TLSPolicy = .recommended,
        applicationProtocols: [String] = [], isResuming: Bool = true
    ) {
        self.trust = trust
        self.identity = identity
        self.policy = policy
        self.applicationProtocols = applicationProtocols
        self.isResuming = isResuming
    }
}
