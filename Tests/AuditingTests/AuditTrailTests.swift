import Cryptography
import Foundation
import RecordStorage
import StrongroomTestSupport
import Synchronization
import Testing

@testable import Auditing

@Suite struct AuditTrailTests {
    let store = MemoryRecordStore()
    let rootKey = [UInt8](repeating: 3, count: 32)

    func trail(_ durability: AuditDurability = .recorded) throws -> AuditTrail {
        try AuditTrail(store: store, rootKey: SecretBytes(copying: rootKey), durability: durability)
    }

    func event(_ name: String) -> AuditEvent {
        var event = AuditEvent(
            time: Date(timeIntervalSince1970: 1_800_000_000), source: "kms.amazonaws.com", name: name,
            region: "us-east-1", account: "111122223333",
            identity: .init(type: "IAMUser", arn: "arn:aws:iam::111122223333:user/alice", account: "111122223333"))
        event.requestParameters = [
            ("text", .text("a \"quoted\"\n\\ text")), ("count", .number(3)), ("is", .flag(true)),
        ]
        event.resources = ["arn:aws:kms:us-east-1:111122223333:key/1"]
        return event
    }

    func verify(_ store: MemoryRecordStore, _ checkpoint: AuditCheckpoint? = nil) throws -> AuditVerification {
        try AuditTrail.verify(in: store, rootKey: SecretBytes(copying: rootKey), against: checkpoint)
    }

    /// A copy of the store, changed by an attacker who has no key.
    func copy(_ change: (MemoryRecordStore) throws -> Void) throws -> MemoryRecordStore {
        let copy = MemoryRecordStore()
        try copy.commit(try store.records(prefix: "").map { .put($0.name, $0.value, expecting: .absent) })
        try change(copy)
        return copy
    }

    @Test func `events are CloudTrail's JSON and come back in order`() async throws {
        let trail = try trail()
        for index in 0..<5 { try await trail.record(event("Event\(index)")) }
        let lines = try AuditTrail.events(in: store)
        #expect(lines.count == 5)
        for (index, line) in lines.enumerated() {
            let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(json["eventName"] as? String == "Event\(index)")
            #expect(json["eventTime"] as? String == "2027-01-15T08:00:00Z")
            #expect((json["requestParameters"] as? [String: Any])?["text"] as? String == "a \"quoted\"\n\\ text")
            #expect(json["responseElements"] is NSNull)
        }
        #expect(try verify(store).isSound)
    }

