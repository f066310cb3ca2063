public import Cryptography

/// How a message's data key encrypts its body: the eleven suites of the AWS Encryption SDK.
///
/// The two that commit to the data key are the ones for use; the other nine are here to read and write what older
/// systems need, and ``CommitmentPolicy`` keeps them out unless it is told otherwise. Source: AWS Encryption SDK
/// Developer Guide, "Supported algorithm suites"; specification, framework/algorithm-suites.
public struct AlgorithmSuite: Sendable, Hashable, CustomStringConvertible {
    /// The identifier in message headers. All else follows from it, so that a suite is as cheap to pass on as a number.
    public let id: UInt16

    private init(_ id: UInt16) { self.id = id }

    /// Finds a suite by its identifier; nil for none of the eleven.
    public init?(id: UInt16) {
        guard AlgorithmSuite.all.contains(where: { $0.id == id }) else { return nil }
        self.id = id
    }

    /// The data key's length in bytes: 16, 24 or 32.
    public var keyByteCount: Int {
        switch id & 0xFF {
        case 0x14: 16
        case 0x46: 24
        default: 32
        }
    }

    /// The hash function of the derivation of the message's key from the data key; nil where the data key is the message's
    /// key, which then must not serve a second message.
    public var derivationFunction: HashFunction? {
        switch id >> 8 {
        case 0x00: nil
        case 0x01, 0x02: .sha256
        case 0x03: .sha384
        default: .sha512
        }
    }

    /// Whether the message's key is derived from the data key.
    var derivesKeys: Bool { id >> 8 != 0 }

    /// The curve of the ECDSA signature over the whole message; nil without one. Who may open a signed message cannot make
    /// one.
    public var signatureCurve: EllipticCurve? {
        switch id >> 8 {
        case 0x02: .p256
        case 0x03, 0x05: .p384
        default: nil
        }
    }

    /// Whether a header commits to the data key. Without, who makes a message can make it open under two keys, to two
    /// contents.
    public var isCommitting: Bool { id >> 8 >= 0x04 }

    /// Whether messages end in a signature.
    public var isSigned: Bool { signatureCurve != nil }
    /// The version of the message format.
    var messageVersion: UInt8 { isCommitting ? 2 : 1 }
    /// The length of a message's identifier in bytes.
    var messageIDCount: Int { isCommitting ? 32 : 16 }

    /// Four hexadecimal digits.
    public var description: String { String(UInt32(id) + 0x10000, radix: 16).dropFirst().description }
}

extension AlgorithmSuite {
    /// 0478: AES-256-GCM, HKDF-SHA-512 with key commitment, no signature. Its frames can be released one by one.
    public static let committing = AlgorithmSuite(0x0478)
    /// 0578: the same with an ECDSA signature on P-384 over the whole message: the default.
    public static let committingSigned = AlgorithmSuite(0x0578)

    /// 0014: AES-128-GCM under the data key itself.
    public static let aes128GCM = AlgorithmSuite(0x0014)
    /// 0046: AES-192-GCM under the data key itself.
    public static let aes192GCM = AlgorithmSuite(0x0046)
    /// 0078: AES-256-GCM under the data key itself.
    public static let aes256GCM = AlgorithmSuite(0x0078)
    /// 0114: AES-128-GCM, HKDF-SHA-256.
    public static let aes128GCMSHA256 = AlgorithmSuite(0x0114)
    /// 0146: AES-192-GCM, HKDF-SHA-256.
    public static let aes192GCMSHA256 = AlgorithmSuite(0x0146)
    /// 0178: AES-256-GCM, HKDF-SHA-256.
    public static let aes256GCMSHA256 = AlgorithmSuite(0x0178)
    /// 0214: AES-128-GCM, HKDF-SHA-256, ECDSA on P-256.
    public static let aes128GCMSHA256P256 = AlgorithmSuite(0x0214)
    /// 0346: AES-192-GCM, HKDF-SHA-384, ECDSA on P-384.
    public static let aes192GCMSHA384P384 = AlgorithmSuite(0x0346)
    /// 0378: AES-256-GCM, HKDF-SHA-384, ECDSA on P-384.
    public static let aes256GCMSHA384P384 = AlgorithmSuite(0x0378)

    /// Every suite, by identifier.
    public static let all: [AlgorithmSuite] = [
        aes128GCM, aes192GCM, aes256GCM, aes128GCMSHA256, aes192GCMSHA256, aes256GCMSHA256, aes128GCMSHA256P256,
        aes192GCMSHA384P384, aes256GCMSHA384P384, committing, committingSigned,
    ]
}
