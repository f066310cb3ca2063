/// A private key that agrees on a secret with the owner of another: software, in an HSM, or managed by a key service.
///
/// The secret is a coordinate of a point, and not uniform: derive keys from it (``X963KDF``, ``HKDF``), never use it as
/// one. Conformers: the private keys of ``ECDH`` and ``X25519``, and the keys of a ``KeyCustodian``.
public protocol KeyAgreement: Sendable {
    /// The public key as a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER.
    var subjectPublicKeyInfo: [UInt8] { get throws }

    /// The secret shared with the owner of a public key, given as a SubjectPublicKeyInfo.
    ///
    /// - Throws: `invalidEncoding`, `unsupported` for a key of another kind, `invalidKey` for one that is not on the
    ///   curve, is of a small order, or on another curve.
    func sharedSecret(withPublicKey subjectPublicKeyInfo: Span<UInt8>) async throws -> SecretBytes
}
