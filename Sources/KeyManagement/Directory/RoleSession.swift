public import AccessPolicy
public import FoundationEssentials

/// A role that somebody has taken on for a while. A client that acts in it can do what the role may, narrowed to the
/// session's own policies, until it ends.
public struct RoleSession: Sendable {
    /// The role in its session: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    public let principal: Principal
    /// What it was narrowed to.
    public let policies: [PolicyDocument]
    /// The tags that conditions find as `aws:PrincipalTag/KEY`, besides the role's.
    public let tags: [String: String]
    /// When it began.
    public let issued: Date
    /// When it ends.
    public let expires: Date
    /// Who took the role on.
    public let issuer: String

    /// The policies as decisions name them.
    var namedPolicies: [IdentityPolicy] {
        policies.enumerated().map { IdentityPolicy("session policy \($0.offset + 1)", $0.element) }
    }
}
