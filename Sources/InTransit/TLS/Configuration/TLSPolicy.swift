/// Which versions, suites, groups and signatures a side takes, best first.
///
/// All policies here have forward secrecy and nothing that is broken; they differ in how old a peer they talk to. Suites of
/// TLS 1.2 with CBC are in ``compatible`` alone.
public struct TLSPolicy: Sendable, Hashable {
    /// The oldest and the newest version.
    public var versions: ClosedRange<TLSVersion>
    /// The suites of all versions.
    public var suites: [CipherSuite]
    /// The groups for the key exchange.
    public var groups: [KeyExchangeGroup]
    /// How the two sides may sign.
    public var signatureSchemes: [SignatureScheme]

    /// Any combination.
    public init(
        versions: ClosedRange<TLSVersion>, suites: [CipherSuite],
        groups: [KeyExchangeGroup] = [.x25519, .secp256r1, .secp384r1],
        signatureSchemes: [SignatureScheme] = TLSPolicy.allSchemes
    ) {
        self.versions = versions
        self.suites = suites
        self.groups = groups
        self.signatureSchemes = signatureSchemes
    }

    /// TLS 1.3 alone.
    public static let modern = TLSPolicy(versions: .tls13 ... .tls13, suites: suites13)

    /// TLS 1.3, and TLS 1.2 with authenticated encryption. The default.
    public static let recommended = TLSPolicy(versions: .tls12 ... .tls13, suites: suites13 + gcm)

    /// As ``recommended``, and TLS 1.2 with CBC and HMAC too, for peers of before 2015.
    public static let compatible = TLSPolicy(versions: .tls12 ... .tls13, suites: suites13 + gcm + cbc)

    /// Every scheme that has a name here.
    public static let allSchemes: [SignatureScheme] = [
        .ecdsaSHA256, .ecdsaSHA384, .ecdsaSHA512, .ed25519, .rsaPSSSHA256, .rsaPSSSHA384, .rsaPSSSHA512,
        .rsaPKCS1v15SHA256, .rsaPKCS1v15SHA384, .rsaPKCS1v15SHA512,
    ]

    private static let suites13: [CipherSuite] = [.aes128GCM, .aes256GCM, .chaCha20Poly1305]
    private static let gcm: [CipherSuite] = [
        .ecdheECDSAWithAES128GCM, .ecdheRSAWithAES128GCM, .ecdheECDSAWithAES256GCM, .ecdheRSAWithAES256GCM,
    ]
    private static let cbc: [CipherSuite] = [
        .ecdheECDSAWithAES128CBC, .ecdheRSAWithAES128CBC, .ecdheECDSAWithAES256CBC, .ecdheRSAWithAES256CBC,
    ]
}
