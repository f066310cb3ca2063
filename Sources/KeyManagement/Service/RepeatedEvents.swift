internal import AccessPolicy
internal import Auditing

/// The last uses of a key that were done, and templates of the events of those that were done again: making an event whole costs
/// more than sealing a page.
struct RepeatedEvents: Sendable {
    private var known: [KnownUse] = []
    private var next = 0

    /// As many as a key has uses that take turns.
    private static let capacity = 8

    /// The use that such an operation repeats, where it was done lately.
    func use(_ log: borrowing OperationLog) -> KnownUse? {
        for use in known where use.isRepeated(by: log) { return use }
        return nil
    }

    /// Notes a use in place of the same, or of the oldest.
    mutating func note(_ use: KnownUse, inPlaceOf old: KnownUse?) {
        if let old, let place = known.firstIndex(where: { $0 === old }) {
            known[place] = use
        } else if known.count < RepeatedEvents.capacity {
            known.append(use)
        } else {
            known[next] = use
            next = (next + 1) % RepeatedEvents.capacity
        }
    }
}

/// What the event of an operation tells, but for time and identifier.
final class KnownUse: Sendable {
    /// Where it was done more than once.
    let template: AuditEventTemplate?
    private let name: String
    private let service: ServiceName
    private let isReadOnly: Bool
    private let principal: Principal
    private let sourceIPAddress, userAgent: String?
    private let account: String
    private let resources, materials: [String]
    private let parameters, response, additionalData: [(String, AuditEvent.Value)]

    init(_ log: OperationLog, _ template: AuditEventTemplate?) {
        self.template = template
        (name, service, isReadOnly) = (log.name, log.service, log.isReadOnly)
        (principal, account) = (log.caller.principal, log.account)
        (sourceIPAddress, userAgent) = (log.caller.context.sourceIPAddress, log.caller.context.userAgent)
        (resources, materials) = (log.resources, log.materials)
        (parameters, response, additionalData) = (log.parameters, log.response, log.additionalData)
    }

    /// Whether the operation's event differs in time and identifier only.
    func isRepeated(by log: borrowing OperationLog) -> Bool {
        name == log.name && service == log.service && isReadOnly == log.isReadOnly && isBySame(log.caller)
            && isIdentical(parameters, log.parameters) && account.hasSameBytes(as: log.account)
            && isIdentical(resources, log.resources) && isIdentical(materials, log.materials)
            && isIdentical(response, log.response) && isIdentical(additionalData, log.additionalData)
    }

    private func isBySame(_ other: Caller) -> Bool {
        principal == other.principal && isIdentical(sourceIPAddress, other.context.sourceIPAddress)
            && isIdentical(userAgent, other.context.userAgent)
    }
}

// An event tells what was asked for byte by byte.

private func isIdentical(_ one: String?, _ other: String?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one.hasSameBytes(as: other)
}

private func isIdentical(_ one: [String], _ other: [String]) -> Bool {
    guard one.count == other.count else { return false }
    for index in one.indices where !one[index].hasSameBytes(as: other[index]) { return false }
    return true
}

private func isIdentical(_ one: [(String, AuditEvent.Value)], _ other: [(String, AuditEvent.Value)]) -> Bool {
    guard one.count == other.count else { return false }
    for index in one.indices where one[index].0 != other[index].0 || !isIdentical(one[index].1, other[index].1) {
        return false
    }
    return true
}

private func isIdentical(_ one: AuditEvent.Value, _ other: AuditEvent.Value) -> Bool {
    switch (one, other) {
    case (.text(let one), .text(let other)): one.hasSameBytes(as: other)
    case (.map(let one), .map(let other)): EncryptionContext(one) == EncryptionContext(other)
    default: one == other
    }
}
