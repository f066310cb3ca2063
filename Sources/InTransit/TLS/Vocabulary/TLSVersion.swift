/// A version of the protocol.
public enum TLSVersion: UInt16, Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    /// TLS 1.2 (RFC 5246).
    case tls12 = 0x0303
    /// TLS 1.3 (RFC 8446).
    case tls13 = 0x0304

    /// Such as "TLSv1.3".
    public var description: String { self == .tls13 ? "TLSv1.3" : "TLSv1.2" }

    /// The older is less.
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}
