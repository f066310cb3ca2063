/// How a message's data key encrypts its body. Source: AWS Encryption SDK Developer Guide, "Supported algorithm suites".
public struct AlgorithmSuite: Sendable, Hashable, CustomStringConvertible {
    /// The identifier in message headers.
    public let id: UInt16
    /// The data key's length in bytes.
    public let keyByteCount: Int
    /// Whether the message ends in an ECDSA signature (P-384, SHA-384).
    public let isSigned: Bool

    /// 0478: AES-256-GCM, HKDF-SHA-512 with key commitment, no signature. Its frames can be released one by one.
    public static let committing = AlgorithmSuite(id: 0x0478, keyByteCount: 32, isSigned: false)
    /// 0578: the same with an ECDSA signature over the whole message: the default. Who may open messages cannot make one.
    public static let committingSigned = AlgorithmSuite(id: 0x0578, keyByteCount: 32, isSigned: true)

    /// Finds a suite by its identifier.
    init?(id: UInt16) {
        switch id {
        case AlgorithmSuite.committing.id: self = .committing
        case AlgorithmSuite.committingSigned.id: self = .committingSigned
        default: return nil
        }
    }

    private init(id: UInt16, keyByteCount: Int, isSigned: Bool) {
        self.id = id
        self.keyByteCount = keyByteCount
        self.isSigned = isSigned
    }

    /// Four hexadecimal digits.
    public var description: String { String(UInt32(id) + 0x10000, radix: 16).dropFirst().description }
}
