internal import Auditing
internal import FoundationEssentials
internal import Synchronization

extension KeyManagementService {
    /// Records that an operation is done which changed nothing. Most are as one before them, and nobody waits for the trail.
    func recordDone(_ log: borrowing OperationLog) throws(KeyManagementError) -> UnrecordedEvent? {
        guard copies.isEmpty, let working = log.working else { return .whole(event(log, nil)) }
        guard let template = template(log, working) else { return .whole(event(log, nil)) }
        log.caller.report?.take(log, isDone: true)
        do throws(AuditError) {
            return try trail.recordAtOnce(template, at: log.time) ? nil : .repeated(template)
        } catch {
            throw KeyManagementError(wrapping: error)
        }
    }

    /// The template of an operation's event, where it was done lately. Where none can be made, the event is recorded whole.
    private func template(_ log: borrowing OperationLog, _ working: ManagedKey.Working) -> AuditEventTemplate? {
        let known = working.events.withLock { $0 }.use(log)
        return known?.template ?? (try? working.note(known, log, event: { content($0, nil) }))
    }

    /// An event that the trail cannot have at once.
    enum UnrecordedEvent {
        case whole(AuditEvent)
        case repeated(AuditEventTemplate)
    }

    /// Records an event for which one has to wait.
    func record(_ event: UnrecordedEvent, at time: Date) async throws(KeyManagementError) {
        switch event {
        case .whole(let event): try await record(event)
        case .repeated(let template):
            do throws(AuditError) { try await trail.record(template, at: time) } catch {
                throw KeyManagementError(wrapping: error)
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

    /// What the audit trail, and who asked to know, are told of an operation.
    func event(_ log: OperationLog, _ error: KeyManagementError?) -> AuditEvent {
        log.caller.report?.take(log, isDone: error == nil)
        return content(log, error)
    }

    private func content(_ log: OperationLog, _ error: KeyManagementError?) -> AuditEvent {
        let type =
            switch log.principal.kind {
            case .root: "Root"
            case .user: "IAMUser"
            case .role: "AssumedRole"
            case .service: "AWSService"
            }
        var event = AuditEvent(
            time: log.time, source: log.service.host, name: log.name, region: scope.region, account: log.account,
            identity: .init(type: type, arn: log.principal.description, account: log.principal.account))
        event.requestParameters = log.parameters
        event.responseElements = error == nil ? log.response : []
        event.additionalData = log.additionalData
        if !log.materials.isEmpty, error == nil {
            event.additionalData.append(("keyMaterialId", .text(log.materials.joined(separator: ","))))
        }
        event.resources = log.resources
        event.resourceType = log.service.resourceType
        event.sourceIPAddress = log.caller.context.sourceIPAddress
        event.userAgent = log.caller.context.userAgent
        event.isReadOnly = log.isReadOnly
        event.error = error.map { ($0.code.name, $0.message) }
        return event
    }
}
