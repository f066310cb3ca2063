public import Cryptography
internal import Dispatch
package import FoundationEssentials
public import RecordStorage
internal import Synchronization

/// A trail of events in a record store, which later readers can trust.
///
/// Each writer - each opening of the store - has a chain of its own, so that processes do not wait for each other. A
/// record holds one event or many, the digest of the record before it, and a tag under a key that evolves with each
/// record: who takes over the process cannot rewrite the past. The chain's head is committed in the same batch. A chain
/// begins with a checkpoint that states where all others stood, which joins them.
///
/// ``verify(in:rootKey:against:)`` names the place of any edit, deletion, reorder or truncation. What it cannot see
/// without an external checkpoint is the rollback of the whole store to an older state of itself.
///
/// Layout: Documentation/Formats/AuditTrail.md.
public final class AuditTrail: AuditSink {
    private struct Pending {
        var lines: [UInt8] = []
        var count: UInt32 = 0
        /// The lines, from 1, of the events that stand whole here and are repeated.
        var templates: [ObjectIdentifier: (template: AuditEventTemplate, line: UInt32)] = [:]
        var waiters: [CheckedContinuation<AuditError?, Never>] = []
        /// How many bytes are being written, and come back where that fails.
        var inFlight = 0
        /// How much of the lines has failed to be written before.
        var failed: (bytes: Int, count: UInt32) = (0, 0)
        var isScheduled = false
        var lastFailure: AuditError?
    }

    private let store: any RecordStore
    private let durability: AuditDurability
    private let pending = Mutex(Pending())
    private let chain: Mutex<AuditChain>
    /// Whether a flush will come by itself, and whether one comes at once.
    private let hasTimer = Mutex(false)
    private let isFlushing = Mutex(false)
    /// Commits happen here, one after the other, off the cooperative threads.
    private let queue = DispatchQueue(label: "strongroom.audit")

    /// Above this the buffer is written at once; at sixteen times this, events are refused until it could be.
    private static let largestBuffer = 1 << 18

    /// The chain's name.
    var writerName: String { chain.withLock { $0.writer } }

    /// Begins a chain.
    ///
    /// - Parameters:
    ///   - store: where the chain stands.
    ///   - rootKey: 32 secret bytes, the same for all chains of the store. Not kept.
    ///   - durability: when an event is on the disk.
    public convenience init(
        store: any RecordStore, rootKey: borrowing SecretBytes, durability: AuditDurability
    ) throws {
        try self.init(store: store, rootKey: rootKey, durability: durability, isBegun: false)
    }

    /// The write that begins a store's trail, before any chain: committed with the store's root, it makes the absence of
    /// the list of chains a finding.
    package static func beginning(rootKey: borrowing SecretBytes) throws -> RecordWrite {
        try AuditWriters(rootKey: rootKey).emptyRegistry()
    }

    /// Begins a chain of a trail that must have been begun.
    package init(
        store: any RecordStore, rootKey: borrowing SecretBytes, durability: AuditDurability, isBegun: Bool
    ) throws {
        self.store = store
        self.durability = durability
        let writers = try AuditWriters(rootKey: rootKey)
        let writer = Hexadecimal.encode(try SystemRandom().bytes(count: 16))
        let firstKey = try SecretBytes.random(count: 32)
        var chain = AuditChain(writer: writer, key: EvolvingKey(firstKey.copy()))
        while true {
            guard let registry = try writers.registry(in: store), !isBegun || registry.version > 0 else {
                throw AuditError("the audit trail's list of writers has been tampered with", isTampering: true)
            }
            let additions = try writers.adding(writer, firstKey: firstKey, to: registry)
            let checkpoint = try AuditCheckpoint(reading: registry.writers, in: store)
            do {
                _ = try chain.append(.checkpoint, body: checkpoint.bytes, eventCount: 0) { writes in
                    try store.commit(additions + writes)
                }
                break
            } catch let error as RecordStoreError where error.code == .conflict {
                continue
            }
        }
        self.chain = Mutex(chain)
    }

