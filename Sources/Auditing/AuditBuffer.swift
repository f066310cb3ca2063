internal import FoundationEssentials

/// Events in memory that wait to be written together.
struct AuditBuffer {
    private(set) var lines: [UInt8] = []
    private(set) var count: UInt32 = 0
    private var lineCount: UInt32 = 0
    private var expanded = 0
    /// The events that stand whole here and are repeated: in which line, from 1, and when they happened last.
    private var repeated: [AuditEventTemplate.Content: (line: UInt32, second: Int)] = [:]
    /// How often the last event was repeated since it was written: the line is written once something else happens.
    private var run: (content: AuditEventTemplate.Content, second: Int, count: UInt32)?
    var waiters: [CheckedContinuation<AuditError?, Never>] = []
    /// How much is being written, and comes back where that fails.
    private var inFlight = Extent()
    /// How much has failed to be written before.
    private var failed = Extent()
    /// Why the last write failed, where it did and its events are here again.
    var lastFailure: AuditError?
    /// Whether a flush will come by itself.
    var hasTimer = false
    /// Whether a flush comes at once.
    var isFlushing = false

    private struct Extent {
        var bytes = 0
        var events: UInt32 = 0
        var lines: UInt32 = 0
        /// How many bytes there are when each event stands whole.
        var expanded = 0
    }

    private var extent: Extent {
        Extent(bytes: lines.count, events: count, lines: lineCount, expanded: expanded)
    }

    /// Whether it is time to write.
    var isLarge: Bool {
        lines.count >= 1 << 18 || count >= AuditLines.mostEvents / 4 || expanded >= AuditLines.largestExpansion / 8
    }
    /// Whether events have to wait for a write. What is being written may come back.
    var isFull: Bool {
        lines.count + inFlight.bytes >= 1 << 22 || Int(count) + Int(inFlight.events) >= AuditLines.mostEvents
            || expanded + inFlight.expanded >= AuditLines.largestExpansion / 2
    }

    /// Adds an event's line of JSON.
    mutating func add(_ line: [UInt8]) {
        endRun()
        lines += line
        count += 1
        expanded += line.count
        endLine()
    }

    /// Adds an event that repeats others: briefly, where one of them stands here.
    mutating func add(_ template: AuditEventTemplate, at second: Int) {
        if run?.second == second, run?.content == template.content {
            run?.count += 1
            count += 1
            expanded += template.byteCount
            return
        }
        endRun()
        if repeated[template.content] != nil {
            run = (template.content, second, 1)
            count += 1
            expanded += template.byteCount
        } else {
            add(template.line(at: second))
            repeated[template.content] = (lineCount, second)
        }
    }

    private mutating func endRun() {
        guard let run, let event = repeated[run.content] else { return }
        let time = run.second == event.second ? nil : AuditEvent.timeDigits(second: run.second)
        AuditLines.append(run: run.count, distance: lineCount + 1 - event.line, time: time, to: &lines)
        repeated[run.content]?.second = run.second
        self.run = nil
        endLine()
    }

    private mutating func endLine() {
        lines.append(0x0A)
        lineCount += 1
    }

    /// Takes everything out, to be written.
    mutating func take() -> AuditBuffer {
        endRun()
        let batch = self
        reset()
        inFlight = batch.extent
        return batch
    }

    /// What was taken out is written, or never will be.
    mutating func finish() { inFlight = Extent() }

    /// Puts back what could not be written, before what has come meanwhile.
    mutating func putBack(_ batch: AuditBuffer) {
        lines = batch.lines + lines
        count += batch.count
        lineCount += batch.lineCount
        expanded += batch.expanded
        failed = batch.extent
        repeated = repeated.mapValues { ($0.line + batch.lineCount, $0.second) }
        finish()
    }

    /// Takes out what has failed, and is written all the same.
    ///
    /// - Parameter isThere: whether it is. What is not there is as what has never been tried.
    mutating func settle(isThere: Bool) {
        let gone = failed
        failed = Extent()
        guard isThere else { return }
        lines.removeFirst(gone.bytes)
        count -= gone.events
        lineCount -= gone.lines
        expanded -= gone.expanded
        repeated = repeated.mapValues { ($0.line - gone.lines, $0.second) }
    }

    /// Forgets all events.
    mutating func reset() {
        var fresh = AuditBuffer()
        (fresh.hasTimer, fresh.isFlushing, fresh.lastFailure) = (hasTimer, isFlushing, lastFailure)
        self = fresh
    }
}
