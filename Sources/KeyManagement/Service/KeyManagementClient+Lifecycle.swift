public import AccessPolicy
internal import Auditing
internal import Cryptography
public import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// Makes a key in the principal's account.
    ///
    /// - Parameters:
    ///   - specification: what kind.
    ///   - alias: a name for it, made in the same commit.
    ///   - description: up to 8192 characters.
    ///   - tags: what its owner writes on it; see ``tag(_:_:)``.
    ///   - policy: who may use it. By default the account's own policies decide.
    ///   - multiRegion: whether it can be replicated to other Regions; see ``replicateKey(_:to:description:tags:policy:bypassingLockoutCheck:)``.
    ///   - allowingBackup: whether it can go to another instance, wrapped; see ``backUp(_:for:)``. This is decided once: no later request makes a
    ///     key's material leave the service. Not together with `multiRegion`.
    ///   - bypassingLockoutCheck: a policy under which the caller could not replace it is refused otherwise.
    /// - Throws: `accessDenied`, `alreadyExists` for the alias, `invalidAliasName`, `malformedPolicy`, `invalidTag`,
    ///   `clockJumped`.
    public func createKey<Purpose>(
        _ specification: KeySpecification<Purpose>, alias: String? = nil, description: String = "",
        tags: [String: String] = [:], policy: PolicyDocument? = nil, multiRegion: Bool = false,
        allowingBackup: Bool = false, bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> Key<Purpose> {
        guard !(multiRegion && allowingBackup) else {
            throw KeyManagementError(.validation, "a key of several Regions goes there by replication")
        }
        var creation = KeyCreation(alias: alias, description: description, tags: tags, policy: policy)
        creation.bypassesLockoutCheck = bypassingLockoutCheck
        creation.isMultiRegion = multiRegion
        return try await createKey(specification, creation) { record, log, state in
            if allowingBackup {
                log.parameters.append(("allowBackup", .flag(true)))
                record.mayBeBackedUp = true
            }
            let domain = try state.wrappingDomain
            record.materials = [try record.newMaterial(at: log.time, domain: state.activeDomain, under: domain)]
            return []
        }
    }

    /// Makes a key as the caller's account may, with its material from `fill`, which says what else is to be written.
    func createKey<Purpose>(
        _ specification: KeySpecification<Purpose>, _ creation: KeyCreation,
        fill: (inout KeyRecord, inout OperationLog, ServiceState) throws -> [RecordWrite]
    ) async throws(KeyManagementError) -> Key<Purpose> {
        let (service, principal, account) = (service, principal, principal.account)
        return try await service.change(creation.operation, as: caller) { log, state in
            log.parameters = [
                ("keyUsage", .text(Purpose.usage)), ("keySpec", .text(specification.name)),
                ("description", .text(creation.description)),
            ]
            log.parameters += creation.parameters
            if !creation.tags.isEmpty { log.parameters.append(("tags", .map(creation.tags))) }
            if let policy = creation.policy { log.parameters.append(("policy", .text(policy.text))) }
            log.parameters.append(("bypassPolicyLockoutSafetyCheck", .flag(creation.bypassesLockoutCheck)))
            guard Principal.isAccount(account) else {
                throw KeyManagementError(.validation, "\(principal) has no account that could own a key")
            }
            try service.algorithms.check(specification.name)
            try Tags.check(description: creation.description)
            try Tags.check(creation.tags)
            try service.authorizeCreation(creation, specification, log)
            try service.quotas.checkKeys(of: account, in: state)
            try service.checkDrift(log.time)
            var record = KeyRecord(
                id: try creation.makeID(), account: account,
                created: log.time.timeIntervalSince1970, description: creation.description, usage: Purpose.usage,
                specification: specification.name,
                policy: try (creation.policy ?? .delegating(toAccount: account, partition: service.scope.partition))
                    .text,
                tags: creation.tags.isEmpty ? nil : creation.tags, materials: [])
            if creation.isMultiRegion {
                record.multiRegion = KeyRecord.MultiRegion(primary: service.scope.region, replicas: [], epoch: 1)
                log.parameters.append(("multiRegion", .flag(true)))
            }
            if let policy = creation.policy {
                try service.checkLockout(
                    policy, record, in: state, log, isBypassed: creation.bypassesLockoutCheck)
            }
            let others = try fill(&record, &log, state)
            var writes = others + [.put(try record.name, try StoredJSON.encode(record), expecting: .absent)]
            let arn = service.scope.keyARN(id: record.id, account: account)
            if let alias = creation.alias {
                let name = AliasName(account: account, name: alias)
                log.parameters.append(("alias", .text(alias)))
                try service.authorize(
                    "CreateAlias", resource: service.scope.aliasARN(name).description, inAccount: account, log)
                writes.append(try newAlias(name, record.id, log.time.timeIntervalSince1970, state))
            }
            log.resources = [arn.description]
            log.response = [("keyId", .text(record.id)), ("arn", .text(arn.description))]
            log.note(try ManagedKey(record, version: 1, scope: service.scope, after: nil))
            return (writes, Key(arn: arn))
        }
    }

    /// The key that an identifier names, narrowed to a purpose.
    ///
    /// - Throws: `notFound`; `invalidKeyUsage` where it is for another purpose.
    public func key<Purpose>(
        _ identifier: KeyIdentifier, for purpose: Purpose.Type
    ) async throws(KeyManagementError) -> Key<Purpose> {
        let metadata = try await describe(identifier)
        guard metadata.usage == Purpose.usage, Purpose.covers(specification: metadata.specification) else {
            throw KeyManagementError(
                .invalidKeyUsage, "\(metadata.arn) is \(metadata.specification) for \(metadata.usage)")
        }
        return Key(arn: metadata.arn)
    }

    /// What there is to know about a key.
    public func describe(_ identifier: KeyIdentifier) async throws(KeyManagementError) -> KeyMetadata {
        try await service.perform("DescribeKey", as: caller) { log in
            log.parameters = [("keyId", .text(identifier.description))]
            try await service.makeManagedKey(identifier, "DescribeKey", log)
            let state = try service.refreshedState()
            let key = try state.key(identifier, account: principal.account, scope: service.scope, at: log.time)
            log.use(key)
            try service.authorize("DescribeKey", on: key, in: state, log, alias: identifier.alias)
            guard var metadata = key.metadata(at: log.time) else { throw KeyManagementError(.notFound) }
            if metadata.state == .enabled, let store = key.record.keyStore,
                state.keyStores["\(key.record.account)/\(store)"]?.record.isConnected == false
            {
                metadata.state = .unavailable
            }
            return metadata
        }
    }

    /// The keys of the principal's account, oldest first.
    public func listKeys() async throws(KeyManagementError) -> [KeyMetadata] {
        try await service.perform("ListKeys", as: caller) { log in
            try service.authorize("ListKeys", resource: "*", inAccount: principal.account, log)
            return try service.refreshedState().keys.values
                .filter { $0.record.account == principal.account }
                .compactMap { $0.metadata(at: log.time) }
                .sorted { ($0.creationDate, $0.id) < ($1.creationDate, $1.id) }
        }
    }

    /// Switches a key on.
    public func enable(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await change("EnableKey", identifier) { record, log, _ in
            try record.refuseMissingMaterial(at: log.time)
            record.isEnabled = true
        }
    }

    /// Switches a key off: nothing is encrypted or decrypted under it until it is on again.
    public func disable(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await change("DisableKey", identifier) { record, log, _ in
            try record.refuseMissingMaterial(at: log.time)
            record.isEnabled = false
        }
    }

    /// Has a key deleted, with all that it sealed, after 7 to 30 days.
    ///
    /// A primary key of several Regions waits until its replicas are deleted, and the days after that.
    ///
    /// - Returns: when; of a key with replicas, the earliest date that is possible.
    /// - Throws: `clockJumped` too.
    @discardableResult
    public func scheduleDeletion(
        _ identifier: KeyIdentifier, afterDays days: Int = 30
    ) async throws(KeyManagementError) -> Date {
        guard (KeyRecord.shortestWindow...30).contains(days) else {
            throw KeyManagementError(.validation, "a key waits 7 to 30 days for its deletion, not \(days)")
        }
        var date = Date(timeIntervalSince1970: 0)
        try await change(
            "ScheduleKeyDeletion", identifier, parameters: [("pendingWindowInDays", .number(days))],
            conditions: ["kms:schedulekeydeletionpendingwindowindays": [String(days)]]
        ) { record, log, state in
            try record.refuseIfProtected()
            try service.checkClock(log.time, state)
            // Counted from the time that was checked.
            date = Date(timeIntervalSince1970: (log.time.timeIntervalSince1970 + Double(days) * 86400).rounded())
            // A primary waits for its replicas, and for its own date afterwards.
            let hasReplicas = record.multiRegion.map { !$0.replicas.isEmpty } ?? false
            if hasReplicas, !record.isReplica(in: service.scope.region) {
                record.pendingWindow = days
                log.isWaitingForReplicas = true
            } else {
                record.deletion = date.timeIntervalSince1970
            }
        }
        return date
    }

    /// Calls a deletion back. The key is disabled afterwards.
    public func cancelDeletion(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await change("CancelKeyDeletion", identifier, whilePendingDeletion: true) { record, _, _ in
            record.deletion = nil
            record.pendingWindow = nil
            record.isEnabled = false
        }
    }

    /// A key's policy.
    public func policy(of identifier: KeyIdentifier) async throws(KeyManagementError) -> PolicyDocument {
        try await read("GetKeyPolicy", identifier) { key, _, _ in key.policy }
    }

    /// The names of a key's policies: `default`, and no other.
    public func policyNames(of identifier: KeyIdentifier) async throws(KeyManagementError) -> [String] {
        try await read("ListKeyPolicies", identifier) { _, _, _ in ["default"] }
    }

    /// Replaces a key's policy.
    ///
    /// - Parameter bypassingLockoutCheck: a policy under which the caller could not replace it again is refused otherwise.
    public func putPolicy(
        _ policy: PolicyDocument, on identifier: KeyIdentifier, bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) {
        let service = service
        let bypassing = ["kms:bypasspolicylockoutsafetycheck": [String(bypassingLockoutCheck)]]
        let parameters: [(String, AuditEvent.Value)] = [
            ("policyName", .text("default")), ("policy", .text(policy.text)),
            ("bypassPolicyLockoutSafetyCheck", .flag(bypassingLockoutCheck)),
        ]
        try await change("PutKeyPolicy", identifier, parameters: parameters, conditions: bypassing) {
            record, log, state in
            try service.checkLockout(policy, record, in: state, log, isBypassed: bypassingLockoutCheck)
            record.policy = policy.text
        }
    }

    /// One change of one key's record. Management takes a key's id or ARN, no alias.
    ///
    /// - Parameter whilePendingDeletion: whether the key must wait for its deletion, or must not; nil where it may.
    func change(
        _ name: String, _ identifier: KeyIdentifier, whilePendingDeletion: Bool? = false,
        parameters: [(String, AuditEvent.Value)] = [], conditions: [String: [String]] = [:],
        _ body: (inout KeyRecord, inout OperationLog, ServiceState) throws -> Void
    ) async throws(KeyManagementError) {
        let service = service
        try await service.change(name, as: caller) { log, state in
            log.parameters = [("keyId", .text(identifier.description))] + parameters
            let key = try managed(identifier, state, &log)
            try service.authorize(name, on: key, in: state, log, conditions: conditions)
            let isPending = key.record.isPendingDeletion
            guard whilePendingDeletion == nil || isPending == whilePendingDeletion else {
                throw KeyManagementError(
                    .invalidState, "\(key.arnText) is \(isPending ? "" : "not ")pending deletion.")
            }
            var record = key.record
            try body(&record, &log, state)
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(key.version))], ())
        }
    }

    /// One look at one key. Management takes a key's id or ARN, no alias.
    func read<R>(
        _ name: String, _ identifier: KeyIdentifier, acrossAccounts: Bool = false,
        parameters: [(String, AuditEvent.Value)] = [], conditions: [String: [String]] = [:],
        _ body: (ManagedKey, ServiceState, inout OperationLog) throws -> R
    ) async throws(KeyManagementError) -> R {
        try await service.perform(name, as: caller) { log in
            log.parameters = [("keyId", .text(identifier.description))] + parameters
            let state = try service.refreshedState()
            let key = try managed(identifier, state, acrossAccounts: acrossAccounts, &log)
            try service.authorize(name, on: key, in: state, log, conditions: conditions)
            return try body(key, state, &log)
        }
    }

    /// The key that is managed, of the principal's own account but for the operations that AWS opens to others.
    func managed(
        _ identifier: KeyIdentifier, _ state: ServiceState, acrossAccounts: Bool = false, _ log: inout OperationLog
    ) throws(KeyManagementError) -> ManagedKey {
        guard !identifier.description.contains("alias/") else {
            throw KeyManagementError(.notFound, "Invalid keyId '\(identifier)'")
        }
        let key = try state.key(identifier, account: principal.account, scope: service.scope, at: log.time)
        log.use(key)
        guard acrossAccounts || key.record.account == principal.account || principal.account.isEmpty else {
            throw KeyManagementError(
                .accessDenied, "\(principal) is not authorized to perform kms:\(log.name) on a key of another account")
        }
        return key
    }
}

/// What the maker of a key says of it.
struct KeyCreation {
    let alias: String?
    let description: String
    let tags: [String: String]
    let policy: PolicyDocument?
    /// Where its material comes from, by AWS's name.
    var origin = "AWS_KMS"
    var bypassesLockoutCheck = false
    var isMultiRegion = false
    /// The identifier; nil for a new one.
    var id: String?
    /// What the trail has beside.
    var parameters: [(String, AuditEvent.Value)] = []
    /// By what the key comes here.
    var operation = "CreateKey"
}

extension KeyCreation {
    /// A new key's identifier: a UUID, or the form that is the same in all Regions.
    fileprivate func makeID() throws -> String {
        if let id { return id }
        guard isMultiRegion else { return UUID.random().lowercaseText }
        return "mrk-" + Hexadecimal.encode(try SystemRandom().bytes(count: 16))
    }
}
