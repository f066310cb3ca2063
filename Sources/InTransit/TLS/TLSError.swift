/// Why a connection could not be made or cannot go on: which side gave up, what it told the other, and which certificate it
/// was about. Two errors are equal when their codes are.
public struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        let name: String

        /// What was asked for cannot be set up: a key that is not the certificate's, or a name that is none.
        public static let invalidConfiguration = Code(name: "InvalidConfiguration")
        /// The peer has shown no certificate that is trusted; ``TLSError/diagnosis`` says why.
        public static let untrustedPeer = Code(name: "UntrustedPeer")
        /// The two sides have nothing in common: no version, suite, group, signature or application protocol.
        public static let incompatible = Code(name: "Incompatible")
        /// The peer does not keep to the protocol, or somebody has changed its bytes.
        public static let protocolViolation = Code(name: "ProtocolViolation")
        /// The peer has given up; ``TLSError/alert`` is what it said.
        public static let refusedByPeer = Code(name: "RefusedByPeer")
        /// The peer's bytes have ended in the middle of the handshake.
        public static let truncated = Code(name: "Truncated")
        /// This side's key has not signed; ``TLSError/cause`` is what it threw.
        public static let signerFailure = Code(name: "SignerFailure")
        /// The connection is not made yet.
        public static let notEstablished = Code(name: "NotEstablished")
        /// This side has said that it sends no more.
        public static let closed = Code(name: "Closed")
        /// A handshake that waits for a signature was carried to another thread.
        public static let wrongThread = Code(name: "WrongThread")
        /// Something within failed that should not.
        public static let internalFailure = Code(name: "InternalFailure")
    }

    /// Which side gave up.
    public enum Side: Sendable, Hashable { case local, peer }

    /// The kind of failure.
    public let code: Code
    /// Which side gave up.
    public let side: Side
    /// What was wrong, for a person.
    public let message: String
    /// What the side that gave up told the other; nil where it said nothing.
    public var alert: TLSAlert?
    /// Why the peer's certificates were refused.
    public var diagnosis: PathDiagnosis?
    /// The peer's certificate that is to blame.
    public var certificate: Certificate?
    /// What a signer threw.
    public var cause: (any Error)?

    /// Describes a failure.
    public init(_ code: Code, _ message: String = "", side: Side = .local, alert: TLSAlert? = nil) {
        self.code = code
        self.message = message
        self.side = side
        self.alert = alert
    }

    /// One line for a person.
    public var description: String {
        var parts = [code.name]
        if let alert { parts.append(side == .local ? "sent \(alert)" : "received \(alert)") }
        if !message.isEmpty { parts.append(message) }
        if let cause { parts.append("\(cause)") }
        return parts.joined(separator: ": ")
    }

    /// Compares the codes only.
    public static func == (left: TLSError, right: TLSError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
