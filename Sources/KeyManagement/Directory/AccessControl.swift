public import AccessPolicy
internal import FoundationEssentials

/// Who decides what key policies leave to accounts.
public enum AccessControl: Sendable {
    /// An account's members may do all that key policies leave to the account: for a process that has done its own checks.
    case accountMembers
    /// The users, roles and policies of the service's own directory; see ``PrincipalDirectory``.
    case directory
    /// An authorizer of the process.
    case authorizer(any Authorizer)
}

extension KeyManagementService {
    /// Decides one request.
    func decide(
        _ request: AccessRequest, policy: PolicyDocument, of state: ServiceState
    ) -> AccessDecision {
        switch access {
        case .accountMembers:
            PolicyEngine.decide(request, resourcePolicy: policy, allowingAccountBy: KeyManagementService.membership)
        case .authorizer(let authorizer): authorizer.decide(request, resourcePolicy: policy)
        case .directory:
            if let policies = state.policies(of: request.principal) {
                PolicyEngine.decide(request, resourcePolicy: policy, identityPolicies: policies)
            } else {
                .deniedImplicitly(missing: "directory entry")
            }
        }
    }

    private static let membership = DecidingStatement(policy: "account members", statement: "Everything")
}

extension KeyManagementService {
    /// Refuses a session that is over, or whose role is another now than the one that was taken on.
    func check(_ caller: Caller, at time: Date) throws(KeyManagementError) {
        try caller.check(at: time)
        guard let session = caller.session, let member = try state().member(session.principal) else { return }
        guard session.issued.timeIntervalSince1970 >= member.record.created else {
            throw KeyManagementError(.expiredSession, "The role of \(session.principal) has been replaced.")
        }
    }
}

extension ServiceState {
    /// The entry of a principal; nil for roots and services, which need none.
    func member(_ principal: Principal) -> DirectoryMember? {
        switch principal.kind {
        case .root, .service: nil
        case .user(let name): members[.user(name, account: principal.account)]
        case .role(let name, _): members[.role(name, account: principal.account)]
        }
    }

    /// The policies attached to a principal; nil where the directory does not know it.
    fileprivate func policies(of principal: Principal) -> [IdentityPolicy]? {
        switch principal.kind {
        case .root, .service: []
        case .user, .role: member(principal)?.policies
        }
    }
}
