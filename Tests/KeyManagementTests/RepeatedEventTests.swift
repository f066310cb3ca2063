import Foundation
import StrongroomPropertyTesting
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// Events that repeat one another are written briefly. What is read is the same as where each is written whole.
@Suite struct RepeatedEventTests: OneStore {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    /// Takes every event whole.
    private final class Collector: AuditSink {
        let lines = Mutex<[String]>([])
        func record(_ event: AuditEvent) { lines.withLock { $0.append(event.json) } }
    }

    static let seed = UInt64(ProcessInfo.processInfo.environment["PROPERTY_SEED"] ?? "") ?? .random(in: 0...UInt64.max)

    @Test(arguments: [AuditDurability.recorded, .buffered(lossWindow: .seconds(3600))])
    func `every operation's event is its own, however many are alike`(_ durability: AuditDurability) async throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        let collector = Collector()
        let brief = try await service(testRoot(), audit: durability)
        let whole = try await KeyManagementService(
            store: store, rootOfTrust: testRoot(), audit: durability, copyingEventsTo: [collector], clock: clock)
        let admin = try await alice()
        let keys = [try await admin.createKey(.symmetric), try await admin.createKey(.symmetric)]
        let signing = try await admin.createKey(.ecdsa(.p256))
        // Equal in Swift, and not in their bytes.
        let contexts: [EncryptionContext] = [
            .none, ["name": "caf\u{E9}"], ["name": "cafe\u{301}"], ["caf\u{E9}": "name"], ["cafe\u{301}": "name"],
            ["a": "1", "b": "2"], ["a": "2", "b": "1"], ["a": "\u{212A}"], ["a": "K"],
            ["eventID": "x"], ["eventID": "aaaaaaaa-0000-4000-8000-000000000000"],
            ["eventTime": "2000-01-01T00:00:00Z"],
        ]
        let requests: [RequestContext] = [
            .init(), .init(userAgent: ""), .init(sourceIPAddress: "192.0.2.1"),
            .init(sourceIPAddress: "192.0.2.1", userAgent: "curl"),
        ]
        let principals: [Principal] = [
            .user("alice", account: "111122223333"), .root(account: "111122223333"),
            .user("mallory", account: "444455556666"),
            .user("jos\u{E9}", account: "111122223333"), .user("jose\u{301}", account: "111122223333"),
        ]
        let sealed = [
            try await admin.encrypt([1], under: keys[0]), try await admin.encrypt([1], under: keys[1]),
        ]
        let others = try AuditTrail.events(in: store).count
        // What was done so far is not what an operation below does at the same second.
        clock.advance(days: 1)
        let count = 800
        for _ in 0..<count {
            let kind = Int.random(in: 0..<5, using: &random)
            let (key, choice) = (Int.random(in: 0..<2, using: &random), Int.random(in: 0..<100, using: &random))
            let context = contexts[choice % contexts.count]
            let principal = principals[choice % 20 == 0 ? 2 : [0, 1, 3, 4][choice / 3 % 4]]
            let request = requests[choice % 3 == 0 ? choice % 4 : 0]
            if choice % 10 == 0 { clock.advance(days: 0.01) }
            for service in [brief, whole] {
                let client = service.client(for: principal).with(request)
                switch kind {
                case 0: _ = try? await client.encrypt([1, 2], under: keys[key], context: context)
                case 1: _ = try? await client.decrypt(sealed[key], context: context)
                case 2: _ = try? await client.generateDataKey(under: keys[key], byteCount: 16 + choice % 2)
                case 3: _ = try? await client.sign([1], with: signing, using: .ecdsaSHA256)
                default: _ = try? await client.reEncrypt(sealed[key], under: keys[choice % 2], newContext: context)
                }
            }
        }
        try await brief.flush()
        try await whole.flush()
        let lines = try AuditTrail.events(in: store)
        let expected = collector.lines.withLock { $0 }
        #expect(expected.count == count && lines.count == 2 * count + others)
        #expect(Set(lines.map(identifier)).count == lines.count)
        let (found, wanted) = (occurrences(lines), occurrences(expected))
        for (line, count) in wanted {
            #expect(found[line] == 2 * count, "\(String(decoding: line, as: UTF8.self))")
        }
    }

    private func identifier(_ line: String) -> Substring {
        line.ranges(of: #""eventID":""#).last.map { line[$0.upperBound...].prefix(36) } ?? ""
    }

    /// How often each line stands there but for its identifier. Texts that Swift holds for equal are not the same here.
    private func occurrences(_ lines: [String]) -> [[UInt8]: Int] {
        let contents = lines.map { Array($0.replacing(identifier($0), with: "").utf8) }
        return Dictionary(contents.map { ($0, 1) }, uniquingKeysWith: +)
    }
}
