/// Makes keys, keeps them, and lets them be used without giving them away: a software store, a partition of an HSM, an
/// external key store.
///
/// A key goes by a ``KeyHandle``, which may be stored anywhere. It leaves its custodian only wrapped under another of
/// its keys. What a key may do is fixed when it is made: the accessor for another use throws.
public protocol KeyCustodian: Sendable {
    /// Makes a key.
    ///
    /// - Throws: `unsupported` for a kind that this custodian does not keep.
    func makeKey(_ kind: CustodialKeyKind) async throws -> KeyHandle

    /// What a key is.
    ///
    /// - Throws: `unknownKey` for a handle of another custodian, or of a key that has been destroyed. So do all the calls
    ///   below, and the keys that they return.
    func kind(of handle: KeyHandle) async throws -> CustodialKeyKind

    /// A key for sealing.
    func sealer(_ handle: KeyHandle) async throws -> any Sealer

    /// A key for authenticating messages.
    func authenticator(_ handle: KeyHandle) async throws -> any MessageAuthenticator

    /// A key for signing.
    func signer(_ handle: KeyHandle) async throws -> any Signer

    /// A key for decrypting short secrets.
    func decryptor(_ handle: KeyHandle) async throws -> any Decryptor

    /// A key for agreeing on secrets.
    func keyAgreement(_ handle: KeyHandle) async throws -> any KeyAgreement

    /// A key, wrapped under a wrapping key by AES-KWP (RFC 5649): raw bytes, or PKCS #8 for a private key.
    func wrap(_ handle: KeyHandle, under wrapping: KeyHandle) async throws -> [UInt8]

    /// Takes a wrapped key into custody.
    ///
    /// - Throws: `authenticationFailure` where the wrapping key did not wrap it, `invalidKey` where it is no key of this
    ///   kind. Which of two uses a private key was made for is not part of the wrapped form.
    func unwrap(
        _ wrapped: Span<UInt8>, as kind: CustodialKeyKind, under wrapping: KeyHandle
    ) async throws -> KeyHandle

    /// Destroys a key. There is no way back.
    func destroy(_ handle: KeyHandle) async throws
}

/// The name of a key at its custodian: opaque, not secret, fit for storing.
public struct KeyHandle: Sendable, Hashable, CustomStringConvertible {
    /// The name as bytes, whose meaning only the custodian knows.
    public let bytes: [UInt8]

    /// A name that was stored.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Hexadecimal digits.
    public var description: String { Hexadecimal.encode(bytes) }
}
