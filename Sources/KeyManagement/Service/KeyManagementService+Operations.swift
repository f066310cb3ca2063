internal import AccessPolicy
internal import Auditing
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// What an operation notes about itself for the audit trail, as it goes.
struct OperationLog {
    let name: String
    let caller: Caller
    let time: Date
    var isReadOnly: Bool
    var parameters: [(String, AuditEvent.Value)] = []
    var response: [(String, AuditEvent.Value)] = []
    var additionalData: [(String, AuditEvent.Value)] = []
    var resources: [String] = []
    /// What must still be as it was when a change is committed, though the change does not write it.
    var unchanged: [(name: RecordName, version: UInt64)] = []
    /// The account that owns the resource; the caller's where there is none.
    var account: String

    init(name: String, caller: Caller, time: Date, isReadOnly: Bool) {
        self.name = name
        self.caller = caller
        self.time = time
        self.isReadOnly = isReadOnly
        account = caller.principal.account
    }

    var principal: Principal { caller.principal }

    mutating func use(_ key: ManagedKey) {
        resources.append(key.arnText)
        account = key.record.account
    }
}

extension KeyManagementService {
    /// Runs an operation that changes nothing in the store, and records it before its result is released.
    func perform<R: ~Copyable>(
        _ name: String, as caller: Caller, _ body: (inout OperationLog) async throws -> R
    ) async throws(KeyManagementError) -> R {
        var log = OperationLog(name: name, caller: caller, time: clock.now, isReadOnly: true)
        let result: R
        do {
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
        try await record(event(log, nil))
        return result
    }

    /// Runs an operation that changes the store: its writes and its event are committed together. Where another writer
    /// was faster, it is run again on the new state.
    func change<R: Sendable>(
        _ name: String, as caller: Caller,
        _ body: (inout OperationLog, ServiceState) throws -> (writes: [RecordWrite], result: R)
    ) async throws(KeyManagementError) -> R {
        for attempt in 1...50 {
            var log = OperationLog(name: name, caller: caller, time: clock.now, isReadOnly: false)
            let outcome: (writes: [RecordWrite], result: R)
            do {
                let state = try refreshedState()
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
        let record = key.record
        var allowance: Allowance?
        if let grants = state.grants[key.place], let operation = GrantOperation(rawValue: action) {
            allowance = grants.allowance(for: operation, of: log.caller, context: context, handingOn: grant)
        }
        try authorize(
            action, resource: key.arnText, account: record.account, policy: key.policy, log, allowance,
            KeyManagementService.conditions(record, context, conditions, alias))
    }

    /// Refuses what a policy denies, whatever may allow it.
    func refuseDenial(_ action: String, on key: ManagedKey, _ log: OperationLog) throws(KeyManagementError) {
        let record = key.record
        let request = request(
            action, resource: key.arnText, account: record.account, log, nil,
            KeyManagementService.conditions(record, .none, [:], nil))
        let decision = authorizer.decide(request, resourcePolicy: key.policy)
        if case .deniedExplicitly = decision { throw denial(decision, request) }
    }

    /// Whether the principal might do this to a key under another policy of its.
    func isAllowed(
        _ action: String, under policy: PolicyDocument, _ record: KeyRecord, _ log: OperationLog,
        _ conditions: [String: [String]]
    ) -> Bool {
        let arn = scope.keyARN(id: record.id, account: record.account).description
        return authorizer.decide(
            request(
                action, resource: arn, account: record.account, log, nil,
                KeyManagementService.conditions(record, .none, conditions, nil)), resourcePolicy: policy
        ).isAllowed
    }

    /// What conditions of policies find at a key, and at a request for it.
    private static func conditions(
        _ record: KeyRecord, _ context: EncryptionContext, _ conditions: [String: [String]], _ alias: String?
    ) -> @Sendable (String) -> [String] {
        { name in
            switch name {
            case "kms:keyspec": [record.specification]
            case "kms:keyusage": [record.usage]
            case "kms:keyorigin": [record.originName]
            case "kms:encryptionalgorithm" where record.isSymmetric: [record.specification]
            case "kms:requestalias": alias.map { [$0] } ?? []
            case "kms:encryptioncontextkeys": Array(context.pairs.keys)
            default:
                if name.hasPrefix("kms:encryptioncontext:") {
                    context.pairs.filter { $0.key.lowercased() == name.dropFirst("kms:encryptioncontext:".count) }
                        .map(\.value)
                } else {
                    conditions[name] ?? Tags.values(name, record.tags)
                }
            }
        }
    }

    /// Asks whether the principal may make such a key, and write such tags on it.
    func authorizeCreation<Purpose>(
        _ creation: KeyCreation, _ specification: KeySpecification<Purpose>, _ log: OperationLog
    ) throws(KeyManagementError) {
        let conditions = Tags.conditions(creation.tags).merging([
            "kms:keyspec": [specification.name], "kms:keyusage": [Purpose.usage], "kms:keyorigin": [creation.origin],
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
        let policy = try stated { try PolicyDocument.delegating(toAccount: account, partition: scope.partition) }
        try authorize(action, resource: resource, account: account, policy: policy, log, nil) { conditions[$0] ?? [] }
    }

    func authorize(
        _ action: String, resource: String, account: String, policy: PolicyDocument, _ log: OperationLog,
        _ allowance: Allowance?, _ context: @escaping @Sendable (String) -> [String]
    ) throws(KeyManagementError) {
        let request = request(action, resource: resource, account: account, log, allowance, context)
        let decision = authorizer.decide(request, resourcePolicy: policy)
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
        _ context: @escaping @Sendable (String) -> [String]
    ) -> AccessRequest {
        let (principal, time, sourceARN) = (log.principal, log.time, log.caller.sourceARN)
        return AccessRequest(
            principal: principal, action: "kms:\(action)", resource: resource, resourceAccount: account,
            allowance: allowance
        ) { name in
            switch name {
            case "aws:principalarn": [principal.description]
            case "aws:principalaccount", "kms:calleraccount": [principal.account]
            case "aws:currenttime", "aws:epochtime": [String(time.timeIntervalSince1970)]
            case "aws:sourcearn": sourceARN.map { [$0] } ?? []
            default: context(name)
            }
        }
    }

    /// Records an event as the trail's durability says.
    func record(_ event: AuditEvent) async throws(KeyManagementError) {
        do throws(AuditError) {
            try await trail.record(event)
            try await copy(event)
        } catch { throw KeyManagementError(wrapping: error) }
    }

    func event(_ log: OperationLog, _ error: KeyManagementError?) -> AuditEvent {
        let type =
            switch log.principal.kind {
            case .root: "Root"
            case .user: "IAMUser"
            case .role: "AssumedRole"
            case .service: "AWSService"
            }
        var event = AuditEvent(
            time: log.time, source: "kms.amazonaws.com", name: log.name, region: scope.region, account: log.account,
            identity: .init(type: type, arn: log.principal.description, account: log.principal.account))
        event.requestParameters = log.parameters
        event.responseElements = error == nil ? log.response : []
        event.additionalData = log.additionalData
        event.resources = log.resources
        event.isReadOnly = log.isReadOnly
        event.error = error.map { ($0.code.name, $0.message) }
        return event
    }
}
