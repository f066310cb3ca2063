internal import OpenSSLShim
internal import TLSShim

/// Opens connections to servers, which it always verifies. Make one and share it: it remembers sessions.
public final class TLSClient: Sendable {
    /// What it was made of.
    public let configuration: TLSClientConfiguration

    let native: NativeTLSContext
    let sessions = SessionCache()

    /// Prepares a configuration.
    ///
    /// - Throws: `invalidConfiguration`.
    public init(_ configuration: TLSClientConfiguration) throws(TLSError) {
        self.configuration = configuration
        let identities = configuration.identity.map { [$0] } ?? []
        var settings = try NativeTLSSettings(
            configuration.policy, identities: identities, isServer: false,
            protocols: configuration.applicationProtocols, logsKeys: configuration.keyLog != nil)
        settings.peerCertificate = .required
        settings.sessions = configuration.isResuming ? .client : .none
        var prepared: [NativeTLSIdentity] = []
        for identity in identities { prepared.append(try identity.native(0)) }
        do throws(NativeError) {
            native = try NativeTLSContext(isServer: false, settings, prepared)
        } catch { throw TLSError(error) }
    }

    /// A connection to a server by its name or address, which its certificate must have.
    ///
    /// - Throws: `invalidConfiguration` for a name that is none.
    public func connect(to name: String) throws(TLSError) -> TLSConnection {
        try TLSConnection(client: self, to: ServerIdentity(name))
    }
}
