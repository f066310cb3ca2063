internal import OpenSSLShim

/// Why libssl gave a connection up.
package struct NativeTLSFailure: Error, Sendable {
    /// The description of the alert that went to the peer (RFC 8446, 6), where one did.
    package var sentAlert: UInt8?
    /// The description of the alert that came from the peer, where one did.
    package var receivedAlert: UInt8?
    /// What libssl says, the first reason first.
    package var reasons: [String]
    /// What a signer threw.
    package var cause: (any Error)?
    /// Whether the peer said that it sends no more, in the middle of the handshake.
    package var isEnded = false
    /// Whether this is a forked child: the session is its parent's.
    package var isForked = false

    /// Empties this thread's OpenSSL error queue.
    static func drain() -> [String] {
        guard case .refused(_, let reasons) = NativeError.drained("libssl") else { return [] }
        return reasons
    }
}
