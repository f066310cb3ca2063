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
        // What the service calls Ed25519ph hashes the digest again: no verifier of the message would take it.
        signatureAlgorithms = publicKey.signatureAlgorithms.filter { $0 != .ed25519ph }
    }

    private var key: Key<Signing> { Key(arn: arn) }

    /// Signs a message of any length: its digest goes to the service, or its representative for ML-DSA. Ed25519 takes no digests,
    /// and 4096 bytes at most.
    public func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        try check(algorithm)
        if algorithm == .mlDSA, message.count > Ciphertext.largestPlaintext {
            let representative = try MLDSA.PublicKey(subjectPublicKeyInfo: subjectPublicKeyInfo)
                .representative(of: message)
            return try await client.sign(representative: representative, with: key)
        }
        guard let function = algorithm.function else {
            return try await client.sign(message, with: key, using: algorithm)
        }
        return try await client.sign(digest: function.hash(message), with: key, using: algorithm)
    }

    /// Signs a message's digest.
    public func sign(digest: Digest, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        try check(algorithm)
        return try await client.sign(digest: digest, with: key, using: algorithm)
    }

    private func check(_ algorithm: SignatureAlgorithm) throws(CryptographyError) {
        guard signatureAlgorithms.contains(algorithm) else {
            throw CryptographyError(.unsupported, "this key does not sign with \(algorithm)")
        }
    }
}
