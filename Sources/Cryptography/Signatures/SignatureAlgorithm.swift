/// A way of signing: the scheme, and the hash function under it.
public struct SignatureAlgorithm: Sendable, Hashable, CustomStringConvertible {
    /// The schemes.
    public enum Scheme: String, Sendable, Hashable {
        /// ECDSA (FIPS 186-5), signatures in DER.
        case ecdsa = "ECDSA"
        /// Ed25519 (RFC 8032), which hashes by itself.
        case ed25519 = "ED25519"
        /// Ed25519ph (RFC 8032, 5.1), which signs a message's SHA-512.
        case ed25519ph = "ED25519_PH"
        /// ML-DSA (FIPS 204), which hashes by itself.
        case mlDSA = "ML_DSA_SHAKE_256"
        /// SM2 with SM3 (GB/T 32918.2), which hashes the signer's identity and the message by itself.
        case sm2DSA = "SM2DSA"
        /// RSASSA-PKCS1-v1_5 (RFC 8017, 8.2).
        case rsaPKCS1v15 = "RSASSA_PKCS1_V1_5"
        /// RSASSA-PSS (RFC 8017, 8.1), whose mask is made by the same hash function.
        case rsaPSS = "RSASSA_PSS"
    }

    /// The scheme.
    public let scheme: Scheme
    /// The hash function; nil where the scheme hashes by itself.
    public let function: HashFunction?
    /// The length of RSASSA-PSS's salt in bytes; 0 for other schemes.
    public let saltByteCount: Int
    /// AWS's name, such as "ECDSA_SHA_256".
    public let description: String

    private init(_ scheme: Scheme, _ function: HashFunction?, salt: Int = 0) {
        self.scheme = scheme
        self.function = function
        saltByteCount = salt
        description = function.map { "\(scheme.rawValue)_SHA_\($0.digestByteCount * 8)" } ?? scheme.rawValue
    }

    /// ECDSA with SHA-256.
    public static let ecdsaSHA256 = SignatureAlgorithm(.ecdsa, .sha256)
    /// ECDSA with SHA-384.
    public static let ecdsaSHA384 = SignatureAlgorithm(.ecdsa, .sha384)
    /// ECDSA with SHA-512.
    public static let ecdsaSHA512 = SignatureAlgorithm(.ecdsa, .sha512)
    /// Ed25519.
    public static let ed25519 = SignatureAlgorithm(.ed25519, nil)
    /// Ed25519ph, where ``Ed25519/isPrehashAvailable``.
    public static let ed25519ph = SignatureAlgorithm(.ed25519ph, .sha512)
    /// ML-DSA, where ``MLDSA/isAvailable``: its parameter set is the key's.
    public static let mlDSA = SignatureAlgorithm(.mlDSA, nil)
    /// SM2 with SM3.
    public static let sm2DSA = SignatureAlgorithm(.sm2DSA, nil)
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    public static let rsaPKCS1v15SHA256 = SignatureAlgorithm(.rsaPKCS1v15, .sha256)
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    public static let rsaPKCS1v15SHA384 = SignatureAlgorithm(.rsaPKCS1v15, .sha384)
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    public static let rsaPKCS1v15SHA512 = SignatureAlgorithm(.rsaPKCS1v15, .sha512)
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    public static let rsaPSSSHA256 = rsaPSS(.sha256, saltByteCount: 32)
    /// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
    public static let rsaPSSSHA384 = rsaPSS(.sha384, saltByteCount: 48)
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    public static let rsaPSSSHA512 = rsaPSS(.sha512, saltByteCount: 64)

    /// RSASSA-PSS with a salt of another length, for peers that ask for it. The salt has at most 64 bytes.
    public static func rsaPSS(_ function: HashFunction, saltByteCount: Int) -> SignatureAlgorithm {
        SignatureAlgorithm(.rsaPSS, function, salt: min(max(saltByteCount, 0), 64))
    }

    /// The digest of a message, for a scheme that signs digests.
    func digest(_ message: Span<UInt8>) throws(CryptographyError) -> Digest {
        guard let function else { throw CryptographyError(.unsupported, "\(self) signs messages, not digests") }
        return try function.hash(message)
    }

    /// Refuses another key's algorithm, and a digest of another function.
    func check(_ digest: Digest, in algorithms: [SignatureAlgorithm]) throws(CryptographyError) {
        guard let function, algorithms.contains(where: { $0.scheme == scheme && $0.function == function }) else {
            throw CryptographyError(.unsupported, "this key does not sign with \(self)")
        }
        guard digest.count == function.digestByteCount else {
            throw CryptographyError(.invalidLength, "\(self) takes digests of \(function.digestByteCount) bytes")
        }
    }
}
