internal import AccessPolicy
internal import Auditing
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// The services whose operations these are, by AWS's names.
enum ServiceName: String {
    case kms
    case iam
    case sts

    var host: String { "\(rawValue).amazonaws.com" }
    /// How the names of its actions begin in policies.
    var prefix: String {
        switch self {
        case .kms: "kms:"
        case .iam: "iam:"
        case .sts: "sts:"
        }
    }
    var resourceType: String { self == .kms ? "AWS::KMS::Key" : "AWS::IAM::Role" }
}

/// What an operation notes about itself for the audit trail, as it goes.
struct OperationLog {
    let name: String
    private(set) var service: ServiceName
    private(set) var caller: Caller
    let time: Date
    var isReadOnly: Bool
    var parameters: [(String, AuditEvent.Value)] = []
    var response: [(String, AuditEvent.Value)] = []
    var additionalData: [(String, AuditEvent.Value)] = []
    var resources: [String] = []
    /// The identifiers of the materials used.
    var materials: [String] = []
    /// Where the last key's material comes from.
    private(set) var origin = ""
    /// The last key that was used, and what it has at hand.
    private(set) var key: ManagedKey?
    private(set) var working: ManagedKey.Working?
    /// What policies see of the whole operation.
    var conditions: [String: [String]] = [:]
    /// In which way something is signed, which policies see too.
    var signing: (algorithm: String, messageType: String)?
    /// The key that was made.
    var made: (metadata: KeyMetadata, policy: String)?
    /// Whether a deletion waits for replicas.
    var isWaitingForReplicas = false
    /// What must still be as it was when a change is committed, though the change does not write it.
    var unchanged: [(name: RecordName, version: UInt64)] = []
    /// The account that owns the resource; the caller's where there is none.
    var account: String

    init(name: String, of service: ServiceName = .kms, caller: Caller, time: Date, isReadOnly: Bool) {
        self.name = name
        self.service = service
        self.caller = caller
        self.time = time
        self.isReadOnly = isReadOnly
        account = caller.principal.account
    }

    var principal: Principal { caller.principal }

    /// The same for an operation on keys by another caller.
    func keyOperation(by caller: Caller) -> OperationLog {
        var log = self
        log.caller = caller
        log.service = .kms
        return log
    }

    /// Notes something more, where it is not noted yet.
    mutating func addOnce(_ name: String, _ value: String) {
        guard !additionalData.contains(where: { $0.0 == name }) else { return }
        additionalData.append((name, .text(value)))
    }

    /// Notes material that is used.
    mutating func note(_ key: BackingKey) {
        if materials.isEmpty { materials = key.names } else { materials.append(key.name) }
    }

    /// Notes a key that is being made.
    mutating func note(_ key: ManagedKey) {
        made = key.metadata(at: time).map { ($0, key.record.policy) }
    }

    /// The ARN of a key, which mostly is the last one that was used.
    func arnText(of other: ManagedKey) -> String {
        if key === other, let working { working.arnText } else { other.arnText }
    }

    /// The policy of a key, which mostly is the last one that was used.
    func policy(of other: ManagedKey) -> PolicyDocument {
        if key === other, let working { working.policy } else { other.policy }
    }

    mutating func use(_ key: ManagedKey) {
        let working = key.working
        (self.key, self.working) = (key, working)
        if resources.isEmpty { resources = working.arnTexts } else { resources.append(working.arnText) }
        account = key.record.account
        origin = key.record.originName
    }
}

extension KeyManagementService {
    /// Runs an operation that changes nothing in the store, and records it before its result is released.
    func perform<R: ~Copyable>(
        _ name: String, of service: ServiceName = .kms, as caller: Caller,
        _ body: (inout OperationLog) async throws -> R
    ) async throws(KeyManagementError) -> R {
        var log = OperationLog(name: name, of: service, caller: caller, time: clock.now, isReadOnly: true)
        let result: R
        do {
            try check(caller, at: log.time)
            if !caller.isAdmitted {
                try limiter.take(name, account: caller.principal.account, at: clock.uptime)
            }
            try check(caller.grantTokens)
            result = try await body(&log)
        } catch {
            let error = KeyManagementError(wrapping: error)
            try await record(event(log, error))
            throw error
        }
        guard !caller.isDryRun else {
            try await record(event(log, .dryRun))
            throw .dryRun
        }
        if let event = try recordDone(log) { try await record(event, at: log.time) }
        return result
    }

