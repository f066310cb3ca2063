/// A curve of SP 800-186 or SEC 2.
public enum EllipticCurve: String, Sendable, Hashable, CaseIterable {
    /// NIST P-256, secp256r1.
    case p256 = "P-256"
    /// NIST P-384, secp384r1.
    case p384 = "P-384"
    /// NIST P-521, secp521r1.
    case p521 = "P-521"
    /// The curve of Bitcoin (SEC 2, 2.4.1), not among NIST's: for signatures that others ask for.
    case secp256k1 = "secp256k1"

    /// The length of a coordinate, and of a private number, in bytes.
    public var coordinateByteCount: Int {
        switch self {
        case .p256, .secp256k1: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// The hash function whose strength goes with the curve.
    public var function: HashFunction {
        switch self {
        case .p256, .secp256k1: .sha256
        case .p384: .sha384
        case .p521: .sha512
        }
    }

    /// The curve's name in key encodings (RFC 5480, 2.1.1.1).
    var identifier: DERObjectIdentifier {
        switch self {
        case .p256: EllipticCurve.prime256v1
        case .p384: EllipticCurve.secp384r1
        case .p521: EllipticCurve.secp521r1
        case .secp256k1: EllipticCurve.secp256k1Identifier
        }
    }

    private static let prime256v1 = DERObjectIdentifier(1, 2, 840, 10045, 3, 1, 7)
    private static let secp384r1 = DERObjectIdentifier(1, 3, 132, 0, 34)
    private static let secp521r1 = DERObjectIdentifier(1, 3, 132, 0, 35)
    private static let secp256k1Identifier = DERObjectIdentifier(1, 3, 132, 0, 10)
}
