internal import OpenSSLShim
internal import Synchronization
internal import TLSShim

/// A configuration made ready: keys checked, lists parsed, a cache for sessions. Making one costs about a millisecond, so one is
/// made and shared; it never changes.
public final class TLSServerContext: Sendable {
    /// What it was made of.
    public let configuration: TLSServerConfiguration

    let native: NativeTLSContext

    /// Prepares a configuration.
    ///
    /// - Throws: `invalidConfiguration`.
    public init(_ configuration: TLSServerConfiguration) throws(TLSError) {
        self.configuration = configuration
        guard !configuration.identities.isEmpty else {
            throw TLSError(.invalidConfiguration, "a server has an identity")
        }
        // libssl keeps one of each kind.
        let kinds = configuration.identities.map { identity in
            if case .ellipticCurve = identity.algorithm { return KeyAlgorithm.ellipticCurve(.p256) }
            return identity.algorithm
        }
        guard Set(kinds).count == kinds.count else {
            throw TLSError(.invalidConfiguration, "two identities with keys of one kind")
        }
        var settings = try NativeTLSSettings(
            configuration.policy, identities: configuration.identities, isServer: true,
            protocols: configuration.applicationProtocols, logsKeys: configuration.keyLog != nil)
        let trust = configuration.clientTrust
        if case .required = configuration.clientAuthentication {
            settings.peerCertificate = .required
        } else if trust != nil {
            settings.peerCertificate = .optional
        }
        settings.clientAuthorities = trust?.validator.anchors.map(\.derEncoded) ?? []
        if case .allowed = configuration.resumption { settings.sessions = .cached }
        var identities: [NativeTLSIdentity] = []
        for (index, identity) in configuration.identities.enumerated() {
            identities.append(try identity.native(index))
        }
        do {
            settings.sessionScope = try SystemRandom().bytes(count: 32)
        } catch { throw TLSError(.internalFailure, "\(error)") }
        do throws(NativeError) {
            native = try NativeTLSContext(isServer: true, settings, identities)
        } catch { throw TLSError(error) }
    }

    /// Whether one of its certificates is for a name.
    public func serves(_ name: String) -> Bool {
        let policy = ServerIdentityPolicy(ServerIdentity(name))
        return configuration.identities.contains { policy.isMet(by: $0.certificates[0]) }
    }
}

extension TLSServerConfiguration {
    /// By whom clients are judged.
    var clientTrust: PeerTrust? {
        switch clientAuthentication {
        case .none: nil
        case .optional(let trust), .required(let trust): trust
        }
    }
}

/// Accepts connections, each with the context of its moment: replace it at any time, and no open connection is disturbed.
public final class TLSServer: Sendable {
    /// Chooses a context by what a client has said; nil for the default one.
    public typealias Choice = @Sendable (ClientHello) -> TLSServerContext?

    private let current: Mutex<Contexts>

    private struct Contexts {
        let standard: TLSServerContext
        let choose: Choice?
    }

    /// Serves all clients alike.
    public init(_ context: TLSServerContext) { current = Mutex(Contexts(standard: context, choose: nil)) }

    /// Chooses a whole context for each client by its first message: certificates, policy, trust and protocols.
    public init(default context: TLSServerContext, choosing choose: @escaping Choice) {
        current = Mutex(Contexts(standard: context, choose: choose))
    }

    /// Serves several names: each client gets the first context that has a certificate for the name it asks for, and
    /// otherwise the first of all.
    ///
    /// - Throws: `invalidConfiguration` for no contexts.
    public convenience init(names contexts: [TLSServerContext]) throws(TLSError) {
        guard let first = contexts.first else { throw TLSError(.invalidConfiguration, "a server without contexts") }
        self.init(default: first) { hello in
            hello.serverName.flatMap { name in contexts.first { $0.serves(name) } }
        }
    }

    /// Serves connections to come in another way.
    public func replace(_ context: TLSServerContext) {
        current.withLock { $0 = Contexts(standard: context, choose: nil) }
    }

    /// Serves connections to come in another way.
    public func replace(default context: TLSServerContext, choosing choose: @escaping Choice) {
        current.withLock { $0 = Contexts(standard: context, choose: choose) }
    }

    /// A connection that a client opens.
    public func accept() throws(TLSError) -> TLSConnection {
        let contexts = current.withLock { $0 }
        return try TLSConnection(server: contexts.standard, choosing: contexts.choose)
    }
}
