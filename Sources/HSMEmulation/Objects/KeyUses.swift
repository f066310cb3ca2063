/// What a key may be used for, as PKCS #11's flags say it (version 3.0, sections 4.8 to 4.10).
///
/// A key that moves other keys - wraps or unwraps them - does nothing else: with `decrypt` beside `wrap`, anybody could
/// decrypt what was wrapped (J. Clulow, "On the Security of PKCS #11", CHES 2003).
public struct KeyUses: OptionSet, Sendable, Hashable, Codable {
    /// The flags' bits.
    public let rawValue: UInt16

    /// Wraps bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Signs, or makes message authentication codes (CKA_SIGN).
    public static let sign = KeyUses(rawValue: 1 << 0)
    /// Checks message authentication codes (CKA_VERIFY).
    public static let verify = KeyUses(rawValue: 1 << 1)
    /// Encrypts (CKA_ENCRYPT).
    public static let encrypt = KeyUses(rawValue: 1 << 2)
    /// Decrypts (CKA_DECRYPT).
    public static let decrypt = KeyUses(rawValue: 1 << 3)
    /// Wraps other keys (CKA_WRAP).
    public static let wrap = KeyUses(rawValue: 1 << 4)
    /// Unwraps other keys (CKA_UNWRAP).
    public static let unwrap = KeyUses(rawValue: 1 << 5)
    /// Agrees on secrets (CKA_DERIVE).
    public static let derive = KeyUses(rawValue: 1 << 6)

    private static let moving: KeyUses = [.wrap, .unwrap]
    private static let names: [(KeyUses, String)] = [
        (.sign, "sign"), (.verify, "verify"), (.encrypt, "encrypt"), (.decrypt, "decrypt"), (.wrap, "wrap"),
        (.unwrap, "unwrap"), (.derive, "derive"),
    ]

    /// Whether the uses go together.
    var isConsistent: Bool { isDisjoint(with: KeyUses.moving) || isSubset(of: KeyUses.moving) }

    /// The uses' names.
    var text: String { KeyUses.names.filter { contains($0.0) }.map(\.1).joined(separator: ",") }
}
