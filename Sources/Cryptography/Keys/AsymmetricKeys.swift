/// A public key with the encoding that certificates and most tools use.
///
/// Conformers: ``ECDSA/PublicKey``, ``ECDH/PublicKey``, ``Ed25519/PublicKey``, ``X25519/PublicKey``, ``MLDSA/PublicKey``,
/// ``RSA/PublicKey``.
public protocol AsymmetricPublicKey: Sendable, Hashable {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER.
    ///
    /// - Throws: `invalidEncoding`, `unsupported` for another kind of key, or `invalidKey` for one that cannot be right,
    ///   such as a point off its curve.
    init(subjectPublicKeyInfo: Span<UInt8>) throws(CryptographyError)

    /// The key as a SubjectPublicKeyInfo in DER.
    var subjectPublicKeyInfo: [UInt8] { get }
}

extension AsymmetricPublicKey {
    /// Reads a SubjectPublicKeyInfo from an array.
    public init(subjectPublicKeyInfo bytes: [UInt8]) throws(CryptographyError) {
        try self.init(subjectPublicKeyInfo: bytes.span)
    }

    /// Keys of one encoding are the same.
    public static func == (left: Self, right: Self) -> Bool {
        left.subjectPublicKeyInfo == right.subjectPublicKeyInfo
    }

    /// Hashes the encoding.
    public func hash(into hasher: inout Hasher) { hasher.combine(subjectPublicKeyInfo) }
}

/// A private key, held by OpenSSL, which goes out only into secret memory or encrypted.
///
/// Conformers: ``ECDSA/PrivateKey``, ``ECDH/PrivateKey``, ``Ed25519/PrivateKey``, ``X25519/PrivateKey``,
/// ``MLDSA/PrivateKey``, ``RSA/PrivateKey``.
public protocol AsymmetricPrivateKey: Sendable {
    /// The public half's type.
    associatedtype PublicKey: AsymmetricPublicKey

    /// The public half.
    var publicKey: PublicKey { get throws(CryptographyError) }

    /// Reads a PKCS #8 structure (RFC 5958) in DER. A public half in it must belong to the private one.
    ///
    /// - Throws: `invalidEncoding`, `unsupported` for another kind of key, or `invalidKey` for one that cannot be right.
    init(pkcs8: Span<UInt8>) throws(CryptographyError)

    /// The key as a PKCS #8 structure in DER.
    func pkcs8() throws(CryptographyError) -> SecretBytes
}

extension AsymmetricPrivateKey {
    /// Reads a PKCS #8 structure from secret memory.
    public init(pkcs8: borrowing SecretBytes) throws(CryptographyError) { try self.init(pkcs8: pkcs8.bytes) }

    /// Reads an encrypted PKCS #8 structure (RFC 5958, section 3), sealed by PBES2 (RFC 8018) with PBKDF2 or scrypt and
    /// AES-CBC.
    ///
    /// - Throws: `authenticationFailure` for a wrong passphrase or a changed content, without telling which;
    ///   `unsupported` for other schemes, such as PKCS #12's.
    public init(
        encryptedPKCS8 bytes: Span<UInt8>, passphrase: borrowing SecretBytes
    ) throws(CryptographyError) {
        let opened = try EncryptedPrivateKeyInfo.open(bytes, passphrase)
        do throws(CryptographyError) {
            try self.init(pkcs8: opened.bytes)
        } catch {
            // The padding fits by chance once in 256 wrong passphrases, and what it leaves is no key.
            throw error.code == .invalidEncoding ? CryptographyError(.authenticationFailure) : error
        }
    }

    /// The key as an encrypted PKCS #8 structure in DER, which OpenSSL and others read.
    public func encryptedPKCS8(
        passphrase: borrowing SecretBytes, _ derivation: PassphraseDerivation = .pbkdf2()
    ) throws(CryptographyError) -> [UInt8] {
        try EncryptedPrivateKeyInfo.seal(try pkcs8(), passphrase, derivation)
    }
}

/// How a key file's passphrase becomes its key.
public enum PassphraseDerivation: Sendable, Hashable {
    /// PBKDF2 with HMAC-SHA-256: what every tool reads. OWASP's count of 2023 by default.
    case pbkdf2(iterations: Int = 600_000)
    /// scrypt (RFC 7914, section 7): costs a guesser memory too. OpenSSL reads it, many others do not.
    case scrypt(Scrypt = .standard)
}