    /// Runs an operation that changes the store: its writes and its event are committed together. Where another writer
    /// was faster, it is run again on the new state.
    func change<R: Sendable>(
        _ name: String, of service: ServiceName = .kms, as caller: Caller,
        _ body: (inout OperationLog, ServiceState) throws -> (writes: [RecordWrite], result: R)
    ) async throws(KeyManagementError) -> R {
        for attempt in 1...50 {
            var log = OperationLog(name: name, of: service, caller: caller, time: clock.now, isReadOnly: false)
            let outcome: (writes: [RecordWrite], result: R)
            do {
                let state = try refreshedState()
                try check(caller, at: log.time)
                if attempt == 1, !caller.isAdmitted {
                    try limiter.take(name, account: caller.principal.account, at: clock.uptime)
                }
                try check(caller.grantTokens)
                log.unchanged = [(RootRecord.name, state.root.version)]
                outcome = try body(&log, state)
                if caller.isDryRun { throw KeyManagementError.dryRun }
            } catch {
                let error = KeyManagementError(wrapping: error)
                if error.code == .conflict && attempt < 50 {
                    await Task.yield()
                    continue
                }
                try await record(event(log, error))
                throw error
            }
            let event = event(log, nil)
            if outcome.writes.isEmpty {
                // Where the service has nothing left to do, another process has, and its own event tells.
                if caller.principal != Caller.service.principal { try await record(event) }
                return outcome.result
            }
            do {
                _ = try await trail.record(event) {
                    [records, writes = outcome.writes, unchanged = log.unchanged] auditWrites in
                    try records.commit(writes, alongside: auditWrites, guarding: unchanged)
                }
                // The change stands. Should looking at it fail, the next operation says so.
                _ = try? refreshedState()
            } catch {
                let error = KeyManagementError(wrapping: error)
                guard error.code == .conflict else {
                    try? await record(self.event(log, error))
                    throw error
                }
                continue
            }
            do { try await copy(event) } catch { throw KeyManagementError(wrapping: error) }
            return outcome.result
        }
        throw KeyManagementError(.conflict, "\(name): other writers were faster fifty times")
    }

    /// Asks whether the principal may do this to a key.
    func authorize(
        _ action: String, on key: ManagedKey, in state: ServiceState, _ log: OperationLog,
        context: EncryptionContext = .none, conditions: [String: [String]] = [:], alias: String? = nil,
        handingOn grant: GrantRecord? = nil
    ) throws(KeyManagementError) {
        let request = request(action, on: key, in: state, log, context, conditions, alias, handingOn: grant)
        try allow(request, policy: log.policy(of: key), state)
    }

    /// Whether the principal may do this to a key, and why.
    func decision(
        _ action: String, on key: ManagedKey, in state: ServiceState, _ log: OperationLog,
        context: EncryptionContext = .none
    ) -> AccessDecision {
        decide(
            request(action, on: key, in: state, log, context, [:], nil, handingOn: nil), policy: key.policy, of: state)
    }

    /// Refuses what a policy denies, whatever may allow it.
    func refuseDenial(
        _ action: String, on key: ManagedKey, in state: ServiceState, _ log: OperationLog
    ) throws(KeyManagementError) {
        let request = request(action, on: key, in: state, log, .none, [:], nil, handingOn: nil)
        let decision = decide(request, policy: key.policy, of: state)
        if case .deniedExplicitly = decision { throw denial(decision, request) }
    }

    /// Refuses a policy under which the caller could not replace it.
    func checkLockout(
        _ policy: PolicyDocument, _ record: KeyRecord, in state: ServiceState, _ log: OperationLog, isBypassed: Bool
    ) throws(KeyManagementError) {
        guard !policy.isTrustPolicy else {
            throw KeyManagementError(.malformedPolicy, "a role's trust policy is no key policy")
        }
        let arn = scope.keyARN(id: record.id, account: record.account).description
        let values = KeyRequest(
            .record(record), log, in: scope.region, state,
            conditions: ["kms:bypasspolicylockoutsafetycheck": [String(isBypassed)]])
        let request = request(
            "PutKeyPolicy", resource: arn, account: record.account, log, nil, values: values.values)
        guard isBypassed || decide(request, policy: policy, of: state).isAllowed else {
            throw KeyManagementError(
                .malformedPolicy, "The new key policy will not allow you to update the key policy in the future.")
        }
    }

