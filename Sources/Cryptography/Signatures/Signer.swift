/// A key that signs: software, in an HSM, or managed by a key service. Certificate authorities, TLS handshakes and
/// message signatures take a signer, never a key's bytes.
///
/// It is asynchronous because a key may be elsewhere. Conformers: the private keys of ``ECDSA``, ``Ed25519``, ``MLDSA`` and
/// ``RSA``, and the signing keys of a ``KeyCustodian``.
public protocol Signer: Sendable {
    /// The public key as a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER.
    var subjectPublicKeyInfo: [UInt8] { get throws }

    /// The ways in which the key signs, best first.
    var signatureAlgorithms: [SignatureAlgorithm] { get }

    /// Signs a message.
    ///
    /// - Throws: `unsupported` for an algorithm that is not the key's.
    func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) async throws -> [UInt8]

    /// Signs a message's digest, which the algorithm's hash function has made.
    ///
    /// - Throws: `unsupported` for an algorithm that is not the key's or takes no digest, `invalidLength` for a digest of
    ///   another length.
    func sign(digest: Digest, using algorithm: SignatureAlgorithm) async throws -> [UInt8]
}

/// A signer that answers at once, for callers that cannot wait: TLS handshakes in an event loop, PKCS #11.
public protocol SynchronousSigner: Signer {
    /// Signs a message.
    func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) throws -> [UInt8]

    /// Signs a message's digest.
    func sign(digest: Digest, using algorithm: SignatureAlgorithm) throws -> [UInt8]
}

/// A public key that checks signatures. Conformers: the public keys of ``ECDSA``, ``Ed25519``, ``MLDSA``
/// and ``RSA``.
public protocol VerificationKey: AsymmetricPublicKey {
    /// Whether a signature is this key's for a message. False for anything malformed.
    ///
    /// - Throws: `unsupported` for an algorithm that is not the key's.
    func isValid(
        _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> Bool

    /// Whether a signature is this key's for a message's digest. False for anything malformed.
    func isValid(
        _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> Bool
}

extension KeyAlgorithm {
    /// Reads a public key of any kind that checks signatures.
    ///
    /// - Throws: `unsupported` for a kind that signs nothing; otherwise as
    ///   ``AsymmetricPublicKey/init(subjectPublicKeyInfo:)``.
    public static func verificationKey(
        subjectPublicKeyInfo bytes: Span<UInt8>
    ) throws(CryptographyError) -> any VerificationKey {
        switch try KeyAlgorithm(subjectPublicKeyInfo: bytes) {
        case .ellipticCurve: try ECDSA.PublicKey(subjectPublicKeyInfo: bytes)
        case .rsa: try RSA.PublicKey(subjectPublicKeyInfo: bytes)
        case .ed25519: try Ed25519.PublicKey(subjectPublicKeyInfo: bytes)
        case .sm2: try SM2.PublicKey(subjectPublicKeyInfo: bytes)
        case .mlDSA: try MLDSA.PublicKey(subjectPublicKeyInfo: bytes)
        case .x25519: throw CryptographyError(.unsupported, "X25519 keys do not sign")
        }
    }
}
