/// Events in memory that wait to be written together.
struct AuditBuffer {
    private(set) var lines: [UInt8] = []
    private(set) var count: UInt32 = 0
    /// The lines, from 1, of the events that stand whole here and are repeated.
    private var templates: [ObjectIdentifier: (template: AuditEventTemplate, line: UInt32)] = [:]
    var waiters: [CheckedContinuation<AuditError?, Never>] = []
    /// How many bytes are being written, and come back where that fails.
    private var inFlight = 0
    /// How much of the lines has failed to be written before.
    private var failed: (bytes: Int, count: UInt32) = (0, 0)
    /// Why the last write failed, where it did.
    var lastFailure: AuditError?
    /// Whether a flush will come by itself.
    var hasTimer = false
    /// Whether a flush comes at once.
    var isFlushing = false

    /// From here on the buffer is written at once.
    private static let large = 1 << 18
    /// From here on events wait for a write.
    private static let largest = 1 << 22

    var isLarge: Bool { lines.count >= AuditBuffer.large }
    /// What is being written may come back.
    var isFull: Bool { lines.count + inFlight >= AuditBuffer.largest }

    /// Adds an event's line of JSON.
    mutating func add(_ line: [UInt8]) {
        lines += line
        endLine()
    }

    /// Adds an event that repeats others: briefly, where one of them stands here.
    mutating func add(_ template: AuditEventTemplate, _ occurrence: AuditEventTemplate.Occurrence) {
        if let known = templates[ObjectIdentifier(template)] {
            AuditEventTemplate.append(occurrence, distance: count + 1 - known.line, to: &lines)
            return endLine()
        }
        add(template.line(occurrence))
        // Kept alive, so that no other is made in its place.
        templates[ObjectIdentifier(template)] = (template, count)
    }

    private mutating func endLine() {
        lines.append(0x0A)
        count += 1
    }

    /// Takes everything out, to be written.
    mutating func take() -> AuditBuffer {
        let batch = self
        reset()
        inFlight = batch.lines.count
        return batch
    }

    /// What was taken out is written, or never will be.
    mutating func finish() { inFlight = 0 }

    /// Puts back what could not be written, before what has come meanwhile.
    mutating func putBack(_ batch: AuditBuffer) {
        lines = batch.lines + lines
        count += batch.count
        failed = (batch.lines.count, batch.count)
        templates = templates.mapValues { ($0.template, $0.line + batch.count) }
        finish()
    }

    /// Takes out what has failed, and is written all the same.
    ///
    /// - Parameter isThere: whether it is. What is not there is as what has never been tried.
    mutating func settle(isThere: Bool) {
        let (bytes, failedCount) = failed
        failed = (0, 0)
        guard isThere else { return }
        lines.removeFirst(bytes)
        count -= failedCount
        templates = templates.mapValues { ($0.template, $0.line - failedCount) }
    }

    /// Forgets all events.
    mutating func reset() {
        var fresh = AuditBuffer()
        (fresh.hasTimer, fresh.isFlushing) = (hasTimer, isFlushing)
        self = fresh
    }
}
