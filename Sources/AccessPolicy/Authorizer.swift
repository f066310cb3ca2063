/// One question: may this principal do this to that?
public struct AccessRequest: Sendable {
    /// Who asks.
    public let principal: Principal
    /// Such as "kms:Encrypt".
    public let action: String
    /// The ARN of what it is done to.
    public let resource: String
    /// The account that owns the resource.
    public let resourceAccount: String
    /// The values of a condition key, given in lower case; none where the request has no such key.
    public let context: @Sendable (String) -> [String]

    /// What allows it besides policies, where something does.
    public let allowance: Allowance?
    /// What a role's session was narrowed to when it began; where there are any, one of them must allow the request too.
    public let sessionPolicies: [IdentityPolicy]

    /// Puts the question.
    public init(
        principal: Principal, action: String, resource: String, resourceAccount: String, allowance: Allowance? = nil,
        sessionPolicies: [IdentityPolicy] = [], context: @escaping @Sendable (String) -> [String] = { _ in [] }
    ) {
        self.principal = principal
        self.allowance = allowance
        self.sessionPolicies = sessionPolicies
        self.action = action
        self.resource = resource
        self.resourceAccount = resourceAccount
        self.context = context
    }
}

/// What allows a request besides policies, such as a grant on a key. It allows what no policy denies.
public struct Allowance: Sendable, Hashable {
    /// What denials and `simulate` call it.
    public let statement: DecidingStatement
    /// Whether it is everybody's in the principal's account: then the principal's own policies must allow the request too.
    public let isForAccount: Bool

    /// Describes an allowance.
    public init(_ statement: DecidingStatement, isForAccount: Bool) {
        self.statement = statement
        self.isForAccount = isForAccount
    }
}

/// The answer, with what decided it.
public enum AccessDecision: Sendable, Hashable {
    /// Allowed by this statement.
    case allowed(by: DecidingStatement)
    /// A statement says no, and nothing can allow what it denies.
    case deniedExplicitly(by: DecidingStatement)
    /// No statement allows it. The text says which kind of policy is missing.
    case deniedImplicitly(missing: String)

    /// Whether it may be done.
    public var isAllowed: Bool {
        if case .allowed = self { true } else { false }
    }
}

/// Where a deciding statement stands.
public struct DecidingStatement: Sendable, Hashable, CustomStringConvertible {
    /// "key policy", or an identity policy's name.
    public let policy: String
    /// The statement's Sid, or its number.
    public let statement: String

    /// Names a statement.
    public init(policy: String, statement: String) {
        self.policy = policy
        self.statement = statement
    }

    /// Both, for a person.
    public var description: String { "\(policy), \(statement)" }
}

/// Decides requests. Conformers: ``PolicyEngine``, and ``AllowAll`` for tests.
public protocol Authorizer: Sendable {
    /// Decides one request, given the policy that the resource itself carries.
    func decide(_ request: AccessRequest, resourcePolicy: PolicyDocument) -> AccessDecision
}

/// Allows everything: for tests, and for processes that have one principal only.
public struct AllowAll: Authorizer {
    /// It has no state.
    public init() {}

    /// Yes.
    public func decide(_ request: AccessRequest, resourcePolicy: PolicyDocument) -> AccessDecision {
        .allowed(by: DecidingStatement(policy: "allow all", statement: "always"))
    }
}
