/// A way of signing by its number in the registry of IANA (RFC 8446, 4.2.3).
public struct SignatureScheme: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt16

    /// Any number, such as one that a peer has sent.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// ecdsa_secp256r1_sha256; in TLS 1.2, ECDSA on any curve with SHA-256.
    public static let ecdsaSHA256 = SignatureScheme(rawValue: 0x0403)
    /// ecdsa_secp384r1_sha384
    public static let ecdsaSHA384 = SignatureScheme(rawValue: 0x0503)
    /// ecdsa_secp521r1_sha512
    public static let ecdsaSHA512 = SignatureScheme(rawValue: 0x0603)
    /// ed25519
    public static let ed25519 = SignatureScheme(rawValue: 0x0807)
    /// rsa_pss_rsae_sha256
    public static let rsaPSSSHA256 = SignatureScheme(rawValue: 0x0804)
    /// rsa_pss_rsae_sha384
    public static let rsaPSSSHA384 = SignatureScheme(rawValue: 0x0805)
    /// rsa_pss_rsae_sha512
    public static let rsaPSSSHA512 = SignatureScheme(rawValue: 0x0806)
    /// rsa_pkcs1_sha256; in TLS 1.2 only.
    public static let rsaPKCS1v15SHA256 = SignatureScheme(rawValue: 0x0401)
    /// rsa_pkcs1_sha384; in TLS 1.2 only.
    public static let rsaPKCS1v15SHA384 = SignatureScheme(rawValue: 0x0501)
    /// rsa_pkcs1_sha512; in TLS 1.2 only.
    public static let rsaPKCS1v15SHA512 = SignatureScheme(rawValue: 0x0601)

    /// IANA's name, or the number.
    public var description: String {
        SignatureScheme.known[self]?.name ?? RegistryNumber.text(rawValue)
    }

    /// What a ``Signer`` calls it; nil for a scheme that is not here.
    public var algorithm: SignatureAlgorithm? { SignatureScheme.known[self]?.algorithm }

    /// IANA's name, which OpenSSL knows too.
    var native: String? { SignatureScheme.known[self]?.name }

    private static let known: [SignatureScheme: (name: String, algorithm: SignatureAlgorithm)] = [
        .ecdsaSHA256: ("ecdsa_secp256r1_sha256", .ecdsaSHA256),
        .ecdsaSHA384: ("ecdsa_secp384r1_sha384", .ecdsaSHA384),
        .ecdsaSHA512: ("ecdsa_secp521r1_sha512", .ecdsaSHA512),
        .ed25519: ("ed25519", .ed25519),
        .rsaPSSSHA256: ("rsa_pss_rsae_sha256", .rsaPSSSHA256),
        .rsaPSSSHA384: ("rsa_pss_rsae_sha384", .rsaPSSSHA384),
        .rsaPSSSHA512: ("rsa_pss_rsae_sha512", .rsaPSSSHA512),
        .rsaPKCS1v15SHA256: ("rsa_pkcs1_sha256", .rsaPKCS1v15SHA256),
        .rsaPKCS1v15SHA384: ("rsa_pkcs1_sha384", .rsaPKCS1v15SHA384),
        .rsaPKCS1v15SHA512: ("rsa_pkcs1_sha512", .rsaPKCS1v15SHA512),
    ]
}
