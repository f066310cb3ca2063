/// What a connection has to tell.
public enum TLSEvent: Sendable {
    /// The key must sign: have ``TLSSignatureRequest/sign()`` done and give the result to
    /// ``TLSConnection/answer(_:with:)``. Only for keys that are no ``SynchronousSigner``.
    case signature(TLSSignatureRequest)
    /// The handshake is finished, and the peer is who it should be.
    case established(NegotiatedSession)
    /// So many bytes from the peer have been written to the buffer.
    case data(Int)
    /// The peer sends no more. Where it has not said so, the end is unclean: somebody else may have cut it off, and what came
    /// may lack its end.
    case closed(isClean: Bool)
}

/// A signature that a handshake waits for.
public struct TLSSignatureRequest: Sendable {
    /// The key.
    public let key: any Signer
    /// How it signs.
    public let algorithm: SignatureAlgorithm
    /// What it signs.
    public let message: [UInt8]

    let number: Int

    /// Signs.
    public func sign() async throws -> [UInt8] { try await key.sign(message.span, using: algorithm) }
}

/// What the two sides have agreed on.
public struct NegotiatedSession: Sendable {
    /// The version.
    public let version: TLSVersion
    /// The suite.
    public let suite: CipherSuite
    /// The group of the key exchange; nil where there was none.
    public let group: KeyExchangeGroup?
    /// The application protocol; nil where none was agreed on.
    public let applicationProtocol: String?
    /// The name that the client has asked for; nil for none.
    public let serverName: String?
    /// Whether an earlier session goes on.
    public let isResumed: Bool
    /// The peer's certificates as they were verified, up to the anchor; nil for a client that has shown none.
    public let peer: CertificatePath?
}
