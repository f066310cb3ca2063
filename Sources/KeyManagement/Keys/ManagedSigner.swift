public import AccessPolicy
public import Cryptography

/// A managed key for signing, as whatever takes a `Signer` sees it. Each signature is an operation of the service, with its
/// policy and its event.
public struct ManagedSigner: Signer {
    /// The key's name.
    public let arn: ARN
    /// The public half as a SubjectPublicKeyInfo.
    public let subjectPublicKeyInfo: [UInt8]
    /// How the key signs.
    public let signatureAlgorithms: [SignatureAlgorithm]

    private let client: KeyManagementClient

    init(client: KeyManagementClient, publicKey: ManagedPublicKey) {
        self.client = client
        arn = publicKey.keyARN
        subjectPublicKeyInfo = publicKey.subjectPublicKeyInfo
        signatureAlgorithms = publicKey.signatureAlgorithms
    }

    private var key: Key<Signing> { Key(arn: arn) }

    /// Signs a message of any length: its digest goes to the service. Ed25519 takes no digests, and 4096 bytes at most.
    public func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        guard let function = algorithm.function else {
            return try await client.sign(message, with: key, using: algorithm)
        }
        return try await client.sign(digest: function.hash(message), with: key, using: algorithm)
    }

    /// Signs a message's digest.
    public func sign(digest: Digest, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        try await client.sign(digest: digest, with: key, using: algorithm)
    }
}
