public import AccessPolicy

extension KeyManagementClient {
    /// Who may do something to a key of the account, and why: nothing is done.
    ///
    /// - Parameters:
    ///   - action: such as "kms:Decrypt".
    ///   - identifier: the key's id or ARN.
    ///   - principal: who would do it.
    ///   - context: the encryption context of the request.
    ///   - request: how it would come.
    /// - Returns: the decision, with the policy and the statement that made it, or what is missing.
    /// - Throws: `accessDenied` where the client's own principal may not `iam:SimulatePrincipalPolicy`.
    public func simulate(
        _ action: String, on identifier: KeyIdentifier, as principal: Principal, context: EncryptionContext = .none,
        request: RequestContext = RequestContext()
    ) async throws(KeyManagementError) -> AccessDecision {
        guard principal.account.isEmpty || principal.account == self.principal.account else {
            throw KeyManagementError(.accessDenied, "principals of other accounts are not simulated")
        }
        return try await simulate(action, identifier, context) { state, key, action, log in
            let caller = Caller(principal, options: Caller.Options(context: request))
            return service.decision(action, on: key, in: state, log.keyOperation(by: caller), context: context)
        }
    }

    /// What each user and role of the account, and its root, may do to a key, and why.
    ///
    /// - Returns: decisions by name, roots first.
    public func access(
        to identifier: KeyIdentifier, for action: String, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> [(principal: PrincipalName, decision: AccessDecision)] {
        let account = principal.account
        return try await simulate(action, identifier, context) { state, key, action, log in
            let members = state.members.values.filter { $0.record.account == account }.sorted { $0.name < $1.name }
            let principals =
                [(PrincipalName.account(account), Principal.root(account: account))]
                + members.map { member in
                    switch member.name {
                    case .user(let name): (member.principal, Principal.user(name, account: account))
                    case .role(let name):
                        (member.principal, Principal.role(name, session: "simulation", account: account))
                    }
                }
            return principals.map { name, principal in
                let log = log.keyOperation(by: Caller(principal))
                return (name, service.decision(action, on: key, in: state, log, context: context))
            }
        }
    }

    private func simulate<R>(
        _ action: String, _ identifier: KeyIdentifier, _ context: EncryptionContext,
        _ body: (ServiceState, ManagedKey, String, OperationLog) -> R
    ) async throws(KeyManagementError) -> R {
        try await service.perform("SimulatePrincipalPolicy", of: .iam, as: caller) { log in
            log.parameters = [("actionNames", .text(action)), ("resourceArns", .text(identifier.description))]
            try service.authorize("SimulatePrincipalPolicy", resource: "*", inAccount: principal.account, log)
            guard action.hasPrefix("kms:") else {
                throw KeyManagementError(.validation, "\(action) is no action on keys")
            }
            let state = try service.refreshedState()
            let key = try managed(identifier, state, &log)
            return body(state, key, String(action.dropFirst("kms:".count)), log)
        }
    }
}
