/// A symmetric key that seals messages, wherever it is: software, in an HSM, or managed by a key service.
///
/// It draws its nonces itself and returns them as part of what it seals, in a form of its own. Conformers: every
/// ``AuthenticatedCipher``, and the sealing keys of a ``KeyCustodian``.
public protocol Sealer: Sendable {
    /// Encrypts and authenticates a message, and authenticates data along with it.
    func seal(_ plaintext: Span<UInt8>, authenticating data: Span<UInt8>) async throws -> [UInt8]

    /// Decrypts what this key sealed with the same data.
    ///
    /// - Throws: one error for whatever is not that, without a reason.
    func open(_ sealed: Span<UInt8>, authenticating data: Span<UInt8>) async throws -> SecretBytes
}
