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
        guard var bytes = try? SystemRandom().bytes(count: 16) else { return UUID() }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return UUID(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
                bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            ))
    }

    /// The text in lower case, as AWS writes it. The system's own goes through printf, and every event has one.
    package var lowercaseText: String { String(decoding: lowercaseDigits, as: UTF8.self) }

    /// The same in ASCII.
    var lowercaseDigits: [UInt8] {
        let octets: [16 of UInt8] = [
            uuid.0, uuid.1, uuid.2, uuid.3, uuid.4, uuid.5, uuid.6, uuid.7, uuid.8, uuid.9, uuid.10, uuid.11, uuid.12,
            uuid.13, uuid.14, uuid.15,
        ]
        let digits = Hexadecimal.digits(octets.span)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return text
    }
}