    private func request(
        _ action: String, on key: ManagedKey, in state: ServiceState, _ log: OperationLog,
        _ context: EncryptionContext, _ conditions: [String: [String]], _ alias: String?, handingOn grant: GrantRecord?
    ) -> AccessRequest {
        var allowance: Allowance?
        if key.mayHaveGrants(for: log.caller), let operation = GrantOperation(rawValue: action),
            let grants = state.grants(on: key)
        {
            allowance = grants.allowance(for: operation, of: log.caller, context: context, handingOn: grant)
        }
        let all = log.conditions.isEmpty ? conditions : conditions.merging(log.conditions) { $1 }
        let values = KeyRequest(
            .key(key), log, in: scope.region, state, context: context, conditions: all, alias: alias)
        return request(
            action, resource: log.arnText(of: key), account: key.record.account, log, allowance, values: values.values)
    }

    /// Asks whether the principal may make such a key, and write such tags on it.
    func authorizeCreation<Purpose>(
        _ creation: KeyCreation, _ specification: KeySpecification<Purpose>, _ log: OperationLog
    ) throws(KeyManagementError) {
        try authorizeCreation(
            creation, specification: specification.name, usage: Purpose.usage,
            multiRegionKeyType: creation.isMultiRegion ? "PRIMARY" : nil, log)
    }

    func authorizeCreation(
        _ creation: KeyCreation, specification: String, usage: String, multiRegionKeyType: String?, _ log: OperationLog
    ) throws(KeyManagementError) {
        let conditions = Tags.conditions(creation.tags).merging([
            "kms:keyspec": [specification], "kms:keyusage": [usage], "kms:keyorigin": [creation.origin],
            "kms:bypasspolicylockoutsafetycheck": [String(creation.bypassesLockoutCheck)],
            "kms:multiregion": [String(multiRegionKeyType != nil)],
            "kms:multiregionkeytype": multiRegionKeyType.map { [$0] } ?? [],
        ]) { $1 }
        let actions = creation.tags.isEmpty ? ["CreateKey"] : ["CreateKey", "TagResource"]
        for action in actions {
            try authorize(action, resource: "*", inAccount: log.principal.account, log, conditions: conditions)
        }
    }

    /// Asks whether the principal may do this in its own account, where no key's policy has a say.
    func authorize(
        _ action: String, resource: String, inAccount account: String, _ log: OperationLog,
        conditions: [String: [String]] = [:]
    ) throws(KeyManagementError) {
        let policy = try stated {
            try PolicyDocument.delegating(
                toAccount: account, partition: scope.partition, actions: "\(log.service.rawValue):*")
        }
        let all = log.conditions.isEmpty ? conditions : conditions.merging(log.conditions) { $1 }
        try authorize(action, resource: resource, account: account, policy: policy, log, nil) { all[$0] ?? [] }
    }

    /// Asks whether the principal may do this to something that carries a policy.
    func authorize(
        _ action: String, resource: String, account: String, policy: PolicyDocument, _ log: OperationLog,
        _ allowance: Allowance?, _ context: @escaping @Sendable (String) -> [String]
    ) throws(KeyManagementError) {
        let (state, caller, time, region) = (try state(), log.caller, log.time, scope.region)
        let request = request(action, resource: resource, account: account, log, allowance) { name in
            caller.values(name, at: time, in: region, of: account, state) ?? context(name)
        }
        try allow(request, policy: policy, state)
    }

    private func allow(
        _ request: AccessRequest, policy: PolicyDocument, _ state: ServiceState
    ) throws(KeyManagementError) {
        let decision = decide(request, policy: policy, of: state)
        guard decision.isAllowed else { throw denial(decision, request) }
    }

    private func denial(_ decision: AccessDecision, _ request: AccessRequest) -> KeyManagementError {
        let reason =
            switch decision {
            case .deniedExplicitly(let statement): "with an explicit deny in \(statement)"
            case .deniedImplicitly(let missing): "because no \(missing) allows the \(request.action) action"
            case .allowed(let statement): "though \(statement) allows it"
            }
        return KeyManagementError(
            .accessDenied,
            "\(request.principal) is not authorized to perform \(request.action) on resource \(request.resource) \(reason)"
        )
    }

    private func request(
        _ action: String, resource: String, account: String, _ log: OperationLog, _ allowance: Allowance?,
        values: @escaping @Sendable (String) -> [String]
    ) -> AccessRequest {
        AccessRequest(
            principal: log.caller.principal, action: log.service.prefix + action, resource: resource,
            resourceAccount: account, allowance: allowance,
            sessionPolicies: log.caller.session?.namedPolicies ?? [], context: values)
    }
}