    @Test(arguments: [AuditDurability.recorded, .buffered(lossWindow: .seconds(60))])
    func `an event that repeats is stored briefly, and comes back whole`(_ durability: AuditDurability) throws {
        let trail = try trail(durability)
        var tricky = event("Sign")
        tricky.requestParameters = [("eventTime", .text(#"","eventID":"x"#)), ("like", .text(#"{"like":1"#))]
        let templates = [try AuditEventTemplate(tricky), try AuditEventTemplate(event("Decrypt"))]
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        for second in 0..<40 {
            if second % 7 == 0 { try trail.recordBlocking(event("Other\(second)")) }
            try trail.recordBlocking(templates[second % 2], at: start.addingTimeInterval(Double(second / 4)))
            if second == 20 { try trail.flushBlocking() }
        }
        try trail.flushBlocking()
        let lines = try AuditTrail.events(in: store)
        let events = try lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
        #expect(events.count == 46 && Set(events.compactMap { $0["eventID"] as? String }).count == 46)
        for (name, original) in [("Sign", tricky), ("Decrypt", event("Decrypt"))] {
            let found = events.filter { $0["eventName"] as? String == name }
            #expect(found.count == 20)
            let times = Set(found.compactMap { $0["eventTime"] as? String })
            #expect(times == Set((0..<10).map { AuditEvent.timeText(start.addingTimeInterval(Double($0))) }))
            let whole = try JSONSerialization.jsonObject(with: Data(original.jsonBytes)) as? [String: Any]
            for field in ["requestParameters", "resources"] {
                #expect(found.allSatisfy { ($0[field] as? NSObject) == (whole?[field] as? NSObject) })
            }
        }
        let verification = try verify(store)
        #expect(verification.isSound && verification.events == 46)
        let stored = try store.records(prefix: "audit/").reduce(0) { $0 + $1.value.count }
        if case .buffered = durability { #expect(stored < lines.reduce(0) { $0 + $1.utf8.count } / 2) }
    }

    @Test func `times are the calendar's`() {
        for seconds in stride(from: -3_000_000_000.0, through: 9_000_000_000, by: 77_777_777) {
            let date = Date(timeIntervalSince1970: seconds)
            #expect(AuditEvent.timeText(date) == date.formatted(.iso8601))
        }
    }

    @Test func `every way to change a trail is found, and where`() async throws {
        let trail = try trail()
        for index in 0..<6 { try await trail.record(event("Event\(index)")) }
        let records = try store.records(prefix: "audit/")
        let head = try #require(try store.records(prefix: "audit-head/").first)
        let (third, fourth) = (records[2], records[3])
        // A flip anywhere in a record, its name's neighbour, a deletion in the middle, at the end, of the head.
        for index in stride(from: 0, to: third.value.count, by: 7) {
            let damaged = try copy { copy in
                var value = third.value
                value[index] ^= 0x10
                try copy.commit([.put(third.name, value, expecting: .anything)])
            }
            #expect(try verify(damaged).findings.map(\.kind) == [.altered])
            #expect(try verify(damaged).findings.map(\.sequence) == [3])
        }
        let swapped = try copy {
            try $0.commit([
                .put(third.name, fourth.value, expecting: .anything),
                .put(fourth.name, third.value, expecting: .anything),
            ])
        }
        #expect(try verify(swapped).findings.map(\.kind) == [.altered])
        let gone = try copy { try $0.commit([.delete(third.name, expecting: .anything)]) }
        #expect(try verify(gone).findings.map(\.kind) == [.missing])
        let last = try #require(records.last)
        let cut = try copy { try $0.commit([.delete(last.name, expecting: .anything)]) }
        #expect(try verify(cut).findings.map(\.kind) == [.truncated])
        let headless = try copy { try $0.commit([.delete(head.name, expecting: .anything)]) }
        #expect(try verify(headless).findings.map(\.kind) == [.truncated])
        let registry = try copy { try $0.commit([.put("audit-registry", [1], expecting: .anything)]) }
        #expect(try verify(registry).findings.map(\.kind) == [.registry])
        let added = try copy {
            try $0.commit([.put(try AuditRecord.name(trail.writerName, 8), last.value, expecting: .absent)])
        }
        #expect(try verify(added).findings.map(\.kind) == [.added])
    }

    @Test func `a chain put back as a whole is found by later chains and by a checkpoint outside`() async throws {
        let first = try trail()
        try await first.record(event("One"))
        let old = try store.records(prefix: "audit")
        try await first.record(event("Two"))
        let outside = try await first.checkpoint()
        #expect(try verify(store, outside).isSound)
        #expect(AuditCheckpoint(outside.description) == outside)
        // The whole store as it was: sound by itself, and not against what was kept outside.
        let rolledBack = MemoryRecordStore()
        try rolledBack.commit(old.map { .put($0.name, $0.value, expecting: .absent) })
        #expect(try verify(rolledBack).isSound)
        #expect(try verify(rolledBack, outside).findings.map(\.kind) == [.rolledBack])
        // A second chain has seen where the first stood.
        let second = try trail()
        try await second.record(event("Three"))
        let later = try copy { copy in
            for record in try store.records(prefix: "audit/\(first.writerName)")
            where !old.contains(where: { $0.name == record.name }) {
                try copy.commit([.delete(record.name, expecting: .anything)])
            }
            for record in old where record.name.description.hasPrefix("audit-head") {
                try copy.commit([.put(record.name, record.value, expecting: .anything)])
            }
        }
        #expect(try verify(later).findings.map(\.kind) == [.rolledBack])
    }

    @Test func `buffered events share records and reach the store when flushed`() async throws {
        let trail = try trail(.buffered(lossWindow: .seconds(3600)))
        for index in 0..<100 { try await trail.record(event("Event\(index)")) }
        #expect(try AuditTrail.events(in: store).isEmpty)
        try await trail.flush()
        #expect(try AuditTrail.events(in: store).count == 100)
        let verification = try verify(store)
        #expect(verification.isSound && verification.events == 100 && verification.records == 2)
    }

    @Test(arguments: [AuditDurability.recorded, .buffered(lossWindow: .seconds(3600))])
    func `a commit that failed and has happened is gone on from, and one that has not is made again`(
        _ durability: AuditDurability
    ) async throws {
        let tearing = TearingStore(store)
        let trail = try AuditTrail(
            store: tearing, rootKey: SecretBytes(copying: rootKey), durability: durability)
        var recorded: [String] = []
        for (round, weather) in [TearingStore.Weather.torn, .failing, .torn, .torn, .failing, .gone, .torn].enumerated()
        {
            try await trail.record(event("Before\(round)"))
            recorded.append("Before\(round)")
            if durability == .recorded {
                tearing.weather = weather
                await #expect(throws: AuditError.self) { try await trail.record(event("Torn\(round)")) }
                // It may be there although nobody was told.
                if weather == .torn { recorded.append("Torn\(round)") }
            } else {
                try await trail.record(event("Torn\(round)"))
                recorded.append("Torn\(round)")
                tearing.weather = weather
                await #expect(throws: AuditError.self) { try await trail.flush() }
                if weather == .torn {
                    // The store cannot even be asked.
                    tearing.weather = .gone
                    await #expect(throws: AuditError.self) { try await trail.flush() }
                }
            }
            tearing.weather = .fine
        }
        try await trail.record(event("Last"))
        try await trail.flush()
        recorded.append("Last")
        let names = try AuditTrail.events(in: store).map { line in
            let name = line.components(separatedBy: "\"eventName\":\"").last?.prefix { $0 != "\"" }
            return String(name ?? "")
        }
        #expect(names == recorded)
        #expect(try verify(store).isSound)
    }

    @Test func `what waits is not lost where one commit fails, and the next happens unseen`() async throws {
        let tearing = TearingStore(store)
        let trail = try AuditTrail(
            store: tearing, rootKey: SecretBytes(copying: rootKey), durability: .buffered(lossWindow: .seconds(3600)))
        try await trail.record(event("Waiting"))
        tearing.weather = .failing
        await #expect(throws: AuditError.self) { try await trail.flush() }
        // The flush before it fails and has not happened; the record itself fails and has.
        await #expect(throws: (any Error).self) {
            try await trail.record(event("Change")) { writes in
                tearing.weather = .torn
                return try tearing.commit(writes)
            }
        }
        tearing.weather = .fine
        try await trail.record(event("Last"))
        try await trail.flush()
        let lines = try AuditTrail.events(in: store)
        for name in ["Waiting", "Change", "Last"] {
            #expect(lines.count { $0.contains("\"eventName\":\"\(name)\"") } == 1, "\(name)")
        }
        #expect(try verify(store).isSound)
    }

    @Test func `events wait for a store that is slower than they, and are refused where it fails`() async throws {
        let tearing = TearingStore(store)
        let trail = try AuditTrail(
            store: tearing, rootKey: SecretBytes(copying: rootKey), durability: .buffered(lossWindow: .seconds(3600)))
        let big = event(String(repeating: "x", count: 1 << 16))
        let recorded = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            tearing.isHeld = true
            group.addTask {
                for _ in 0..<200 {
                    try await trail.record(big)
                    recorded.value.add(1, ordering: .relaxed)
                }
            }
            while recorded.value.load(ordering: .relaxed) < 60 { try await Task.sleep(for: .milliseconds(1)) }
            try await Task.sleep(for: .milliseconds(50))
            #expect(recorded.value.load(ordering: .relaxed) < 70)
            tearing.isHeld = false
            try await group.waitForAll()
        }
        try await trail.flush()
        #expect(try AuditTrail.events(in: store).count == 200)
        tearing.weather = .failing
        var taken = 0
        await #expect(throws: AuditError.self) {
            while taken < 200 {
                try await trail.record(big)
                taken += 1
            }
        }
        // They are told so at once: the store is not asked again for each.
        let attempts = tearing.attempts
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask { await #expect(throws: AuditError.self) { try await trail.record(big) } }
            }
        }
        #expect(tearing.attempts - attempts < 5)
        tearing.weather = .fine
        try await trail.flush()
        #expect((60..<70).contains(taken))
        #expect(try AuditTrail.events(in: store).count == 200 + taken)
        #expect(try verify(store).isSound)
    }

