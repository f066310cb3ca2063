internal import Cryptography
internal import KeyManagement

/// Why a message could not be sealed or opened. Two errors are equal when their codes are.
public struct EnvelopeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        fileprivate let name: String

        /// The task was cancelled.
        public static let cancelled = Code(name: "cancelled")
        /// The commitment policy does not allow the suite.
        public static let commitmentPolicy = Code(name: "commitmentPolicy")
        /// The message's encryption context is not what the caller expects, or a name that must be there is not.
        public static let contextMismatch = Code(name: "contextMismatch")
        /// A keyring or manager is set up in a way that cannot work, or is asked for what it does not do.
        public static let invalidKeyring = Code(name: "invalidKeyring")
        /// The key service refused; the reason is its message.
        public static let keyService = Code(name: "keyService")
        /// A count or length is above the limits in force.
        public static let limitExceeded = Code(name: "limitExceeded")
        /// The bytes are not a message.
        public static let malformed = Code(name: "malformed")
        /// None of the keyring's keys opens the message's data key.
        public static let noUsableKey = Code(name: "noUsableKey")
        /// The message is not what was sealed: changed, cut, extended, or sealed under another key. No detail.
        public static let notAuthentic = Code(name: "notAuthentic")
        /// A range that reaches beyond the plaintext.
        public static let outOfRange = Code(name: "outOfRange")
        /// Reading or writing failed.
        public static let stream = Code(name: "stream")
        /// A version or suite that this release does not read, or an operation that the message's suite does not allow.
        public static let unsupported = Code(name: "unsupported")
    }

    /// The kind of failure.
    public let code: Code
    /// For a person. Never a secret.
    public let reason: String

    /// Describes a failure.
    public init(_ code: Code, _ reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// The kind, and the reason where there is one.
    public var description: String { reason.isEmpty ? code.name : "\(code.name): \(reason)" }

    /// Compares the codes only.
    public static func == (left: EnvelopeError, right: EnvelopeError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// States any error of the layers below in this module's terms.
    init(wrapping error: any Error) {
        switch error {
        case let error as EnvelopeError: self = error
        case is CancellationError: self.init(.cancelled)
        case let error as KeyManagementError: self.init(.keyService, error.description)
        case let error as CryptographyError where error.code == .authenticationFailure: self.init(.notAuthentic)
        default: self.init(.stream, "\(error)")
        }
    }
}

/// Runs `body` and states its failure in this module's terms.
func stated<R: ~Copyable>(_ body: () async throws -> R) async throws(EnvelopeError) -> R {
    do { return try await body() } catch { throw EnvelopeError(wrapping: error) }
}
