/// What a key in custody is, and what it is for.
public enum CustodialKeyKind: Sendable, Hashable {
    /// AES-256 in GCM: seals messages.
    case sealing
    /// AES-256 for wrapping other keys (RFC 5649).
    case wrapping
    /// HMAC with a key as long as the digest: authenticates messages.
    case authentication(HashFunction)
    /// Signs with ECDSA.
    case ecdsa(EllipticCurve)
    /// Signs with Ed25519.
    case ed25519
    /// Signs with ML-DSA, where the linked OpenSSL has it.
    case mlDSA(MLDSA.ParameterSet)
    /// Signs with SM2.
    case sm2Signing
    /// Decrypts with SM2.
    case sm2Decryption
    /// Signs with RSA of 2048, 3072 or 4096 bits.
    case rsaSigning(bits: Int)
    /// Decrypts with RSA-OAEP of 2048, 3072 or 4096 bits.
    case rsaDecryption(bits: Int)
    /// Agrees on secrets over a curve.
    case ecdh(EllipticCurve)
    /// Agrees on secrets with X25519.
    case x25519
}

extension CustodialKeyKind {
    /// Whether the linked OpenSSL has what the kind does.
    public var isAvailable: Bool {
        if case .mlDSA = self { MLDSA.isAvailable } else { true }
    }
}

extension CustodialKeyKind: LosslessStringConvertible {
    /// The kind as it is stored, such as "ecdsa P-256".
    public var description: String {
        switch self {
        case .sealing: "sealing"
        case .wrapping: "wrapping"
        case .authentication(let function): "authentication \(function)"
        case .ecdsa(let curve): "ecdsa \(curve.rawValue)"
        case .ed25519: "ed25519"
        case .mlDSA(let parameters): parameters.rawValue
        case .sm2Signing: "sm2-signing"
        case .sm2Decryption: "sm2-decryption"
        case .rsaSigning(let bits): "rsa-signing \(bits)"
        case .rsaDecryption(let bits): "rsa-decryption \(bits)"
        case .ecdh(let curve): "ecdh \(curve.rawValue)"
        case .x25519: "x25519"
        }
    }

    /// Reads a stored kind.
    public init?(_ description: String) {
        guard let kind = CustodialKeyKind.all.first(where: { $0.description == description }) else { return nil }
        self = kind
    }

    /// Every kind there is.
    public static let all: [CustodialKeyKind] = {
        let functions: [HashFunction] = [.sha224, .sha256, .sha384, .sha512, .sha3_256, .sha3_384, .sha3_512]
        return [.sealing, .wrapping, .ed25519, .x25519, .sm2Signing, .sm2Decryption]
            + functions.map { .authentication($0) }
            + EllipticCurve.allCases.flatMap { [.ecdsa($0), .ecdh($0)] }
            + MLDSA.ParameterSet.allCases.map { .mlDSA($0) }
            + [2048, 3072, 4096].flatMap { [.rsaSigning(bits: $0), .rsaDecryption(bits: $0)] }
    }()
}
