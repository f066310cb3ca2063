internal import FoundationEssentials

/// Who there is, in one file of JSON: access keys, and the users and roles that they and others stand for. Policies are texts.
///
/// ```json
/// {"accessKeys": [{"id": "AKIAEXAMPLE", "secret": "...", "account": "111122223333", "user": "alice"}],
///  "users": [{"name": "alice", "account": "111122223333", "policy": "{...}"}],
///  "roles": [{"name": "worker", "account": "111122223333", "trust": "{...}", "policy": "{...}"}]}
/// ```
/// An access key without a user is the account's root's.
public struct AccountsFile: Sendable {
    /// The access keys.
    public let accessKeys: StaticAccessKeys
    private let content: Content
    private static let policyName = "accounts-file"

    private struct Content: Decodable, Sendable {
        struct AccessKey: Decodable, Sendable {
            let id, secret, account: String
            let user: String?
        }

        struct Member: Decodable, Sendable {
            let name, account: String
            let trust, policy: String?
        }

        let accessKeys: [AccessKey]
        let users, roles: [Member]?
    }

    /// Reads a file's content.
    ///
    /// - Throws: `validation` for what is none.
    public init(_ content: [UInt8]) throws(KeyManagementError) {
        do {
            self.content = try JSONDecoder().decode(Content.self, from: Data(content))
        } catch {
            throw KeyManagementError(.validation, "the accounts file has not the form that its documentation says")
        }
        var owners: [String: AccessKeyOwner] = [:]
        for key in self.content.accessKeys {
            guard Principal.isAccount(key.account), !key.id.isEmpty, !key.secret.isEmpty else {
                throw KeyManagementError(.validation, "an access key has two halves, and an account of twelve digits")
            }
            let principal: Principal =
                key.user.map { .user($0, account: key.account) } ?? .root(account: key.account)
            owners[key.id] = AccessKeyOwner(principal, secret: SecretBytes(copying: Array(key.secret.utf8)))
        }
        accessKeys = StaticAccessKeys(owners)
    }

    /// Makes the users and roles in a service's directory, and gives them the policies that stand here. A policy that is
    /// taken out here is taken away; users and roles that are taken out stay.
    public func install(in service: KeyManagementService) async throws {
        for member in content.users ?? [] {
            let directory = service.client(for: .root(account: member.account)).directory
            if try await !directory.members().contains(where: { $0.name == .user(member.name) }) {
                try await directory.createUser(member.name)
            }
            try await install(member, .user(member.name), directory)
        }
        for member in content.roles ?? [] {
            let directory = service.client(for: .root(account: member.account)).directory
            let trust = try PolicyDocument(trust: member.trust ?? "")
            if try await directory.members().contains(where: { $0.name == .role(member.name) }) {
                try await directory.putTrustPolicy(trust, of: member.name)
            } else {
                try await directory.createRole(member.name, trust: trust)
            }
            try await install(member, .role(member.name), directory)
        }
    }

    private func install(
        _ member: Content.Member, _ name: DirectoryName, _ directory: PrincipalDirectory
    ) async throws {
        guard let policy = member.policy else {
            let known = try await directory.members().first { $0.name == name }
            guard known?.policies.contains(where: { $0.name == AccountsFile.policyName }) == true else { return }
            return try await directory.removePolicy(named: AccountsFile.policyName, from: name)
        }
        try await directory.putPolicy(PolicyDocument(policy), named: AccountsFile.policyName, on: name)
    }
}
