public import AccessPolicy
internal import FoundationEssentials

extension PrincipalDirectory {
    /// Takes a role on, of this account or another, where its trust policy and, unless that names the principal itself in the
    /// role's own account, the principal's policies allow it.
    ///
    /// - Parameters:
    ///   - role: `PrincipalName.role(_:account:)`.
    ///   - session: what events call it: 2 to 64 letters, digits or `_+=,.@-`.
    ///   - policies: what the session is narrowed to, besides what the role may.
    ///   - tags: what policies find as `aws:PrincipalTag/KEY`; needs `sts:TagSession`.
    ///   - duration: 15 minutes up to the role's longest; an hour at most where the principal is a role's session itself.
    ///   - externalID: what the trust policy may ask for as `sts:ExternalId`.
    /// - Throws: `accessDenied`, also for a role that does not exist; `validation`.
    public func assumeRole(
        _ role: PrincipalName, session: String, narrowedTo policies: [PolicyDocument] = [],
        tags: [String: String] = [:], for duration: Duration = .seconds(3600), externalID: String? = nil
    ) async throws(KeyManagementError) -> RoleSession {
        let (service, caller) = (client.service, client.caller)
        return try await service.perform("AssumeRole", of: .sts, as: caller) { log in
            log.parameters = [("roleArn", .text(role.description)), ("roleSessionName", .text(session))]
            guard duration >= .seconds(900), duration <= .seconds(43200) else {
                throw KeyManagementError(.validation, "a session lasts 900 to 43200 seconds")
            }
            let seconds = duration / .seconds(1)
            log.parameters.append(("durationSeconds", .number(Int(seconds))))
            for policy in policies { log.parameters.append(("policy", .text(policy.text))) }
            if !tags.isEmpty { log.parameters.append(("tags", .map(tags))) }
            log.resources = [role.description]
            try DirectoryName.role(session).check()
            guard session.utf8.count >= 2 else { throw KeyManagementError(.validation, "a session's name is longer") }
            try Tags.check(tags)
            guard !policies.contains(where: { $0.namesPrincipals || $0.isTrustPolicy }) else {
                throw KeyManagementError(.malformedPolicy, "a session policy names nobody")
            }
            // One refusal, whether there is such a role or not: roles of other accounts are not to be found out.
            let refusal = KeyManagementError(
                .accessDenied, "\(client.principal) is not authorized to perform sts:AssumeRole on resource \(role)")
            let member = try service.refreshedState().members[role]
            guard let member, let trust = member.trustPolicy, let account = role.account else { throw refusal }
            log.account = account
            var conditions = Tags.conditions(tags)
            conditions["sts:rolesessionname"] = [session]
            conditions["sts:externalid"] = externalID.map { [$0] }
            for action in tags.isEmpty ? ["AssumeRole"] : ["AssumeRole", "TagSession"] {
                do throws(KeyManagementError) {
                    try service.authorize(
                        action, resource: role.description, account: account, policy: trust, log, nil
                    ) { [conditions] name in conditions[name] ?? Tags.values(name, member.tags) }
                } catch { throw error.code == .accessDenied && account != client.principal.account ? refusal : error }
            }
            let longest = caller.session == nil ? member.longestSession : min(3600, member.longestSession)
            guard seconds >= 900, seconds <= longest else {
                throw KeyManagementError(.validation, "a session of \(role) lasts 900 to \(Int(longest)) seconds")
            }
            return RoleSession(
                principal: .role(member.name.name, session: session, account: account), policies: policies,
                tags: tags, issued: log.time, expires: log.time + seconds, issuer: client.principal.description)
        }
    }
}

extension KeyManagementService {
    /// A client that acts in a role's session until that ends.
    public func client(for session: RoleSession) -> KeyManagementClient {
        KeyManagementClient(service: self, caller: Caller(session.principal, session: session))
    }
}
