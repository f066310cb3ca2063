import Auditing
import Cryptography
import Foundation
import RecordStorage
import StrongroomTestSupport
import Testing

/// What every ``AuditSink`` must do.
enum AuditSinkSuite {
    /// - Parameter lines: what the sink has recorded, in order.
    static func check(_ sink: some AuditSink, lines: () async throws -> [String]) async throws {
        let first = event("First")
        try await sink.record(first)
        #expect(try await lines() == [first.json])
        // Events of several callers at once: each is there once and whole.
        await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 { group.addTask { try await sink.record(event("Event\(index)")) } }
        }
        let all = try await lines()
        #expect(all.count == 51)
        let names = try all.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])["eventName"]
                as? String
        }
        #expect(Set(names) == Set(["First"] + (0..<50).map { "Event\($0)" }))
        try await sink.record(event("Last \"quoted\"\n\\"))
        #expect(try await lines().count == 52)
    }

    static func event(_ name: String) -> AuditEvent {
        AuditEvent(
            time: Date(timeIntervalSince1970: 1_800_000_000), source: "kms.amazonaws.com", name: name,
            region: "us-east-1", account: "111122223333",
            identity: .init(type: "IAMUser", arn: "arn:aws:iam::111122223333:user/alice", account: "111122223333"))
    }
}

@Suite struct AuditSinkTests {
    @Test func `the trail is a sink`() async throws {
        let store = MemoryRecordStore()
        let trail = try AuditTrail(store: store, rootKey: .random(count: 32), durability: .recorded)
        try await AuditSinkSuite.check(trail) { try AuditTrail.events(in: store) }
    }

    @Test func `a file of JSON lines is a sink`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("audit.jsonl")
        let lines = { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init) }
        try await AuditSinkSuite.check(try JSONLinesAuditFile(path: path), lines: lines)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // A line that a crash has cut is ended, and what follows stands on its own.
        try Data("{\"cut".utf8).write(to: URL(fileURLWithPath: path))
        let again = try JSONLinesAuditFile(path: path, isSynchronized: false)
        try await again.record(AuditSinkSuite.event("After"))
        #expect(try lines().count == 2 && lines()[1].hasPrefix("{\"eventVersion\""))
    }

    @Test func `what is no file that can be written is an error`() {
        #expect(throws: AuditError.self) { _ = try JSONLinesAuditFile(path: "/nowhere/audit.jsonl") }
        #expect(throws: AuditError.self) { _ = try JSONLinesAuditFile(path: "/tmp") }
        #expect(throws: AuditError.self) { _ = try JSONLinesAuditFile(path: "/dev/full") }
    }
}
