/// A key that authenticates messages: software, in an HSM, or managed by a key service.
///
/// It is asynchronous because a key may be elsewhere. ``HMAC`` and ``CMAC`` answer at once, and have synchronous calls of
/// the same names.
public protocol MessageAuthenticator: Sendable {
    /// The length of a tag in bytes.
    var tagByteCount: Int { get }

    /// The tag of a message.
    func authenticate(_ message: Span<UInt8>) async throws -> Digest

    /// Whether `tag` is the message's, compared in constant time. A tag cut short is not.
    func isValid(_ tag: Span<UInt8>, for message: Span<UInt8>) async throws -> Bool
}

extension MessageAuthenticator {
    /// Whether `tag` is the message's, compared in constant time. A tag cut short is not.
    public func isValid(_ tag: Span<UInt8>, for message: Span<UInt8>) async throws -> Bool {
        try await authenticate(message).bytes.isEqualInConstantTime(to: tag)
    }
}
