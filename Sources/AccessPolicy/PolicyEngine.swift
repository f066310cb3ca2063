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

    /// Decides one request.
    public func decide(_ request: AccessRequest, resourcePolicy: PolicyDocument) -> AccessDecision {
        PolicyEngine.decide(
            request, resourcePolicy: resourcePolicy, identityPolicies: identityPolicies(request.principal))
    }

    /// Decides one request, given all policies. An account's root needs none of its own.
    public static func decide(
        _ request: AccessRequest, resourcePolicy: PolicyDocument, identityPolicies: [IdentityPolicy]
    ) -> AccessDecision {
        decide(request, resourcePolicy, IdentitySide(request.principal.kind == .root ? [] : identityPolicies, request))
    }

    /// Decides one request of somebody whose own policies allow everything, and are known as one statement.
    package static func decide(
        _ request: AccessRequest, resourcePolicy: PolicyDocument, allowingAccountBy statement: DecidingStatement
    ) -> AccessDecision {
        decide(request, resourcePolicy, IdentitySide(allowance: statement))
    }

    private static func decide(
        _ request: AccessRequest, _ resourcePolicy: PolicyDocument, _ own: IdentitySide
    ) -> AccessDecision {
        let principal = request.principal
        let resource = ResourceSide(resourcePolicy, request)
        if let denial = resource.denial { return .deniedExplicitly(by: denial) }
        let isRoot = principal.kind == .root
        let session = IdentitySide(request.sessionPolicies, request)
        if let denial = own.denial ?? session.denial { return .deniedExplicitly(by: denial) }
        let root = DecidingStatement(policy: "account root", statement: "always")
        // What a session was narrowed to narrows everything but what names the session itself.
        let isNarrowed = !request.sessionPolicies.isEmpty && session.allowance == nil
        let missing = isNarrowed ? "session policy" : "identity policy"
        let identity = isNarrowed ? nil : isRoot ? root : own.allowance
        let direct = resource.bySession ?? (isNarrowed ? nil : resource.byName)
        let isSameAccount = principal.account == request.resourceAccount || principal.account.isEmpty
        if isSameAccount, let direct { return .allowed(by: direct) }
        if direct != nil || resource.isDelegated, let identity { return .allowed(by: identity) }
        // To the principal itself, in whichever account, or by way of its own policies.
        if let allowance = request.allowance, !isNarrowed, identity != nil || !allowance.isForAccount {
            return .allowed(by: allowance.statement)
        }
        let hasResourceSide = direct != nil || resource.byName != nil || resource.isDelegated
        return .deniedImplicitly(missing: hasResourceSide ? missing : "key policy")
    }
}

/// What a resource's policy says to a request.
private struct ResourceSide {
    var denial: DecidingStatement?
    /// An allowance that names a role's session, or a user.
    var bySession: DecidingStatement?
    /// An allowance that names a role, or everybody.
    var byName: DecidingStatement?
    /// Whether the say is the account's.
    var isDelegated = false

    init(_ policy: borrowing PolicyDocument, _ request: borrowing AccessRequest) {
        let principal = request.principal
        for statement in policy.statements {
            let match = ResourceSide.match(statement.subjects, principal)
            guard match != .none, statement.covers(request) else { continue }
            let deciding = DecidingStatement(policy: "key policy", statement: statement.label)
            guard statement.effect == .allow else {
                denial = deciding
                return
            }
            switch match {
            case .session: bySession = bySession ?? deciding
            case .direct: byName = byName ?? deciding
            // An account's root is named where its account is.
            case .account where principal.kind == .root: bySession = bySession ?? deciding
            default: isDelegated = true
            }
        }
    }

    private enum Match {
        case none
        case account
        case direct
        case session
    }

    private static func match(_ subjects: Statement.Subjects, _ principal: Principal) -> Match {
        switch subjects {
        case .unnamed: return .none
        case .anyone: return .direct
        case .named(let names, let accounts):
            if names.contains(principal.description) { return .session }
            if principal.names.contains(where: names.contains) { return .direct }
            return accounts.contains(principal.account) ? .account : .none
        case .notNamed(let names, let accounts):
            // An account's root stands for itself here, not for everybody in its account.
            let isExcepted =
                principal.names.contains(where: names.contains)
                || (principal.kind == .root && accounts.contains(principal.account))
            return isExcepted ? .none : .direct
        }
    }
}

/// What policies of the principal's side say to a request.
private struct IdentitySide {
    var denial: DecidingStatement?
    var allowance: DecidingStatement?

    /// Policies that allow everything.
    init(allowance: DecidingStatement) { self.allowance = allowance }

    init(_ policies: [IdentityPolicy], _ request: borrowing AccessRequest) {
        for policy in policies {
            for statement in policy.document.statements where statement.covers(request) {
                let deciding = DecidingStatement(policy: policy.name, statement: statement.label)
                guard statement.effect == .allow else {
                    denial = deciding
                    return
                }
                allowance = allowance ?? deciding
            }
        }
    }
}
