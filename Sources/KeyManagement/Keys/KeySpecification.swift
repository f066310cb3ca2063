public import Cryptography

/// What kind of key to make, for a purpose (AWS KMS, "Key spec reference").
public struct KeySpecification<Purpose: KeyPurpose>: Sendable, Hashable {
    /// AWS's name of the kind.
    public let name: String

    init(name: String) { self.name = name }

    /// The kind of a name of AWS's; nil for one that is unknown, not for this purpose, or not in the linked OpenSSL.
    public init?(_ name: String) {
        // Other characters may be the same to Swift, and are not to policies.
        guard name.utf8.allSatisfy({ $0 < 128 }) else { return nil }
        let isSymmetric = name == KeySpecification<Encryption>.symmetric.name
        let isKnown =
            isSymmetric
            ? Purpose.usage == Encryption.usage : MaterialKind.kind(name, usage: Purpose.usage)?.isAvailable == true
        guard isKnown, Purpose.covers(specification: name) else { return nil }
        self.name = name
    }
}

extension KeySpecification where Purpose == Encryption {
    /// SYMMETRIC_DEFAULT: AES-256-GCM under a key derived for each message.
    public static var symmetric: KeySpecification { KeySpecification(name: "SYMMETRIC_DEFAULT") }
}

extension KeySpecification where Purpose == AsymmetricEncryption {
    /// RSA_2048, RSA_3072 or RSA_4096, for RSAES-OAEP.
    public static func rsaOAEP(_ size: RSAKeySize) -> KeySpecification { KeySpecification(name: size.rawValue) }

    /// SM2 with SM3.
    public static var sm2: KeySpecification { KeySpecification(name: MaterialKind.sm2) }
}

extension KeySpecification where Purpose == Signing {
    /// ECDSA on a curve: ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521 or ECC_SECG_P256K1.
    public static func ecdsa(_ curve: EllipticCurve) -> KeySpecification {
        KeySpecification(name: MaterialKind.name(curve))
    }

    /// ECC_NIST_EDWARDS25519.
    public static var ed25519: KeySpecification { KeySpecification(name: MaterialKind.edwards) }

    /// SM2 with SM3.
    public static var sm2: KeySpecification { KeySpecification(name: MaterialKind.sm2) }

    /// ML_DSA_44, ML_DSA_65 or ML_DSA_87, where ``MLDSA/isAvailable``.
    public static func mlDSA(_ parameters: MLDSA.ParameterSet) -> KeySpecification {
        KeySpecification(name: MaterialKind.name(parameters))
    }

    /// RSA_2048, RSA_3072 or RSA_4096, for both RSASSA-PSS and RSASSA-PKCS1-v1_5.
    public static func rsa(_ size: RSAKeySize) -> KeySpecification { KeySpecification(name: size.rawValue) }
}

extension KeySpecification where Purpose == Authentication {
    /// HMAC_224, HMAC_256, HMAC_384 or HMAC_512.
    public static func hmac(_ size: HMACKeySize) -> KeySpecification { KeySpecification(name: size.rawValue) }
}

extension KeySpecification where Purpose == DeterministicEncryption {
    /// AES_256_SIV: AES-SIV (RFC 5297) with 512 bits of key, derived for each context.
    public static var aesSIV: KeySpecification { KeySpecification(name: MaterialKind.aesSIV) }
}

extension KeySpecification where Purpose == Derivation {
    /// HKDF_SHA_256 (RFC 5869).
    public static var hkdfSHA256: KeySpecification { KeySpecification(name: MaterialKind.hkdf) }
}

extension KeySpecification where Purpose == Agreement {
    /// ECDH on a curve of NIST's: ECC_NIST_P256, ECC_NIST_P384 or ECC_NIST_P521.
    public static func ecdh(_ curve: NISTCurve) -> KeySpecification { KeySpecification(name: curve.rawValue) }
}

/// The sizes of RSA keys.
public enum RSAKeySize: String, Sendable, Hashable, CaseIterable {
    /// 2048 bits.
    case bits2048 = "RSA_2048"
    /// 3072 bits.
    case bits3072 = "RSA_3072"
    /// 4096 bits.
    case bits4096 = "RSA_4096"

    var bits: Int {
        switch self {
        case .bits2048: 2048
        case .bits3072: 3072
        case .bits4096: 4096
        }
    }
}

