internal import AccessPolicy
internal import FoundationEssentials

extension Caller {
    /// What conditions find at a request, its time and its Region; nil for what is none of theirs. The account is the resource's.
    func values(
        _ name: String, at time: Date, in region: String, of account: String, _ state: ServiceState
    ) -> [String]? {
        switch name {
        case "aws:currenttime", "aws:epochtime": [String(time.timeIntervalSince1970)]
        case "aws:requestedregion": [region]
        case "aws:resourceaccount": [account]
        default: values(name, state)
        }
    }

    /// What conditions find at the principal, its session and its request; nil for what is none of theirs. Names are in lower
    /// case (IAM, "AWS global condition context keys").
    private func values(_ name: String, _ state: ServiceState) -> [String]? {
        switch name {
        case "aws:principalarn": return [principalARN]
        case "aws:principalaccount", "kms:calleraccount": return principal.account.isEmpty ? [] : [principal.account]
        case "aws:principaltype": return [type]
        case "aws:principalisawsservice": return [String(isService)]
        case "aws:principalservicename": return isService ? [principal.description] : []
        case "aws:username":
            if case .user(let name) = principal.kind { return [name] }
            return []
        case "aws:userid": return [userID]
        case "aws:tokenissuetime": return session.map { [String($0.issued.timeIntervalSince1970)] } ?? []
        default:
            if let key = name.prefixed(by: "aws:principaltag/") { return tags(key, state) }
            let values = context.values(name)
            return values.isEmpty ? nil : values
        }
    }

    /// A session's tags stand before its role's.
    private func tags(_ key: String, _ state: ServiceState) -> [String] {
        let name = "\(Tags.resourcePrefix)\(key)"
        let own = Tags.values(name, session?.tags)
        return own.isEmpty ? Tags.values(name, state.member(principal)?.tags) : own
    }

    /// The ARN of a role is the same in all its sessions.
    var principalARN: String {
        guard case .role(let name, _) = principal.kind else { return principal.description }
        return PrincipalName.role(name, account: principal.account).description
    }

    private var isService: Bool { if case .service = principal.kind { true } else { false } }

    private var type: String {
        switch principal.kind {
        case .root: "Account"
        case .user: "User"
        case .role: "AssumedRole"
        case .service: "Service"
        }
    }

    private var userID: String {
        switch principal.kind {
        case .root: principal.account
        case .user(let name): name
        case .role(let name, let session): "\(name):\(session)"
        case .service(let host): host
        }
    }
}

extension String {
    fileprivate func prefixed(by prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
