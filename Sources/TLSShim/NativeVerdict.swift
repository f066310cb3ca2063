internal import CStrongroomLibSSL

/// What is found about a peer's certificates, as far as the alert that the peer gets depends on it (RFC 8446, 6.2).
package enum NativeVerdict {
    case trusted
    /// certificate_expired
    case expired
    /// bad_certificate
    case bad
    /// unsupported_certificate
    case unsuitable
    /// unknown_ca
    case unknownAuthority
    /// certificate_unknown
    case refused

    /// The code from which libssl makes the alert.
    var code: Int32 {
        switch self {
        case .trusted: X509_V_OK
        case .expired: X509_V_ERR_CERT_HAS_EXPIRED
        case .bad: X509_V_ERR_CERT_REJECTED
        case .unsuitable: X509_V_ERR_INVALID_PURPOSE
        case .unknownAuthority: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        case .refused: X509_V_ERR_PERMITTED_VIOLATION
        }
    }
}