/// The hash functions of keys for message authentication codes; a key is as long as its function's digest.
public enum HMACKeySize: String, Sendable, Hashable, CaseIterable {
    /// HMAC with SHA-224.
    case sha224 = "HMAC_224"
    /// HMAC with SHA-256.
    case sha256 = "HMAC_256"
    /// HMAC with SHA-384.
    case sha384 = "HMAC_384"
    /// HMAC with SHA-512.
    case sha512 = "HMAC_512"
}

/// The curves on which managed keys agree.
public enum NISTCurve: String, Sendable, Hashable, CaseIterable {
    /// NIST P-256.
    case p256 = "ECC_NIST_P256"
    /// NIST P-384.
    case p384 = "ECC_NIST_P384"
    /// NIST P-521.
    case p521 = "ECC_NIST_P521"
}

/// What the material of a specification and a usage is.
enum MaterialKind {
    static let edwards = "ECC_NIST_EDWARDS25519"
    static let aesSIV = "AES_256_SIV"
    static let hkdf = "HKDF_SHA_256"
    static let sm2 = "SM2"

    static func name(_ curve: EllipticCurve) -> String {
        switch curve {
        case .p256: "ECC_NIST_P256"
        case .p384: "ECC_NIST_P384"
        case .p521: "ECC_NIST_P521"
        case .secp256k1: "ECC_SECG_P256K1"
        }
    }

    static func name(_ parameters: MLDSA.ParameterSet) -> String {
        switch parameters {
        case .mldsa44: "ML_DSA_44"
        case .mldsa65: "ML_DSA_65"
        case .mldsa87: "ML_DSA_87"
        }
    }

    /// The names of what keys of a kind do: AWS's, where AWS has one.
    static func algorithms(_ record: KeyRecord) -> [String] {
        switch record.pairKind {
        case _ where [aesSIV, hkdf].contains(record.specification): [record.specification]
        case .ecdsa, .ed25519, .mlDSA, .sm2Signing, .rsaSigning:
            record.pairKind?.managedSignatureAlgorithms.map(\.managedName) ?? []
        case .rsaDecryption, .sm2Decryption: record.pairKind?.managedEncryptionAlgorithms.map(\.description) ?? []
        case .authentication(let function): ["HMAC_SHA_\(function.digestByteCount * 8)"]
        case .ecdh: ["ECDH"]
        default: record.isSymmetric ? [KeySpecification<Encryption>.symmetric.name] : []
        }
    }

    /// The name of a public key's kind, with its size.
    static func name(publicKey bytes: Span<UInt8>) throws(CryptographyError) -> String {
        switch try KeyAlgorithm(subjectPublicKeyInfo: bytes) {
        case .ellipticCurve(let curve): name(curve)
        case .ed25519: edwards
        case .mlDSA(let parameters): name(parameters)
        case .sm2: sm2
        case .rsa: "RSA_\(try RSA.PublicKey(subjectPublicKeyInfo: bytes).modulusByteCount * 8)"
        case .x25519: throw CryptographyError(.unsupported, "X25519 keys are for agreement")
        }
    }

    /// The kind; nil for symmetric encryption, whose material derives keys.
    static func kind(_ specification: String, usage: String) -> CustodialKeyKind? {
        let curve = EllipticCurve.allCases.first { name($0) == specification }
        if let size = RSAKeySize(rawValue: specification) {
            return usage == Signing.usage
                ? .rsaSigning(bits: size.bits)
                : usage == AsymmetricEncryption.usage ? .rsaDecryption(bits: size.bits) : nil
        }
        switch (usage, specification) {
        case (Signing.usage, edwards): return .ed25519
        case (Signing.usage, sm2): return .sm2Signing
        case (AsymmetricEncryption.usage, sm2): return .sm2Decryption
        case (Signing.usage, _):
            let parameters = MLDSA.ParameterSet.allCases.first { name($0) == specification }
            return parameters.map { .mlDSA($0) } ?? curve.map { .ecdsa($0) }
        case (Agreement.usage, _): return curve.map { .ecdh($0) }
        case (Authentication.usage, "HMAC_224"): return .authentication(.sha224)
        case (Authentication.usage, "HMAC_256"): return .authentication(.sha256)
        case (Authentication.usage, "HMAC_384"): return .authentication(.sha384)
        case (Authentication.usage, "HMAC_512"): return .authentication(.sha512)
        // They derive, each by a label of its own.
        case (DeterministicEncryption.usage, aesSIV), (Derivation.usage, hkdf): return .authentication(.sha256)
        default: return nil
        }
    }
}
