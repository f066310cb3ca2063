internal import AccessPolicy

/// The grants on one key, to be found by whom they are for.
struct KeyGrants: Sendable {
    private(set) var byID: [String: (grant: Grant, version: UInt64)] = [:]
    private var byGrantee: [PrincipalName: Set<String>] = [:]

    /// The marks of all that had or have one here.
    private(set) var marks: UInt64 = 0

    var isEmpty: Bool { byID.isEmpty }
    var count: Int { byID.count }

    /// Puts a grant in, or takes it out.
    subscript(id: String) -> (grant: Grant, version: UInt64)? {
        get { byID[id] }
        set {
            if let old = byID[id]?.grant { byGrantee[old.grantee]?.remove(id) }
            byID[id] = newValue
            if let new = newValue?.grant {
                byGrantee[new.grantee, default: []].insert(id)
                marks |= new.grantee.grantMark
            }
        }
    }

    /// The grant that an identifier names, with its record's version.
    ///
    /// - Throws: `notFound` where there is none, as AWS does; `invalidGrantID` for what is no identifier of a grant.
    func grant(_ id: String) throws(KeyManagementError) -> (grant: Grant, version: UInt64) {
        if let found = byID[id] { return found }
        let isIdentifier = id.utf8.count == 64 && id.utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
        throw isIdentifier
            ? KeyManagementError(.notFound, "Grant ID \(id) not found") : KeyManagementError(.invalidGrantID)
    }

    /// The allowance that a principal has by a grant for an operation.
    ///
    /// - Parameter handingOn: a grant that the principal would make, where the operation is that: it may allow no more than
    ///   the one that allows it.
    func allowance(
        for operation: GrantOperation, of caller: Caller, context: EncryptionContext, handingOn child: GrantRecord?
    ) -> Allowance? {
        var found: Allowance?
        for name in caller.grantNames {
            guard let ids = byGrantee[name] else { continue }
            for id in ids {
                guard let grant = byID[id]?.grant, grant.operations.contains(operation) else { continue }
                let isWithin =
                    if let child {
                        grant.constraints.allows(child.constraints)
                            && Set(child.operations).isSubset(of: grant.record.operations)
                    } else {
                        grant.constraints.allow(operation, context: context, sourceARN: caller.sourceARN)
                    }
                guard isWithin else { continue }
                let isForAccount = !grant.grantee.names(caller.principal)
                let allowance = Allowance(
                    DecidingStatement(policy: "grant", statement: id), isForAccount: isForAccount)
                if !isForAccount { return allowance }
                found = allowance
            }
        }
        return found
    }
}

extension PrincipalName {
    /// One bit of 64: whose mark is not there has no grant.
    var grantMark: UInt64 { 1 << UInt64(truncatingIfNeeded: description.hashValue & 63) }
}

extension Principal {
    /// The names by which grants are for a principal.
    var grantNames: [PrincipalName] {
        switch kind {
        case .root: [.account(account)]
        case .user(let name): [.user(name, account: account), .account(account)]
        case .role(let name, _): [.role(name, account: account), .account(account)] + session
        case .service(let host): [.service(host)]
        }
    }

    private var session: [PrincipalName] { (try? PrincipalName(description)).map { [$0] } ?? [] }
}
