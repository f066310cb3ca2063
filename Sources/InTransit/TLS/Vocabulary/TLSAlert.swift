/// What one side tells the other before it gives up (RFC 8446, 6).
public struct TLSAlert: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The description's number.
    public let rawValue: UInt8

    /// Any number, such as one that a peer has sent.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whoever sent it sends no more.
    public static let closeNotify = TLSAlert(rawValue: 0)
    /// A message that does not belong here.
    public static let unexpectedMessage = TLSAlert(rawValue: 10)
    /// A record that does not decrypt.
    public static let badRecordMAC = TLSAlert(rawValue: 20)
    /// A record that is too long.
    public static let recordOverflow = TLSAlert(rawValue: 22)
    /// Nothing in common.
    public static let handshakeFailure = TLSAlert(rawValue: 40)
    /// A certificate that cannot be read or has a wrong name.
    public static let badCertificate = TLSAlert(rawValue: 42)
    /// A certificate for something else.
    public static let unsupportedCertificate = TLSAlert(rawValue: 43)
    /// A certificate that was revoked.
    public static let certificateRevoked = TLSAlert(rawValue: 44)
    /// A certificate that is not valid at this time.
    public static let certificateExpired = TLSAlert(rawValue: 45)
    /// A certificate that is refused for another reason.
    public static let certificateUnknown = TLSAlert(rawValue: 46)
    /// A value that is not allowed.
    public static let illegalParameter = TLSAlert(rawValue: 47)
    /// No trusted authority has issued the certificate.
    public static let unknownAuthority = TLSAlert(rawValue: 48)
    /// A message that cannot be read.
    public static let decodeError = TLSAlert(rawValue: 50)
    /// A signature or a Finished message that is wrong.
    public static let decryptError = TLSAlert(rawValue: 51)
    /// No version in common.
    public static let protocolVersion = TLSAlert(rawValue: 70)
    /// Something within failed.
    public static let internalError = TLSAlert(rawValue: 80)
    /// An extension that must be there is not.
    public static let missingExtension = TLSAlert(rawValue: 109)
    /// No server of that name is here.
    public static let unrecognizedName = TLSAlert(rawValue: 112)
    /// A client certificate was asked for, and there was none.
    public static let certificateRequired = TLSAlert(rawValue: 116)
    /// No application protocol in common.
    public static let noApplicationProtocol = TLSAlert(rawValue: 120)

    /// The name of the standard, or the number.
    public var description: String { TLSAlert.names[rawValue] ?? "alert \(rawValue)" }

    /// Those that say that the other side does not keep to the protocol.
    var isAboutTheProtocol: Bool {
        let all: [TLSAlert] = [
            .unexpectedMessage, .badRecordMAC, .recordOverflow, .illegalParameter, .decodeError, .decryptError,
            .missingExtension,
        ]
        return all.contains(self)
    }

    private static let names: [UInt8: String] = [
        0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
        40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
        45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
        49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
        71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
        109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
        113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
        120: "no_application_protocol",
    ]
}
