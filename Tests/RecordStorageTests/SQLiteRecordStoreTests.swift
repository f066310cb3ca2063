#if SQLite
import Foundation
import RecordStorage
import SQLiteRecordStorage
import StrongroomTestSupport
import Testing

@Suite struct SQLiteRecordStoreTests {
    let folder: TemporaryFolder
    var path: String { folder.path("records.db") }

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: RecordStoreSuite.allCases)
    func `SQLite is a record store`(_ suite: RecordStoreSuite) async throws {
        let store = try SQLiteRecordStore(path: path)
        try await suite.check(store)
        try store.checkIntegrity()
    }

    @Test func `what was committed is there when the file is opened again`() throws {
        try SQLiteRecordStore(path: path).commit([
            .put("a", [1], expecting: .absent), .put("b", [], expecting: .absent),
        ])
        let store = try SQLiteRecordStore(path: path)
        #expect(try store.records(prefix: "").map(\.value) == [[1], []])
        #expect(try store.revision == Revision(1))
    }

    @Test func `the file is its owner's alone`() throws {
        let store = try SQLiteRecordStore(path: path)
        try store.commit([.put("a", [1], expecting: .absent)])
        for name in ["records.db", "records.db-wal"] {
            let mode =
                try FileManager.default.attributesOfItem(atPath: folder.path(name))[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    /// Two processes and this one count one record up at once.
    @Test func `processes write at once`() async throws {
        let path = path
        let store = try SQLiteRecordStore(path: path)
        try store.commit([.put("counter", [0, 0], expecting: .absent)])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String] in
                        let store = try SQLiteRecordStore(path: path)
                        for _ in 0..<100 { try RecordStoreSuite.increment("counter", in: store) }
                    }
                }
            }
            group.addTask {
                for _ in 0..<100 { try? RecordStoreSuite.increment("counter", in: store) }
            }
        }
        #expect(try store.record("counter")?.value == [44, 1])
        #expect(try store.revision == Revision(301))
    }

    @Test func `many make one file at once`() async throws {
        for round in 0..<20 {
            let path = folder.path("new.\(round).db")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        try SQLiteRecordStore(path: path).commit([
                            .put(try RecordName("r/\(index)"), [1], expecting: .absent)
                        ])
                    }
                }
                try await group.waitForAll()
            }
            #expect(try SQLiteRecordStore(path: path).records(prefix: "r/").count == 4)
        }
    }

    @Test func `a newer, a foreign and a damaged file are told apart`() throws {
        func refusal() -> RecordStoreError.Code? {
            do {
                _ = try SQLiteRecordStore(path: path).records(prefix: "")
                return nil
            } catch { return error.code }
        }
        try SQLiteRecordStore(path: path).commit([.put("a", [1], expecting: .absent)])
        try sqlite("PRAGMA user_version = 99")
        #expect(refusal() == .newerFormat)
        try FileManager.default.removeItem(atPath: path)
        try sqlite("CREATE TABLE other (x)")
        #expect(refusal() == .notAStore)
        try Data("This is no database at all, whatever its name says. ".utf8).write(to: URL(fileURLWithPath: path))
        #expect(refusal() == .notAStore)
        try FileManager.default.removeItem(atPath: path)
        #expect(refusal() == nil)
        do {
            let store = try SQLiteRecordStore(path: path)
            for index in 0..<400 {
                try store.commit([
                    .put(try RecordName("n/\(index)"), Array(repeating: 7, count: 300), expecting: .absent)
                ])
            }
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in 8192..<min(bytes.count, 60_000) { bytes[index] = 0xFF }
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(refusal() == .damaged)
    }

    @Test func `a locked, a missing and a read-only place are told apart`() throws {
        let store = try SQLiteRecordStore(path: path, waitingTime: .zero)
        try store.commit([.put("a", [1], expecting: .absent)])
        let other = try SQLiteRecordStore(path: path, waitingTime: .zero)
        try sqlite("BEGIN IMMEDIATE") { () throws -> Void in
            #expect(throws: RecordStoreError(.locked, subject: path)) {
                try other.commit([.put("b", [1], expecting: .absent)])
            }
            #expect(try other.record("a")?.value == [1])
        }
        #expect(throws: RecordStoreError(.unavailable, subject: folder.path("no/such.db"))) {
            _ = try SQLiteRecordStore(path: folder.path("no/such.db"))
        }
    }

    /// Runs SQL on the file through Python's own SQLite, and then `body` while the connection is open.
    private func sqlite(_ sql: String, _ body: () throws -> Void = {}) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute(sys.argv[2]).fetchall()
            print("ready", flush=True)
            sys.stdin.read()
            c.close()
            """, path, sql,
        ]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("ready"))
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        try body()
    }
}
#endif
