public import AccessPolicy
public import FoundationEssentials

/// Names a user or a role of an account.
public enum DirectoryName: Sendable, Hashable, Comparable {
    /// Somebody, or a program, with rights of its own.
    case user(String)
    /// Rights that others take on for a while.
    case role(String)

    /// The name without its kind.
    public var name: String {
        switch self {
        case .user(let name), .role(let name): name
        }
    }

    /// "User" or "Role", as AWS's names of operations have it.
    var kind: String { if case .user = self { "User" } else { "Role" } }

    func principal(account: String) -> PrincipalName {
        switch self {
        case .user(let name): .user(name, account: account)
        case .role(let name): .role(name, account: account)
        }
    }

    /// `[\w+=,.@-]`, 1 to 64 (IAM, "IAM and AWS STS quotas").
    func check() throws(KeyManagementError) {
        guard name.hasOnlyLettersDigits(and: "_+=,.@-"), (1...64).contains(name.utf8.count) else {
            throw KeyManagementError(.validation, "a name has 1 to 64 letters, digits or _+=,.@-")
        }
    }
}

/// A user or a role, with the policies attached to it.
public struct DirectoryMember: Sendable {
    let record: MemberRecord
    /// The stored record's version, for compare and set.
    let version: UInt64
    /// Who it is.
    public let principal: PrincipalName
    /// The policies attached to it, by name.
    public let policies: [IdentityPolicy]
    /// Who may take the role on; nil for a user.
    public let trustPolicy: PolicyDocument?

    init(_ record: MemberRecord, version: UInt64) throws(KeyManagementError) {
        self.record = record
        self.version = version
        principal = record.memberName.principal(account: record.account)
        do throws(PolicyError) {
            policies = try record.policies.sorted { $0.key < $1.key }
                .map { name, text throws(PolicyError) in IdentityPolicy(name, try PolicyDocument(text)) }
            trustPolicy = try record.trust.map { text throws(PolicyError) in try PolicyDocument(trust: text) }
        } catch { throw KeyManagementError(.tampered, "a policy of \(principal) cannot be read") }
    }

    /// Its name in its account.
    public var name: DirectoryName { record.memberName }
    /// What policies find as `aws:PrincipalTag/KEY`.
    public var tags: [String: String] { record.tags }
    /// When it was made.
    public var creationDate: Date { Date(timeIntervalSince1970: record.created) }
    /// The longest session of a role, in seconds; 0 for a user.
    public var longestSession: Double { record.longestSession }
}

/// A user or a role as it is stored. Layout: Documentation/Formats/KeyStore.md.
struct MemberRecord: Codable, Sendable {
    let account: String
    let kind: String
    let name: String
    let created: Double
    var tags: [String: String]
    var policies: [String: String] = [:]
    var trust: String?
    var longestSession = 0.0

    static let prefix = "principal/"

    /// The principal of a record's name.
    static func principal(_ name: String) -> PrincipalName? {
        let parts = name.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let (account, member) = (String(parts[0]), String(parts[2]))
        return parts[1] == "User" ? .user(member, account: account) : .role(member, account: account)
    }

    var memberName: DirectoryName { kind == "User" ? .user(name) : .role(name) }
    var recordName: String { "\(MemberRecord.prefix)\(account)/\(kind)/\(name)" }
}
