internal import CStrongroomLibSSL

/// A session that a client can resume.
@safe package final class NativeTLSSession: @unchecked Sendable {
    // Safe to send: it is not changed any more, and OpenSSL counts its references atomically.
    let pointer: OpaquePointer

    init(taking session: OpaquePointer) { unsafe pointer = unsafe session }

    deinit { unsafe SSL_SESSION_free(pointer) }

    /// How long the server promises to know it, in seconds.
    package var lifetime: Int { Int(unsafe SSL_SESSION_get_ticket_lifetime_hint(pointer)) }

    /// Whether libssl would resume it.
    package var isResumable: Bool { unsafe SSL_SESSION_is_resumable(pointer) == 1 }

    /// Whether it is of TLS 1.3, where each ticket is for one connection (RFC 8446, C.4).
    package var isForOneConnection: Bool { unsafe SSL_SESSION_get_protocol_version(pointer) >= TLS1_3_VERSION }
}
