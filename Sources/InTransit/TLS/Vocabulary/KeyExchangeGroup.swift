/// A group of the key exchange by its number in the registry of IANA (RFC 8446, 4.2.7).
public struct KeyExchangeGroup: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt16

    /// Any number, such as one that a peer has sent.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// X25519 (RFC 7748)
    public static let x25519 = KeyExchangeGroup(rawValue: 0x001D)
    /// NIST P-256
    public static let secp256r1 = KeyExchangeGroup(rawValue: 0x0017)
    /// NIST P-384
    public static let secp384r1 = KeyExchangeGroup(rawValue: 0x0018)
    /// NIST P-521
    public static let secp521r1 = KeyExchangeGroup(rawValue: 0x0019)

    /// IANA's name, or the number.
    public var description: String {
        KeyExchangeGroup.names[self]?.registered
            ?? RegistryNumber.text(rawValue)
    }

    /// OpenSSL's name; nil for a group that is not here.
    var native: String? { KeyExchangeGroup.names[self]?.native }

    /// By the name that libssl gives the group of a connection.
    init?(negotiated name: String) {
        guard let known = KeyExchangeGroup.names.first(where: { $0.value.negotiated == name }) else { return nil }
        self = known.key
    }

    private static let names: [KeyExchangeGroup: (registered: String, native: String, negotiated: String)] = [
        .x25519: ("x25519", "X25519", "X25519"),
        .secp256r1: ("secp256r1", "P-256", "prime256v1"),
        .secp384r1: ("secp384r1", "P-384", "secp384r1"),
        .secp521r1: ("secp521r1", "P-521", "secp521r1"),
    ]
}