    @Test func `writers at once have a chain each`() async throws {
        let trails = try (0..<4).map { _ in try trail() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<80 { group.addTask { try await trails[index % 4].record(event("Event\(index)")) } }
            try await group.waitForAll()
        }
        let verification = try verify(store)
        #expect(verification.isSound && verification.chains == 4 && verification.events == 80, "\(verification)")
    }
}

private final class Count: Sendable {
    let value = Atomic(0)
}

/// A store whose next commit fails, before it has happened or afterwards, or takes its time.
private final class TearingStore: RecordStore {
    enum Weather { case fine, failing, torn, gone }

    private let store: MemoryRecordStore
    private let state = Mutex(Weather.fine)

    init(_ store: MemoryRecordStore) { self.store = store }

    var weather: Weather {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    private let held = Mutex(false)
    private let commits = Atomic(0)

    /// How often somebody has tried to commit.
    var attempts: Int { commits.load(ordering: .relaxed) }

    /// Whether commits wait.
    var isHeld: Bool {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    private static let failure = RecordStoreError(.unavailable, subject: "the store")

    private func reached() throws(RecordStoreError) {
        guard weather != .gone else { throw Self.failure }
    }

    func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        try reached()
        return store.record(name)
    }

    func version(of name: RecordName) throws(RecordStoreError) -> UInt64 {
        try reached()
        return store.version(of: name)
    }

    func records(prefix: String, after last: RecordName?, limit: Int) throws(RecordStoreError) -> [Record] {
        try reached()
        return store.records(prefix: prefix, after: last, limit: limit)
    }

    func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        commits.add(1, ordering: .relaxed)
        while isHeld { Thread.sleep(forTimeInterval: 0.001) }
        try reached()
        guard weather != .failing else { throw Self.failure }
        let revision = try store.commit(writes)
        guard weather != .torn else { throw Self.failure }
        return revision
    }

    var revision: Revision {
        get throws(RecordStoreError) { store.revision }
    }

    func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        store.changes(since: revision, limit: limit)
    }
}
