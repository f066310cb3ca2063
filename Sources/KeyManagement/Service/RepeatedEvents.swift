internal import Auditing

/// The last uses of a key that were done, and templates of the events of those that were done again: making an event whole costs
/// more than sealing a page.
struct RepeatedEvents: Sendable {
    private var known: [(log: OperationLog, template: AuditEventTemplate?)] = []
    private var next = 0

    /// As many as a key has uses that take turns.
    private static let capacity = 8

    /// Whether such an operation was done lately, and the template of its event where it was made.
    func find(_ log: OperationLog) -> (isKnown: Bool, template: AuditEventTemplate?) {
        guard let place = place(log) else { return (false, nil) }
        return (true, known[place].template)
    }

    /// Notes an operation in place of the oldest, or its template.
    mutating func note(_ log: OperationLog, _ template: AuditEventTemplate?) {
        var log = log
        log.forgetKey()
        if let place = place(log) {
            known[place].template = template ?? known[place].template
        } else if known.count < RepeatedEvents.capacity {
            known.append((log, template))
        } else {
            known[next] = (log, template)
            next = (next + 1) % RepeatedEvents.capacity
        }
    }

    private func place(_ log: OperationLog) -> Int? { known.firstIndex { $0.log.isRepeated(by: log) } }
}

extension OperationLog {
    /// Whether the events of two operations that were done differ in time and identifier only.
    fileprivate func isRepeated(by other: OperationLog) -> Bool {
        name == other.name && service == other.service && isReadOnly == other.isReadOnly
            && isBySame(other.caller) && isIdentical(account, other.account)
            && isIdentical(resources, other.resources) && isIdentical(materials, other.materials)
            && isIdentical(parameters, other.parameters) && isIdentical(response, other.response)
            && isIdentical(additionalData, other.additionalData)
    }

    private func isBySame(_ other: Caller) -> Bool {
        if caller === other { return true }
        return caller.principal == other.principal
            && isIdentical(caller.context.sourceIPAddress ?? "", other.context.sourceIPAddress ?? "")
            && isIdentical(caller.context.userAgent ?? "", other.context.userAgent ?? "")
            && (caller.context.sourceIPAddress == nil) == (other.context.sourceIPAddress == nil)
            && (caller.context.userAgent == nil) == (other.context.userAgent == nil)
    }
}

// An event tells what was asked for byte by byte, and texts that Swift holds for equal may differ in their bytes.

private func isIdentical(_ one: String, _ other: String) -> Bool {
    guard one == other else { return false }
    return one.utf8Span.isKnownASCII && other.utf8Span.isKnownASCII || one.utf8.elementsEqual(other.utf8)
}

private func isIdentical(_ one: [String], _ other: [String]) -> Bool {
    one.count == other.count && one.indices.allSatisfy { isIdentical(one[$0], other[$0]) }
}

private func isIdentical(_ one: [(String, AuditEvent.Value)], _ other: [(String, AuditEvent.Value)]) -> Bool {
    one.count == other.count
        && one.indices.allSatisfy { one[$0].0 == other[$0].0 && isIdentical(one[$0].1, other[$0].1) }
}

private func isIdentical(_ one: AuditEvent.Value, _ other: AuditEvent.Value) -> Bool {
    switch (one, other) {
    case (.text(let one), .text(let other)): isIdentical(one, other)
    case (.map(let one), .map(let other)):
        one.count == other.count
            && one.allSatisfy { pair in
                guard let place = other.index(forKey: pair.key) else { return false }
                return isIdentical(other[place].key, pair.key) && isIdentical(other[place].value, pair.value)
            }
    default: one == other
    }
}
