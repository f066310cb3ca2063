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
    private let store: any RecordStore
    private let durability: AuditDurability
    private let pending = Mutex(AuditBuffer())
    private let chain: Mutex<AuditChain>
    /// Commits happen here, one after the other, off the cooperative threads.
    private let queue = DispatchQueue(label: "strongroom.audit")

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

    /// Records an event as ``AuditDurability`` says. Events of several callers at once share one commit. Where the store is
    /// slower than the events, they wait for it; where it fails and the buffer is full, they are refused.
    public func record(_ event: AuditEvent) async throws(AuditError) {
        let line = event.jsonBytes
        try await record { $0.add(line) }
    }

    /// Records one of many events that differ in time and identifier only.
    package func record(_ template: AuditEventTemplate, at time: Date) async throws(AuditError) {
        let second = AuditEvent.second(time)
        try await record { $0.add(template, at: second) }
    }

    /// Records the same where nobody has to wait for it.
    ///
    /// - Returns: whether it is recorded.
    package func recordAtOnce(_ template: AuditEventTemplate, at time: Date) throws(AuditError) -> Bool {
        guard case .buffered(let window) = durability else { return false }
        let second = AuditEvent.second(time)
        return try buffer(window) { $0.add(template, at: second) }
    }

    private func record(_ add: (inout AuditBuffer) -> Void) async throws(AuditError) {
        if case .buffered(let window) = durability {
            while try !buffer(window, add) { try await makeRoom() }
            return
        }
        var isTaken = false
        while !isTaken {
            let failure: AuditError? = await withCheckedContinuation { continuation in
                let isFirst = pending.withLock { pending in
                    isTaken = !pending.isFull
                    guard isTaken else { return false }
                    add(&pending)
                    pending.waiters.append(continuation)
                    return pending.waiters.count == 1
                }
                if isFirst { queue.async { _ = self.flushOnQueue() } }
                if !isTaken { continuation.resume(returning: nil) }
            }
            if let failure { throw failure }
            if !isTaken { try await makeRoom() }
        }
    }

    /// Waits until events are written where the buffer is full.
    private func makeRoom() async throws(AuditError) {
        let failure: AuditError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.makeRoomOnQueue()) }
        }
        if let failure { throw failure }
    }

    /// However many ask at once, one writes, and where that fails, the others are told so.
    private func makeRoomOnQueue() -> AuditError? {
        let (isFull, failure) = pending.withLock { ($0.isFull, $0.lastFailure) }
        return isFull ? failure ?? flushOnQueue() : nil
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
        while try !buffer(window, { $0.add(line) }) { try makeRoomBlocking() }
    }

    /// Records one of many events that differ in time and identifier only.
    package func recordBlocking(_ template: AuditEventTemplate, at time: Date) throws(AuditError) {
        let second = AuditEvent.second(time)
        guard case .buffered(let window) = durability else { return try commitBlocking(template.line(at: second)) }
        while try !buffer(window, { $0.add(template, at: second) }) { try makeRoomBlocking() }
    }

    private func makeRoomBlocking() throws(AuditError) {
        let failure = queue.sync { makeRoomOnQueue() }
        if let failure { throw failure }
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

    /// Adds to the buffer, unless it is full and has to be written first.
    private func buffer(_ window: Duration, _ add: (inout AuditBuffer) -> Void) throws(AuditError) -> Bool {
        var (isTaken, startsTimer, startsFlush) = (false, false, false)
        let refusal = pending.withLock { pending -> AuditError? in
            isTaken = !pending.isFull
            // While the store fails, the timer alone tries it again.
            guard isTaken else { return pending.lastFailure }
            add(&pending)
            startsTimer = !pending.hasTimer
            startsFlush = pending.isLarge && !pending.isFlushing
            pending.hasTimer = true
            if startsFlush { pending.isFlushing = true }
            return nil
        }
        if startsTimer { startTimer(window) }
        if startsFlush {
            queue.async {
                self.pending.withLock { $0.isFlushing = false }
                _ = self.flushOnQueue()
            }
        }
        if let refusal { throw refusal }
        return isTaken
    }

    /// Has a flush come, however many ask for one: each that fails would otherwise leave more behind.
    private func schedule(_ window: Duration) {
        let isFirst = pending.withLock { pending in
            defer { pending.hasTimer = true }
            return !pending.hasTimer
        }
        if isFirst { startTimer(window) }
    }

    private func startTimer(_ window: Duration) {
        let milliseconds = min(max(window / .milliseconds(1), 0), 86_400_000)
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(milliseconds))) { [weak self] in
            self?.pending.withLock { $0.hasTimer = false }
            _ = self?.flushOnQueue()
        }
    }

    /// What has failed may be there all the same: the chain goes on from it, and it is not written again.
    private func settleOnQueue() throws {
        let isThere = try chain.withLock { try $0.settle(in: store) }
        pending.withLock { $0.settle(isThere: isThere) }
    }

    /// Commits all that is pending as one record. On failure, waiters are told and their events dropped, since their
    /// operations fail with them; buffered events are kept for the next try.
    @discardableResult
    private func flushOnQueue() -> AuditError? {
        do { try settleOnQueue() } catch {
            // What waits in memory goes on waiting; who waits for an answer gets one.
            let failure = AuditError(any: error)
            let waiters = pending.withLock { pending -> [CheckedContinuation<AuditError?, Never>] in
                let waiters = pending.waiters
                if !waiters.isEmpty { pending.reset() }
                pending.lastFailure = waiters.isEmpty ? failure : nil
                return waiters
            }
            if waiters.isEmpty, case .buffered(let window) = durability { schedule(window) }
            for waiter in waiters { waiter.resume(returning: failure) }
            return failure
        }
        let batch = pending.withLock { $0.take() }
        guard batch.count > 0 else { return nil }
        var failure: AuditError?
        do {
            try chain.withLock { chain in
                _ = try chain.append(.events, body: batch.lines, eventCount: batch.count) { writes in
                    try store.commit(writes)
                }
            }
        } catch { failure = AuditError(any: error) }
        pending.withLock { pending in
            pending.finish()
            // Who waits for an answer gets it, and nothing of it stays.
            pending.lastFailure = batch.waiters.isEmpty ? failure : nil
            if pending.lastFailure != nil { pending.putBack(batch) }
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
