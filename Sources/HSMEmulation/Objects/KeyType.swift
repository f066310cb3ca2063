public import Cryptography

/// What kind of key an object is.
public enum KeyType: Sendable, Hashable {
    /// AES of 128, 192 or 256 bits.
    case aes(bits: Int)
    /// A key of HMAC, as long as the function's digest.
    case hmac(HashFunction)
    /// A pair on a curve.
    case ellipticCurve(EllipticCurve)
    /// A pair of Ed25519.
    case ed25519
    /// A pair of X25519.
    case x25519
    /// A pair of RSA, of 2048, 3072 or 4096 bits.
    case rsa(bits: Int)
}

extension KeyType: LosslessStringConvertible {
    /// The type as it is stored, such as "ec P-256".
    public var description: String {
        switch self {
        case .aes(let bits): "aes \(bits)"
        case .hmac(let function): "hmac \(function)"
        case .ellipticCurve(let curve): "ec \(curve.rawValue)"
        case .ed25519: "ed25519"
        case .x25519: "x25519"
        case .rsa(let bits): "rsa \(bits)"
        }
    }

    /// Reads a stored type.
    public init?(_ description: String) {
        guard let type = KeyType.all.first(where: { $0.description == description }) else { return nil }
        self = type
    }

    /// Every type there is.
    public static let all: [KeyType] = {
        let functions: [HashFunction] = [
            .sha1, .sha224, .sha256, .sha384, .sha512, .sha3_224, .sha3_256, .sha3_384, .sha3_512,
        ]
        return [128, 192, 256].map { .aes(bits: $0) } + functions.map { .hmac($0) }
            + EllipticCurve.allCases.map { .ellipticCurve($0) } + [.ed25519, .x25519]
            + [2048, 3072, 4096].map { .rsa(bits: $0) }
    }()

    /// What a key of this type can be used for at all.
    public var possibleUses: KeyUses {
        switch self {
        case .aes: [.encrypt, .decrypt, .wrap, .unwrap]
        case .hmac: [.sign, .verify]
        case .ellipticCurve: [.sign, .derive]
        case .ed25519: [.sign]
        case .x25519: [.derive]
        case .rsa: [.sign, .decrypt, .unwrap]
        }
    }

    /// Whether it is the private half of a pair.
    public var isPrivate: Bool {
        switch self {
        case .aes, .hmac: false
        default: true
        }
    }
}
