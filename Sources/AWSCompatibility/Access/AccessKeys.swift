/// Who an access key belongs to, and what it signs with.
public struct AccessKeyOwner: Sendable {
    /// On whose behalf.
    public let principal: Principal
    /// The half of the key that is not sent.
    let secret: KeptSecret

    /// Joins the two.
    public init(_ principal: Principal, secret: consuming SecretBytes) {
        self.principal = principal
        self.secret = KeptSecret(secret)
    }
}

/// A secret that several may hold.
final class KeptSecret: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}

/// Finds who an access key belongs to. Conformers: ``StaticAccessKeys``.
public protocol AccessKeyDirectory: Sendable {
    /// The owner; nil for a key that nobody has. It is asked for each request, so it should answer from memory.
    func owner(ofAccessKey id: String) -> AccessKeyOwner?
}

/// Access keys that are known from the start, such as those of an ``AccountsFile``.
public struct StaticAccessKeys: AccessKeyDirectory {
    private let owners: [String: AccessKeyOwner]

    /// Takes keys by their identifiers.
    public init(_ owners: [String: AccessKeyOwner] = [:]) { self.owners = owners }

    /// The owner of a key.
    public func owner(ofAccessKey id: String) -> AccessKeyOwner? { owners[id] }
}
