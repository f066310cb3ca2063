/// A cipher suite by its number in the registry of IANA. Only those with forward secrecy have names here.
public struct CipherSuite: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt16

    /// Any number, such as one that a peer has sent.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// TLS_AES_128_GCM_SHA256
    public static let aes128GCM = CipherSuite(rawValue: 0x1301)
    /// TLS_AES_256_GCM_SHA384
    public static let aes256GCM = CipherSuite(rawValue: 0x1302)
    /// TLS_CHACHA20_POLY1305_SHA256
    public static let chaCha20Poly1305 = CipherSuite(rawValue: 0x1303)
    /// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    public static let ecdheECDSAWithAES128GCM = CipherSuite(rawValue: 0xC02B)
    /// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    public static let ecdheRSAWithAES128GCM = CipherSuite(rawValue: 0xC02F)
    /// TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    public static let ecdheECDSAWithAES256GCM = CipherSuite(rawValue: 0xC02C)
    /// TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
    public static let ecdheRSAWithAES256GCM = CipherSuite(rawValue: 0xC030)
    /// TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
    public static let ecdheECDSAWithAES128CBC = CipherSuite(rawValue: 0xC023)
    /// TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
    public static let ecdheRSAWithAES128CBC = CipherSuite(rawValue: 0xC027)
    /// TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384
    public static let ecdheECDSAWithAES256CBC = CipherSuite(rawValue: 0xC024)
    /// TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384
    public static let ecdheRSAWithAES256CBC = CipherSuite(rawValue: 0xC028)

    /// IANA's name, or the number.
    public var description: String {
        CipherSuite.names[self]?.registered ?? RegistryNumber.text(rawValue)
    }

    /// OpenSSL's name; nil for a suite that is not here.
    var native: String? { CipherSuite.names[self]?.native }

    /// Whether it is one of TLS 1.3, which say nothing of keys.
    var isOfTLS13: Bool { rawValue >> 8 == 0x13 }

    private static let names: [CipherSuite: (registered: String, native: String)] = [
        .aes128GCM: ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        .aes256GCM: ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
        .chaCha20Poly1305: ("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
        .ecdheECDSAWithAES128GCM: ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        .ecdheRSAWithAES128GCM: ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        .ecdheECDSAWithAES256GCM: ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        .ecdheRSAWithAES256GCM: ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
        .ecdheECDSAWithAES128CBC: ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"),
        .ecdheRSAWithAES128CBC: ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"),
        .ecdheECDSAWithAES256CBC: ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"),
        .ecdheRSAWithAES256CBC: ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384"),
    ]
}
