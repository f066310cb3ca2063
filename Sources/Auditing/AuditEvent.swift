internal import Cryptography
public import FoundationEssentials

/// What happened, in CloudTrail's layout.
///
/// Never part of an event: plaintext, ciphertext, messages, key material, passphrases. An encryption context is, in clear.
/// Source: AWS CloudTrail User Guide, "CloudTrail record contents"; AWS KMS Developer Guide, "Understanding KMS log entries".
public struct AuditEvent: Sendable {
    /// A value of a parameter.
    public enum Value: Sendable, Hashable {
        /// A text.
        case text(String)
        /// A whole number.
        case number(Int)
        /// True or false.
        case flag(Bool)
        /// Names with texts, such as an encryption context.
        case map([String: String])
    }

    /// Who did it, as `userIdentity` shows it.
    public struct Identity: Sendable, Hashable {
        /// "IAMUser", "AssumedRole", "Root" or "AWSService".
        public let type: String
        /// The ARN, or a service's host name.
        public let arn: String
        /// Twelve digits; empty for a service.
        public let account: String

        /// Names somebody.
        public init(type: String, arn: String, account: String) {
            self.type = type
            self.arn = arn
            self.account = account
        }
    }

    /// A random UUID of this event.
    public let id: UUID
    /// When.
    public let time: Date
    /// The service, such as "kms.amazonaws.com".
    public let source: String
    /// The operation, such as "Encrypt".
    public let name: String
    /// The Region of the service.
    public let region: String
    /// The account whose resource it is.
    public let account: String
    /// Who did it.
    public let identity: Identity
    /// The operation's parameters, in the API's names.
    public var requestParameters: [(String, Value)] = []
    /// What the operation made, where the layout shows it.
    public var responseElements: [(String, Value)] = []
    /// What else is worth knowing.
    public var additionalData: [(String, Value)] = []
    /// The error's code and message where it failed.
    public var error: (code: String, message: String)?
    /// Where the request came from, where it is known.
    public var sourceIPAddress: String?
    /// With what program, where it is known.
    public var userAgent: String?
    /// Whether the operation changes nothing.
    public var isReadOnly = true
    /// The ARNs of the resources used.
    public var resources: [String] = []
    /// What kind of resources they are.
    public var resourceType = "AWS::KMS::Key"

    /// Describes an event.
    public init(
        time: Date, source: String, name: String, region: String, account: String, identity: Identity
    ) {
        id = .random()
        self.time = time
        self.source = source
        self.name = name
        self.region = region
        self.account = account
        self.identity = identity
    }
}

extension UUID {
    /// A version 4 UUID from this thread's stock of random bytes: the system's costs a call of the kernel.
    package static func random() -> UUID {
        var octets: [16 of UInt8] = .init(repeating: 0)
        var span = octets.mutableSpan
        do { try SystemRandom().fill(&span) } catch { return UUID() }
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        return UUID(
            uuid: (
                octets[0], octets[1], octets[2], octets[3], octets[4], octets[5], octets[6], octets[7], octets[8],
                octets[9], octets[10], octets[11], octets[12], octets[13], octets[14], octets[15]
            ))
    }

    /// The text in lower case, as AWS writes it. The system's own goes through printf, and every event has one.
    package var lowercaseText: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        appendDigits(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the same in ASCII.
    func appendDigits(to text: inout [UInt8]) {
        let octets = uuid
        let words = (
            Hexadecimal.digits(octets.0, octets.1, octets.2, octets.3),
            Hexadecimal.digits(octets.4, octets.5, octets.6, octets.7),
            Hexadecimal.digits(octets.8, octets.9, octets.10, octets.11),
            Hexadecimal.digits(octets.12, octets.13, octets.14, octets.15)
        )
        var digits: [36 of UInt8] = .init(repeating: UInt8(ascii: "-"))
        for index in 0..<8 {
            let shift = 8 * index
            digits[index] = UInt8(truncatingIfNeeded: words.0 >> shift)
            digits[9 + index + index / 4] = UInt8(truncatingIfNeeded: words.1 >> shift)
            digits[19 + index + index / 4] = UInt8(truncatingIfNeeded: words.2 >> shift)
            digits[28 + index] = UInt8(truncatingIfNeeded: words.3 >> shift)
        }
        text.append(copying: digits.span)
    }
}
