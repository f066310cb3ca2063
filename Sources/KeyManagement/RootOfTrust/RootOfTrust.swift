public import Cryptography

/// What opens a store: it seals the store's own key when the store is made, and opens it again.
///
/// It is asked at opening, on a change of itself, and for the audit trail; the service does not keep it. Conformers:
/// ``PassphraseRoot``, ``KeyFileRoot`` and ``CustodianRoot``.
public protocol RootOfTrust: Sendable {
    /// Seals the store's key.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - context: authenticated along with it: the store's identity.
    /// - Returns: what ``open(_:context:)`` needs. It is stored in clear.
    func seal(_ key: borrowing SecretBytes, context: [UInt8]) async throws -> SealedRootKey

    /// Opens the store's key.
    ///
    /// - Throws: `wrongRootOfTrust` where this root did not seal it.
    func open(_ sealed: SealedRootKey, context: [UInt8]) async throws -> SecretBytes
}

/// A store's key as a root of trust has sealed it.
public struct SealedRootKey: Sendable, Codable, Hashable {
    /// Which kind of root it was, such as "passphrase".
    public let kind: String
    /// Parameters by name; text, numbers and hexadecimal digits.
    public let parameters: [String: String]
    /// The sealed key.
    public let sealed: [UInt8]

    /// Joins the three.
    public init(kind: String, parameters: [String: String], sealed: [UInt8]) {
        self.kind = kind
        self.parameters = parameters
        self.sealed = sealed
    }
}
