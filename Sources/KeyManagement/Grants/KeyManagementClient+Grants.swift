public import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// How many grants a key has at most.
    static let largestGrantCount = 50_000

    /// Lets a principal use a key in some ways, until the grant is retired or revoked.
    ///
    /// Whoever may make grants by a grant alone hands on no more than that grant: the same operations or fewer, constrained as much
    /// or more.
    ///
    /// - Parameters:
    ///   - identifier: the key's id or ARN.
    ///   - grantee: who gets it. An account's members need their own policies' leave too.
    ///   - operations: what they may do: at least one, and only what keys of this kind do.
    ///   - constraints: within what.
    ///   - retiringPrincipal: who may end it, besides this account.
    ///   - name: a request with the same name and content makes no second grant.
    /// - Returns: the grant, and a token for those who use it before other processes have seen it.
    /// - Throws: `validation`, `limitExceeded`, `disabled`, `invalidState`, `accessDenied`.
    public func createGrant(
        on identifier: KeyIdentifier, to grantee: PrincipalName, allowing operations: Set<GrantOperation>,
        within constraints: GrantConstraints = .none, retiredBy retiringPrincipal: PrincipalName? = nil,
        name: String? = nil
    ) async throws(KeyManagementError) -> (grant: Grant, token: GrantToken) {
        let (service, principal) = (service, principal)
        return try await service.change("CreateGrant", as: caller) { log, state in
            let names = operations.sorted().map(\.rawValue)
            log.parameters = [
                ("keyId", .text(identifier.description)), ("granteePrincipal", .text(grantee.description)),
                ("operations", .text(names.joined(separator: ","))),
            ]
            if let retiringPrincipal { log.parameters.append(("retiringPrincipal", .text("\(retiringPrincipal)"))) }
            if !constraints.pairs.pairs.isEmpty {
                let type = constraints.typeNames.first ?? ""
                log.parameters.append(("constraints.\(type)", .map(constraints.pairs.pairs)))
            }
            if let source = constraints.sourceARN { log.parameters.append(("constraints.SourceArn", .text(source))) }
            if let name { log.parameters.append(("name", .text(name))) }
            let key = try managed(identifier, state, acrossAccounts: true, &log)
            var (equals, includes): ([String: String]?, [String: String]?)
            switch constraints.context {
            case .equals(let context): equals = context.pairs
            case .includes(let context): includes = context.pairs
            case nil: break
            }
            let record = GrantRecord(
                id: Hexadecimal.encode(try SystemRandom().bytes(count: 32)), account: key.record.account,
                key: key.record.id, created: log.time.timeIntervalSince1970, issuingAccount: principal.account,
                grantee: grantee.description, retiringPrincipal: retiringPrincipal?.description, operations: names,
                contextEquals: equals, contextIncludes: includes, sourceARN: constraints.sourceARN, name: name)
            try service.authorize(
                "CreateGrant", on: key, in: state, log, context: constraints.pairs,
                conditions: record.conditions(by: principal), handingOn: record)
            try checkState(key, log)
            try record.check(on: key.record)
            let grants = state.grants[key.place] ?? KeyGrants()
            if name != nil, let same = grants.byID.values.first(where: { $0.grant.record.isSame(as: record) })?.grant {
                log.response = [("grantId", .text(same.id)), ("keyId", .text(key.arnText))]
                return ([], (same, try GrantToken(same.record)))
            }
            guard grants.count < KeyManagementClient.largestGrantCount else {
                throw KeyManagementError(
                    .limitExceeded, "a key has at most \(KeyManagementClient.largestGrantCount) grants")
            }
            log.response = [("grantId", .text(record.id)), ("keyId", .text(key.arnText))]
            let write = RecordWrite.put(
                try RecordName(record.recordName), try StoredJSON.encode(record), expecting: .absent)
            // None is made on a key that is being disabled or deleted.
            log.unchanged.append((try key.record.name, key.version))
            return ([write], (try Grant(record, scope: service.scope), try GrantToken(record)))
        }
    }

    /// The grants on a key, oldest first.
    ///
    /// - Parameters:
    ///   - id: the only one that is asked for.
    ///   - grantee: whose alone are asked for.
    /// - Throws: `notFound` where there is none of this identifier, `invalidGrantID` for what is none.
    public func grants(
        on identifier: KeyIdentifier, id: String? = nil, grantee: PrincipalName? = nil
    ) async throws(KeyManagementError) -> [Grant] {
        try await read("ListGrants", identifier, acrossAccounts: true) { key, state, _ in
            let grants = state.grants[key.place] ?? KeyGrants()
            let all = try id.map { [try grants.grant($0)] } ?? Array(grants.byID.values)
            return all.map(\.grant).filter { grantee == nil || $0.grantee == grantee }
                .sorted { ($0.record.created, $0.id) < ($1.record.created, $1.id) }
        }
    }

    /// The grants of the principal's account that a principal may retire, oldest first.
    public func grants(retirableBy retiring: PrincipalName) async throws(KeyManagementError) -> [Grant] {
        try await service.perform("ListRetirableGrants", as: caller) { log in
            log.parameters = [("retiringPrincipal", .text(retiring.description))]
            try service.authorize("ListRetirableGrants", resource: "*", inAccount: principal.account, log)
            return try service.refreshedState().grants.values.flatMap { $0.byID.values.map(\.grant) }
                .filter { $0.record.account == principal.account && $0.retiringPrincipal == retiring }
                .sorted { ($0.record.created, $0.id) < ($1.record.created, $1.id) }
        }
    }

    /// Ends a grant, as the one who owns the key.
    ///
    /// - Throws: `notFound` where there is none of this identifier, `invalidGrantID` for what is none.
    public func revokeGrant(_ id: String, on identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await service.change("RevokeGrant", as: caller) { log, state in
            log.parameters = [("keyId", .text(identifier.description)), ("grantId", .text(id))]
            let key = try managed(identifier, state, acrossAccounts: true, &log)
            try service.authorize("RevokeGrant", on: key, in: state, log)
            let (grant, version) = try (state.grants[key.place] ?? KeyGrants()).grant(id)
            return ([.delete(try RecordName(grant.record.recordName), expecting: .version(version))], ())
        }
    }

    /// Ends a grant, as the one for whom it was made.
    ///
    /// The account that made the grant may, whoever retires it, and a grantee who was allowed to. A key's policy gives nobody this
    /// right; it may deny it.
    ///
    /// - Throws: `notFound` where there is none of this identifier, `invalidGrantID` for what is none.
    public func retireGrant(_ id: String, on identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await retire([("keyId", .text(identifier.description)), ("grantId", .text(id))]) { log, state in
            (try managed(identifier, state, acrossAccounts: true, &log), id)
        }
    }

    /// Ends the grant that a token stands for; see ``retireGrant(_:on:)``.
    ///
    /// - Throws: `invalidGrantToken`.
    public func retireGrant(_ token: GrantToken) async throws(KeyManagementError) {
        try await retire([]) { log, state in
            guard let place = token.place, let key = state.keys[place.key], state.grants[place.key]?[place.id] != nil
            else { throw KeyManagementError(.invalidGrantToken) }
            log.use(key)
            return (key, place.id)
        }
    }

    private func retire(
        _ parameters: [(String, AuditEvent.Value)],
        _ find: (inout OperationLog, ServiceState) throws -> (ManagedKey, String)
    ) async throws(KeyManagementError) {
        let service = service
        try await service.change("RetireGrant", as: caller) { log, state in
            log.parameters = parameters
            let (key, id) = try find(&log, state)
            let (grant, version) = try (state.grants[key.place] ?? KeyGrants()).grant(id)
            log.additionalData = [("grantId", .text(id))]
            try service.authorizeRetirement(of: grant, on: key, log)
            return ([.delete(try RecordName(grant.record.recordName), expecting: .version(version))], ())
        }
    }
}

