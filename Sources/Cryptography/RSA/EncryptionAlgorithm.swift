/// A way of encrypting short secrets to a public key.
public struct EncryptionAlgorithm: Sendable, Hashable, CustomStringConvertible {
    /// The schemes.
    public enum Scheme: String, Sendable, Hashable {
        /// RSAES-OAEP (RFC 8017, 7.1).
        case rsaOAEP = "RSAES_OAEP"
        /// RSAES-PKCS1-v1_5 (RFC 8017, 7.2): for old peers, by ``RSA/LegacyDecryptor`` only.
        case rsaPKCS1v15 = "RSAES_PKCS1_V1_5"
        /// SM2 with SM3 (GB/T 32918.4).
        case sm2PKE = "SM2PKE"
    }

    /// The scheme.
    public let scheme: Scheme
    /// OAEP's hash function; nil for other schemes.
    public let function: HashFunction?
    /// The hash function of OAEP's mask (MGF1); nil for other schemes.
    public let maskFunction: HashFunction?

    /// RSAES-OAEP with any pair of functions: some peers keep SHA-1 for the mask whatever the hash.
    public static func rsaOAEP(_ function: HashFunction, mask: HashFunction) -> EncryptionAlgorithm {
        EncryptionAlgorithm(scheme: .rsaOAEP, function: function, maskFunction: mask)
    }

    /// RSAES-OAEP with SHA-1: collisions do not harm OAEP.
    public static let rsaOAEPSHA1 = rsaOAEP(.sha1, mask: .sha1)
    /// RSAES-OAEP with SHA-256.
    public static let rsaOAEPSHA256 = rsaOAEP(.sha256, mask: .sha256)
    /// RSAES-OAEP with SHA-384.
    public static let rsaOAEPSHA384 = rsaOAEP(.sha384, mask: .sha384)
    /// RSAES-OAEP with SHA-512.
    public static let rsaOAEPSHA512 = rsaOAEP(.sha512, mask: .sha512)
    /// RSAES-PKCS1-v1_5.
    public static let rsaPKCS1v15 = EncryptionAlgorithm(scheme: .rsaPKCS1v15, function: nil, maskFunction: nil)

    /// SM2 with SM3.
    public static let sm2PKE = EncryptionAlgorithm(scheme: .sm2PKE, function: nil, maskFunction: nil)

    /// AWS's name, such as "RSAES_OAEP_SHA_256".
    public var description: String {
        guard let function, let maskFunction else { return scheme.rawValue }
        let name = "\(scheme.rawValue)_SHA_\(EncryptionAlgorithm.number(function))"
        return function == maskFunction ? name : "\(name)_MGF1_SHA_\(EncryptionAlgorithm.number(maskFunction))"
    }

    /// SHA-1 is named for its place, the others for their length in bits.
    private static func number(_ function: HashFunction) -> Int {
        function == .sha1 ? 1 : function.digestByteCount * 8
    }
}

/// A public key that encrypts short secrets. Conformers: ``RSA/PublicKey``, ``SM2/PublicKey``.
public protocol EncryptionKey: AsymmetricPublicKey {
    /// How many bytes fit into one ciphertext.
    func maximumPlaintextByteCount(_ algorithm: EncryptionAlgorithm) -> Int

    /// Encrypts a short secret.
    ///
    /// - Throws: `unsupported` for an algorithm that is not the key's; `invalidLength` above
    ///   ``maximumPlaintextByteCount(_:)``.
    func encrypt(
        _ secret: borrowing SecretBytes, using algorithm: EncryptionAlgorithm
    ) throws(CryptographyError) -> [UInt8]
}

extension KeyAlgorithm {
    /// Reads a public key of any kind that encrypts.
    ///
    /// - Throws: `unsupported` for a kind that encrypts nothing; otherwise as
    ///   ``AsymmetricPublicKey/init(subjectPublicKeyInfo:)``.
    public static func encryptionKey(
        subjectPublicKeyInfo bytes: Span<UInt8>
    ) throws(CryptographyError) -> any EncryptionKey {
        switch try KeyAlgorithm(subjectPublicKeyInfo: bytes) {
        case .rsa: try RSA.PublicKey(subjectPublicKeyInfo: bytes)
        case .sm2: try SM2.PublicKey(subjectPublicKeyInfo: bytes)
        case .ellipticCurve, .ed25519, .x25519, .mlDSA:
            throw CryptographyError(.unsupported, "such keys do not encrypt")
        }
    }
}

/// A private key that decrypts short secrets: software, in an HSM, or managed by a key service.
///
/// Conformers: ``RSA/PrivateKey`` for OAEP, ``RSA/LegacyDecryptor``, ``SM2/PrivateKey``, and the keys of a ``KeyCustodian``.
public protocol Decryptor: Sendable {
    /// The public key as a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER.
    var subjectPublicKeyInfo: [UInt8] { get throws }

    /// The ways in which the key decrypts, best first.
    var encryptionAlgorithms: [EncryptionAlgorithm] { get }

    /// Decrypts.
    ///
    /// - Throws: `unsupported` for an algorithm that is not the key's; `authenticationFailure` for any ciphertext that
    ///   does not decrypt, without a reason.
    func decrypt(_ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm) async throws -> SecretBytes
}