    /// Records an event as ``AuditDurability`` says. Events of several callers at once share one commit.
    public func record(_ event: AuditEvent) async throws(AuditError) {
        let line = event.jsonBytes
        if case .buffered(let window) = durability {
            try buffer(window) { AuditTrail.add(line, to: &$0) }
            return
        }
        let failure = await withCheckedContinuation { continuation in
            let isFirst = pending.withLock { pending in
                AuditTrail.add(line, to: &pending)
                pending.waiters.append(continuation)
                defer { pending.isScheduled = true }
                return !pending.isScheduled
            }
            if isFirst { queue.async { _ = self.flushOnQueue() } }
        }
        if let failure { throw failure }
    }

    /// Records an event in one batch with other writes: both are there afterwards, or neither.
    ///
    /// - Parameter commit: commits the writes it is given along with its own, on this trail's queue. It may be called
    ///   once only, and its error is passed on.
    package func record<R: Sendable>(
        _ event: AuditEvent, committing commit: @escaping @Sendable ([RecordWrite]) throws -> R
    ) async throws -> R {
        let line = event.jsonBytes
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.appendOnQueue(line, commit) }) }
        }
    }

    /// Records an event as ``AuditDurability`` says, for a caller that may block.
    package func recordBlocking(_ event: AuditEvent) throws(AuditError) {
        let line = event.jsonBytes
        guard case .buffered(let window) = durability else { return try commitBlocking(line) }
        try buffer(window) { AuditTrail.add(line, to: &$0) }
    }

    /// Records one of many events that differ in time and identifier only.
    package func recordBlocking(_ template: AuditEventTemplate, at time: Date) throws(AuditError) {
        let occurrence = template.occurrence(at: time)
        guard case .buffered(let window) = durability else { return try commitBlocking(template.line(occurrence)) }
        try buffer(window) { AuditTrail.add(template, occurrence, to: &$0) }
    }

    /// Where the event cannot be stored, it has not happened: nothing of it waits for a better time.
    private func commitBlocking(_ line: [UInt8]) throws(AuditError) {
        let failure: AuditError? = queue.sync {
            do {
                _ = try appendOnQueue(line) { try store.commit($0) }
                return nil
            } catch { return AuditError(any: error) }
        }
        if let failure { throw failure }
    }

    /// Records an event in one batch with other writes, for a caller that may block.
    package func recordBlocking(
        _ event: AuditEvent, committing commit: ([RecordWrite]) throws -> Void
    ) throws {
        let line = event.jsonBytes
        let failure: (any Error)? = queue.sync {
            do {
                try appendOnQueue(line, commit)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Writes what is buffered, for a caller that may block.
    package func flushBlocking() throws(AuditError) {
        let failure = queue.sync { flushOnQueue() }
        if let failure { throw failure }
    }

    private func appendOnQueue<R: Sendable>(_ line: [UInt8], _ commit: ([RecordWrite]) throws -> R) throws -> R {
        flushOnQueue()
        try settleOnQueue()
        let result: Result<R, any Error> = chain.withLock { chain in
            Result { try chain.append(.events, body: line + [0x0A], eventCount: 1, commit: commit) }
        }
        return try result.get()
    }

    /// Writes what is buffered.
    public func flush() async throws(AuditError) {
        let failure: AuditError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.flushOnQueue()) }
        }
        if let failure { throw failure }
    }

    /// Where all chains of the store stand now, to be kept outside it.
    public func checkpoint() async throws -> AuditCheckpoint {
        try await flush()
        let store = store
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try AuditCheckpoint(readingAllIn: store) }) }
        }
    }

    private func buffer(_ window: Duration, _ add: (inout Pending) -> Void) throws(AuditError) {
        var isFirst = false
        var isFull = false
        var refusal: AuditError?
        pending.withLock { pending in
            isFull = pending.lines.count >= AuditTrail.largestBuffer
            // What is being written may come back.
            guard pending.lines.count + pending.inFlight < 16 * AuditTrail.largestBuffer else {
                refusal = pending.lastFailure ?? AuditError("the audit buffer is full")
                return
            }
            add(&pending)
            isFirst = !pending.isScheduled
            pending.isScheduled = true
        }
        if isFull { flushSoon() }
        if isFirst { schedule(window) }
        if let refusal { throw refusal }
    }

    /// Has a flush come, however many ask for one: each that fails would otherwise leave more behind.
    private func schedule(_ window: Duration) {
        guard AuditTrail.isFirst(hasTimer) else { return }
        let milliseconds = min(max(window / .milliseconds(1), 0), 86_400_000)
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(milliseconds))) { [weak self] in
            self?.hasTimer.withLock { $0 = false }
            _ = self?.flushOnQueue()
        }
    }

    private func flushSoon() {
        guard AuditTrail.isFirst(isFlushing) else { return }
        queue.async {
            self.isFlushing.withLock { $0 = false }
            _ = self.flushOnQueue()
        }
    }

    private static func isFirst(_ flag: borrowing Mutex<Bool>) -> Bool {
        flag.withLock { flag in
            defer { flag = true }
            return !flag
        }
    }

    /// What has failed may be there all the same: the chain goes on from it, and it is not written again.
    private func settleOnQueue() throws {
        let isThere = try chain.withLock { try $0.settle(in: store) }
        pending.withLock { pending in
            let (bytes, count) = pending.failed
            // What is not there is as what has never been tried: the next failure is of something else.
            pending.failed = (0, 0)
            guard isThere else { return }
            pending.lines.removeFirst(bytes)
            pending.count -= count
            pending.templates = pending.templates.mapValues { ($0.template, $0.line - count) }
        }
    }

    private static func add(_ line: [UInt8], to pending: inout Pending) {
        pending.lines += line
        pending.lines.append(0x0A)
        pending.count += 1
    }

    private static func add(
        _ template: AuditEventTemplate, _ occurrence: AuditEventTemplate.Occurrence, to pending: inout Pending
    ) {
        let place = ObjectIdentifier(template)
        if let known = pending.templates[place] {
            AuditEventTemplate.append(occurrence, distance: pending.count + 1 - known.line, to: &pending.lines)
            return add([], to: &pending)
        }
        add(template.line(occurrence), to: &pending)
        // Kept alive, so that no other is made in its place.
        pending.templates[place] = (template, pending.count)
    }

    /// Commits all that is pending as one record. On failure, waiters are told and their events dropped, since their
    /// operations fail with them; buffered events are kept for the next try.
    @discardableResult
    private func flushOnQueue() -> AuditError? {
        do { try settleOnQueue() } catch {
            // What waits in memory goes on waiting; who waits for an answer gets one.
            let failure = AuditError(any: error)
            let waiters = pending.withLock { pending -> [CheckedContinuation<AuditError?, Never>] in
                defer { if !pending.waiters.isEmpty { pending = Pending() } }
                pending.lastFailure = failure
                return pending.waiters
            }
            if waiters.isEmpty, case .buffered(let window) = durability { schedule(window) }
            for waiter in waiters { waiter.resume(returning: failure) }
            return failure
        }
        let batch = pending.withLock { pending in
            let batch = pending
            pending = Pending()
            pending.inFlight = batch.lines.count
            return batch
        }
        defer { pending.withLock { $0.inFlight = 0 } }
        guard batch.count > 0 else { return nil }
        var failure: AuditError?
        do {
            try chain.withLock { chain in
                _ = try chain.append(.events, body: batch.lines, eventCount: batch.count) { writes in
                    try store.commit(writes)
                }
            }
        } catch { failure = AuditError(any: error) }
        if let failure, batch.waiters.isEmpty {
            pending.withLock { pending in
                pending.lines = batch.lines + pending.lines
                pending.count += batch.count
                pending.failed = (batch.lines.count, batch.count)
                pending.templates = pending.templates.mapValues { ($0.template, $0.line + batch.count) }
                pending.isScheduled = true
                pending.lastFailure = failure
            }
        }
        if failure != nil, batch.waiters.isEmpty, case .buffered(let window) = durability { schedule(window) }
        for waiter in batch.waiters { waiter.resume(returning: failure) }
        return failure
    }

    deinit {
        // Nobody else holds the trail now: what is buffered is written on the way out.
        flushOnQueue()
    }
}