extension KeyManagementService {
    /// Refuses tokens that stand for no grant. One that is not known is looked for in the store.
    func check(_ tokens: [GrantToken]) throws(KeyManagementError) {
        guard !tokens.isEmpty else { return }
        guard tokens.count <= 10 else { throw KeyManagementError(.validation, "at most 10 grant tokens") }
        for token in tokens {
            guard let place = token.place else { throw KeyManagementError(.invalidGrantToken) }
            if try state().grants[place.key]?[place.id] != nil { continue }
            guard try refreshedState().grants[place.key]?[place.id] != nil else {
                throw KeyManagementError(.invalidGrantToken)
            }
        }
    }

    /// Asks whether a principal may end a grant.
    fileprivate func authorizeRetirement(
        of grant: Grant, on key: ManagedKey, _ log: OperationLog
    ) throws(KeyManagementError) {
        let statement = DecidingStatement(policy: "grant", statement: grant.id)
        let named = [grant.retiringPrincipal, grant.operations.contains(.retireGrant) ? grant.grantee : nil]
            .compactMap(\.self).filter { $0.includes(log.principal) }
        let allowance =
            named.isEmpty
            ? nil : Allowance(statement, isForAccount: !named.contains { $0.names(log.principal) })
        // What the key's policy allows is no matter, what it denies is.
        try refuseDenial("RetireGrant", on: key, in: try state(), log)
        // A service belongs to no account; what it has granted is the key's account's to end.
        let account = grant.issuingAccount.isEmpty ? key.record.account : grant.issuingAccount
        let policy = try stated { try PolicyDocument.delegating(toAccount: account, partition: scope.partition) }
        try authorize(
            "RetireGrant", resource: key.arnText, account: account, policy: policy, log, allowance
        ) { _ in [] }
    }
}

extension GrantRecord {
    /// What policies see of the request for it.
    fileprivate func conditions(by principal: Principal) -> [String: [String]] {
        var isService = false
        if case .service = principal.kind { isService = true }
        return [
            "kms:granteeprincipal": [grantee], "kms:grantoperations": operations,
            "kms:grantconstrainttype": constraints.typeNames, "kms:grantisforawsresource": [String(isService)],
            "kms:retiringprincipal": retiringPrincipal.map { [$0] } ?? [],
        ]
    }

    fileprivate func check(on key: KeyRecord) throws(KeyManagementError) {
        guard !operations.isEmpty else { throw KeyManagementError(.validation, "a grant allows an operation") }
        let possible = GrantOperation.operations(of: key)
        for operation in operations where GrantOperation(rawValue: operation).map(possible.contains) != true {
            throw KeyManagementError(
                .validation, "Grant operation \(operation) is not compatible with key usage \(key.usage).")
        }
        try constraints.check(isSymmetric: key.isSymmetric)
        for principal in [grantee, retiringPrincipal].compactMap(\.self) {
            // What is read from the store must be what policies have seen.
            guard (1...256).contains(principal.utf8.count), let read = GrantRecord.principal(principal),
                read.description.hasSameBytes(as: principal)
            else { throw KeyManagementError(.validation, "\(principal) is no principal's name") }
        }
        if let name {
            guard (1...256).contains(name.utf8.count), name.hasOnlyLettersDigits(and: ":/_-") else {
                throw KeyManagementError(.validation, "a grant's name has 1 to 256 letters, digits or :/_-")
            }
        }
    }
}
