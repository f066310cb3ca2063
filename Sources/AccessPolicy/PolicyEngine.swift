/// A policy attached to a principal, by name.
public struct IdentityPolicy: Sendable {
    /// What denials call it.
    public let name: String
    /// What it says.
    public let document: PolicyDocument

    /// Names a policy.
    public init(_ name: String, _ document: PolicyDocument) {
        self.name = name
        self.document = document
    }
}

/// AWS's evaluation: an explicit deny wins; within an account the resource's policy may allow a principal by name, or
/// leave it to the account, and then the principal's own policies must allow it; across accounts both must.
///
/// Source: IAM User Guide, "Policy evaluation logic"; AWS KMS Developer Guide, "Key policies".
public struct PolicyEngine: Authorizer {
    private let identityPolicies: @Sendable (Principal) -> [IdentityPolicy]

    /// Takes the source of each principal's own policies. It is asked on every decision, so it should answer from memory.
    public init(identityPolicies: @escaping @Sendable (Principal) -> [IdentityPolicy]) {
        self.identityPolicies = identityPolicies
    }

    /// Every principal of an account may do there what the resource's policy leaves to the account: for a process that
    /// does its own checks before it asks.
    public static func trustingAccountMembers() throws(PolicyError) -> PolicyEngine {
        let all = IdentityPolicy(
            "account members",
            try PolicyDocument(#"{"Statement":{"Sid":"Everything","Effect":"Allow","Action":"*","Resource":"*"}}"#))
        return PolicyEngine { _ in [all] }
    }

    /// Decides one request.
    public func decide(_ request: AccessRequest, resourcePolicy: PolicyDocument) -> AccessDecision {
        let principal = request.principal
        let attached = principal.kind == .root ? [] : identityPolicies(principal)
        var direct: DecidingStatement?
        var isDelegated = false
        for statement in resourcePolicy.statements {
            let match = PolicyEngine.match(statement.subjects, principal)
            guard match != .none, statement.covers(request) else { continue }
            let deciding = DecidingStatement(policy: "key policy", statement: statement.label)
            if statement.effect == .deny { return .deniedExplicitly(by: deciding) }
            if match == .direct || principal.kind == .root { direct = direct ?? deciding } else { isDelegated = true }
        }
        var own: DecidingStatement? =
            principal.kind == .root ? DecidingStatement(policy: "account root", statement: "always") : nil
        for policy in attached {
            for statement in policy.document.statements where statement.covers(request) {
                let deciding = DecidingStatement(policy: policy.name, statement: statement.label)
                if statement.effect == .deny { return .deniedExplicitly(by: deciding) }
                own = own ?? deciding
            }
        }
        // Allowed by something besides policies, to the principal itself or by way of its own policies.
        if let allowance = request.allowance, own != nil || !allowance.isForAccount {
            return .allowed(by: allowance.statement)
        }
        if principal.account == request.resourceAccount || principal.account.isEmpty {
            if let direct { return .allowed(by: direct) }
            guard isDelegated else { return .deniedImplicitly(missing: "key policy") }
            return own.map { .allowed(by: $0) } ?? .deniedImplicitly(missing: "identity policy")
        }
        guard direct != nil || isDelegated else { return .deniedImplicitly(missing: "key policy") }
        return own.map { .allowed(by: $0) } ?? .deniedImplicitly(missing: "identity policy")
    }

    private enum Match {
        case none
        case account
        case direct
    }

    private static func match(_ subjects: Statement.Subjects, _ principal: Principal) -> Match {
        switch subjects {
        case .unnamed: return .none
        case .anyone: return .direct
        case .named(let names, let accounts):
            if principal.names.contains(where: names.contains) { return .direct }
            return accounts.contains(principal.account) ? .account : .none
        case .notNamed(let names, let accounts):
            let isExcepted = principal.names.contains(where: names.contains) || accounts.contains(principal.account)
            return isExcepted ? .none : .direct
        }
    }
}
