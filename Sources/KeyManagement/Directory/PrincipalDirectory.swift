public import AccessPolicy
internal import Auditing
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// The users and roles of a principal's account, and the policies attached to them, kept with the keys and recorded as they
/// are.
///
/// They decide where the service was opened with ``AccessControl/directory``: whoever is not in the directory may nothing then, an
/// account's root may everything in it. Operations, names and limits are those of AWS IAM and STS.
///
/// ```swift
/// let directory = kms.client(for: .root(account: "111122223333")).directory
/// try await directory.createUser("alice")
/// try await directory.putPolicy(policy, named: "orders", on: .user("alice"))
/// ```
public struct PrincipalDirectory: Sendable {
    let client: KeyManagementClient

    /// How many bytes of policies a user or a role has at most, all together.
    static let largestPolicies = 10_240

    private var account: String { client.principal.account }

    /// Makes a user without any policy.
    ///
    /// - Parameter tags: up to 50; see ``KeyManagementClient/tag(_:_:)``.
    /// - Throws: `alreadyExists`, `validation`, `accessDenied`.
    public func createUser(_ name: String, tags: [String: String] = [:]) async throws(KeyManagementError) {
        try await create(.user(name), tags: tags) { _ in }
    }

    /// Makes a role without any policy.
    ///
    /// - Parameters:
    ///   - trust: who may take it on, made by `PolicyDocument(trust:)`.
    ///   - longestSession: for how long at a time: 1 to 12 hours.
    public func createRole(
        _ name: String, trust: PolicyDocument, tags: [String: String] = [:], longestSession: Duration = .seconds(3600)
    ) async throws(KeyManagementError) {
        try PrincipalDirectory.check(trust: trust)
        let seconds = longestSession / .seconds(1)
        guard (3600...43200).contains(seconds) else {
            throw KeyManagementError(.validation, "a role's sessions last 1 to 12 hours")
        }
        try await create(.role(name), tags: tags) { record in
            record.trust = trust.text
            record.longestSession = seconds
        }
    }

    /// Takes a user or a role away, with its policies. Sessions of a role end with it.
    public func delete(_ name: DirectoryName) async throws(KeyManagementError) {
        try await change("Delete\(name.kind)", name) { _ in nil }
    }

    /// Attaches a policy, or replaces the one of this name.
    ///
    /// - Throws: `limitExceeded` for more than 10,240 bytes in all; `malformedPolicy` for one that names principals.
    public func putPolicy(
        _ policy: PolicyDocument, named policyName: String, on name: DirectoryName
    ) async throws(KeyManagementError) {
        let parameters: [(String, AuditEvent.Value)] = [
            ("policyName", .text(policyName)), ("policyDocument", .text(policy.text)),
        ]
        try await change("Put\(name.kind)Policy", name, parameters) { record in
            guard !policy.namesPrincipals, !policy.isTrustPolicy else {
                throw KeyManagementError(.malformedPolicy, "a policy that is attached to somebody names nobody")
            }
            try DirectoryName.user(policyName).check()
            var record = record
            record.policies[policyName] = policy.text
            guard record.policies.values.reduce(0, { $0 + $1.utf8.count }) <= PrincipalDirectory.largestPolicies else {
                throw KeyManagementError(.limitExceeded, "a principal's policies have at most 10240 bytes")
            }
            return record
        }
    }

    /// Detaches a policy.
    public func removePolicy(named policyName: String, from name: DirectoryName) async throws(KeyManagementError) {
        try await change("Delete\(name.kind)Policy", name, [("policyName", .text(policyName))]) { record in
            var record = record
            guard record.policies.removeValue(forKey: policyName) != nil else {
                throw KeyManagementError(.notFound, "there is no policy \(policyName)")
            }
            return record
        }
    }

    /// Replaces who may take a role on.
    public func putTrustPolicy(_ trust: PolicyDocument, of role: String) async throws(KeyManagementError) {
        let parameters: [(String, AuditEvent.Value)] = [("policyDocument", .text(trust.text))]
        try await change("UpdateAssumeRolePolicy", .role(role), parameters) { record in
            try PrincipalDirectory.check(trust: trust)
            var record = record
            record.trust = trust.text
            return record
        }
    }

    private static func check(trust: PolicyDocument) throws(KeyManagementError) {
        guard trust.isTrustPolicy else {
            throw KeyManagementError(.malformedPolicy, "a trust policy is made by PolicyDocument(trust:)")
        }
    }

    /// The users and roles of the account, by name.
    public func members() async throws(KeyManagementError) -> [DirectoryMember] {
        let service = client.service
        return try await service.perform("GetAccountAuthorizationDetails", of: .iam, as: client.caller) { log in
            try service.authorize("GetAccountAuthorizationDetails", resource: "*", inAccount: account, log)
            return try service.refreshedState().members.values.filter { $0.record.account == account }
                .sorted { $0.name < $1.name }
        }
    }

    private func create(
        _ name: DirectoryName, tags: [String: String], _ fill: (inout MemberRecord) -> Void
    ) async throws(KeyManagementError) {
        let (service, account) = (client.service, account)
        let operation = "Create\(name.kind)"
        try await service.change(operation, of: .iam, as: client.caller) { log, state in
            log.parameters = [("\(name.kind.lowercased())Name", .text(name.name))]
            if !tags.isEmpty { log.parameters.append(("tags", .map(tags))) }
            let principal = name.principal(account: account)
            try service.authorize(
                operation, resource: principal.description, inAccount: account, log, conditions: Tags.conditions(tags))
            try name.check()
            try Tags.check(tags)
            guard Principal.isAccount(account) else {
                throw KeyManagementError(.validation, "\(client.principal) has no account")
            }
            guard state.members[principal] == nil else {
                throw KeyManagementError(.alreadyExists, "\(principal) already exists")
            }
            var record = MemberRecord(
                account: account, kind: name.kind, name: name.name, created: log.time.timeIntervalSince1970, tags: tags)
            fill(&record)
            if let trust = record.trust { log.parameters.append(("assumeRolePolicyDocument", .text(trust))) }
            log.resources = [principal.description]
            return ([.put(try RecordName(record.recordName), try StoredJSON.encode(record), expecting: .absent)], ())
        }
    }

    private func change(
        _ operation: String, _ name: DirectoryName, _ parameters: [(String, AuditEvent.Value)] = [],
        _ body: (MemberRecord) throws -> MemberRecord?
    ) async throws(KeyManagementError) {
        let (service, account) = (client.service, account)
        try await service.change(operation, of: .iam, as: client.caller) { log, state in
            log.parameters = [("\(name.kind.lowercased())Name", .text(name.name))] + parameters
            let principal = name.principal(account: account)
            log.resources = [principal.description]
            try service.authorize(operation, resource: principal.description, inAccount: account, log)
            guard let member = state.members[principal] else {
                throw KeyManagementError(.notFound, "\(principal) does not exist")
            }
            let recordName = try RecordName(member.record.recordName)
            guard let record = try body(member.record) else {
                return ([.delete(recordName, expecting: .version(member.version))], ())
            }
            return ([.put(recordName, try StoredJSON.encode(record), expecting: .version(member.version))], ())
        }
    }
}

extension KeyManagementClient {
    /// The users and roles of the principal's account.
    public var directory: PrincipalDirectory { PrincipalDirectory(client: self) }
}
