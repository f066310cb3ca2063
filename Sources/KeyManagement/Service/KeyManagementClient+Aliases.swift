internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// Gives a key of the principal's account one more name, `alias/...`.
    public func createAlias(_ alias: String, for target: KeyIdentifier) async throws(KeyManagementError) {
        try await changeAlias("CreateAlias", alias, target) { name, id, time, state in
            try newAlias(name, id, time, state)
        }
    }

    /// Lets an alias stand for another key of the same purpose and kind.
    public func updateAlias(_ alias: String, to target: KeyIdentifier) async throws(KeyManagementError) {
        try await changeAlias("UpdateAlias", alias, target) { name, id, time, state in
            guard let old = state.aliases[name] else { throw notFound(name) }
            let keys = [old.record.target, id].map { state.keys["\(name.account)/\($0)"]?.record }
            guard
                keys[0] == nil || (keys[0]?.usage == keys[1]?.usage && keys[0]?.specification == keys[1]?.specification)
            else { throw KeyManagementError(.validation, "an alias moves between keys of one kind only") }
            return .put(
                try AliasRecord.name(name),
                try StoredJSON.encode(AliasRecord(target: id, created: old.record.created, updated: time)),
                expecting: .version(old.version))
        }
    }

    /// Takes an alias away. The key stays.
    public func deleteAlias(_ alias: String) async throws(KeyManagementError) {
        let service = service
        let name = AliasName(account: principal.account, name: alias)
        try await service.change("DeleteAlias", as: caller) { log, state in
            log.parameters = [("aliasName", .text(alias))]
            guard !alias.hasPrefix("alias/aws/") else { throw KeyManagementError(.notAuthorized) }
            guard alias.utf8.allSatisfy({ $0 < 0x80 }), let old = state.aliases[name] else { throw notFound(name) }
            try service.authorize(
                "DeleteAlias", resource: service.scope.aliasARN(name).description, inAccount: name.account, log)
            if let key = state.keys["\(name.account)/\(old.record.target)"] {
                log.use(key)
                try service.authorize("DeleteAlias", on: key, in: state, log)
            }
            return ([.delete(try AliasRecord.name(name), expecting: .version(old.version))], ())
        }
    }

    /// The aliases of the principal's account, by name.
    ///
    /// - Parameter identifier: of the only key whose aliases are asked for, by its id or ARN.
    public func listAliases(of identifier: KeyIdentifier? = nil) async throws(KeyManagementError) -> [AliasEntry] {
        try await service.perform("ListAliases", as: caller) { log in
            if let identifier { log.parameters = [("keyId", .text(identifier.description))] }
            try service.authorize("ListAliases", resource: "*", inAccount: principal.account, log)
            let state = try service.refreshedState()
            let target = try identifier.map { try managed($0, state, &log).record.id }
            return state.aliases
                .filter { $0.key.account == principal.account && (target == nil || $0.value.record.target == target) }
                .map { name, alias in
                    AliasEntry(
                        name: name.name, arn: service.scope.aliasARN(name), target: alias.record.target,
                        creationDate: alias.record.created.map { Date(timeIntervalSince1970: $0) },
                        lastUpdateDate: alias.record.updated.map { Date(timeIntervalSince1970: $0) })
                }
                .sorted { $0.name < $1.name }
        }
    }

    /// The write that makes an alias.
    func newAlias(
        _ name: AliasName, _ target: String, _ time: Double, _ state: ServiceState
    ) throws -> RecordWrite {
        if let refusal = name.refusal { throw refusal }
        if let limit = service.quotas.aliasesPerKey {
            let count = state.aliases.count { $0.key.account == name.account && $0.value.record.target == target }
            guard count < limit else {
                throw KeyManagementError(.limitExceeded, "a key has at most \(limit) aliases")
            }
        }
        guard state.aliases[name] == nil else {
            throw KeyManagementError(
                .alreadyExists, "An alias with the name \(service.scope.aliasARN(name)) already exists")
        }
        return .put(
            try AliasRecord.name(name),
            try StoredJSON.encode(AliasRecord(target: target, created: time, updated: time)),
            expecting: .absent)
    }

    private func changeAlias(
        _ operation: String, _ alias: String, _ target: KeyIdentifier,
        _ body: (AliasName, String, Double, ServiceState) throws -> RecordWrite
    ) async throws(KeyManagementError) {
        let (service, principal) = (service, principal)
        try await service.change(operation, as: caller) { log, state in
            log.parameters = [("aliasName", .text(alias)), ("targetKeyId", .text(target.description))]
            let name = AliasName(account: principal.account, name: alias)
            if let refusal = name.refusal { throw refusal }
            let key = try state.key(target, account: principal.account, scope: service.scope, at: log.time)
            log.use(key)
            guard key.record.account == principal.account else {
                throw KeyManagementError(.accessDenied, "an alias stands for a key of its own account")
            }
            try service.authorize(
                operation, resource: service.scope.aliasARN(name).description, inAccount: name.account, log)
            try service.authorize(operation, on: key, in: state, log)
            // The key that loses the alias has a say too.
            if let old = state.aliases[name], let loser = state.keys["\(name.account)/\(old.record.target)"] {
                try service.authorize(operation, on: loser, in: state, log)
            }
            guard !key.record.isPendingDeletion else {
                throw KeyManagementError(.invalidState, "\(key.arnText) is pending deletion.")
            }
            return ([try body(name, key.record.id, log.time.timeIntervalSince1970, state)], ())
        }
    }

    private func notFound(_ name: AliasName) -> KeyManagementError {
        KeyManagementError(.notFound, "Alias \(service.scope.aliasARN(name)) is not found.")
    }
}
