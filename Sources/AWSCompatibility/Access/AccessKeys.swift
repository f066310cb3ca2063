internal import FoundationEssentials
internal import Synchronization

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

/// Access keys that are known from the start, such as those of an accounts file.
///
/// The file is a list in JSON:
/// ```json
/// [{"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "...", "account": "111122223333", "user": "alice"}]
/// ```
/// With `role` and `session` in place of `user` the key is a role's in a session; with none of them it is the account's root's.
public struct StaticAccessKeys: AccessKeyDirectory {
    private let owners: [String: AccessKeyOwner]

    private struct Entry: Decodable {
        let accessKeyId, secretAccessKey, account: String
        let user, role, session: String?
    }

    /// Takes keys by their identifiers.
    public init(_ owners: [String: AccessKeyOwner] = [:]) { self.owners = owners }

    /// Reads an accounts file.
    ///
    /// - Throws: `validation` for what is none.
    public init(accountsFile content: [UInt8]) throws(KeyManagementError) {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: Data(content))
        } catch { throw KeyManagementError(.validation, "the accounts file is no list of access keys") }
        var owners: [String: AccessKeyOwner] = [:]
        for entry in entries {
            guard Principal.isAccount(entry.account), !entry.accessKeyId.isEmpty, !entry.secretAccessKey.isEmpty else {
                throw KeyManagementError(.validation, "an access key needs an account of twelve digits, and two halves")
            }
            let principal: Principal =
                if let user = entry.user {
                    .user(user, account: entry.account)
                } else if let role = entry.role {
                    .role(role, session: entry.session ?? "session", account: entry.account)
                } else {
                    .root(account: entry.account)
                }
            owners[entry.accessKeyId] = AccessKeyOwner(
                principal, secret: SecretBytes(copying: Array(entry.secretAccessKey.utf8)))
        }
        self.owners = owners
    }

    /// The owner of a key.
    public func owner(ofAccessKey id: String) -> AccessKeyOwner? { owners[id] }
}
