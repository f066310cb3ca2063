#if SQLite
import FaultyDisk
import Foundation
import KeyManagement
import SQLiteRecordStorage
import StrongroomTestSupport
import Testing

/// A disk that fills, that fails to sync and that cannot be written: each is an error that says so, and nothing is lost.
@Suite struct DiskFaultTests {
    enum Fault: String, CaseIterable, Codable, Sendable {
        case full, failingSync

        /// Faults that come ever later in a change.
        var delays: [Int64] {
            switch self {
            case .full: [0, 10, 100, 4_000, 5_000, 9_000, 14_000]
            case .failingSync: [0]
            }
        }

        var error: RecordStoreError.Code { self == .full ? .full : .unavailable }

        func begin(after delay: Int64) {
            switch self {
            case .full: faulty_disk_set_room(delay)
            case .failingSync: faulty_disk_set_syncs(delay)
            }
        }

        func end() {
            faulty_disk_set_room(-1)
            faulty_disk_set_syncs(-1)
        }
    }

    /// Every change is tried against the fault until it is given room enough, and then holds.
    @Test(arguments: Fault.allCases) func `a change that the disk refuses changes nothing`(_ fault: Fault) async throws
    {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .success) { [path = folder.path("keys.db") as String, fault = fault as Fault] in
            #expect(faulty_disk_install(nil) == 0)
            var notes: [Note] = []
            var worker = try await LifeCycle(worker: 0, store: SQLiteRecordStore(path: path)) { notes.append($0) }
            var refusals = 0
            worker.obstacle = { change in
                for delay in fault.delays {
                    fault.begin(after: delay)
                    defer { fault.end() }
                    do { return try await change() } catch let error as KeyManagementError {
                        #expect(error.storeError?.code == fault.error, "\(error)")
                        refusals += 1
                    }
                }
                try await change()
            }
            do {
                for life in 0..<3 { try await worker.run(life) }
                #expect(refusals >= 30, "each change is refused once at least")
                let store = try SQLiteRecordStore(path: path)
                try await LifeCycle.check(store, [notes])
                try store.checkIntegrity()
            } catch { Issue.record("\(error)") }
        }
    }

    @Test func `a store that cannot be written says so`() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .success) { [path = folder.path("keys.db") as String] in
            #expect(faulty_disk_install(nil) == 0)
            do {
                var notes: [Note] = []
                var worker = try await LifeCycle(worker: 0, store: SQLiteRecordStore(path: path)) { notes.append($0) }
                try await worker.run(0)
                faulty_disk_set_read_only(1)
                #expect(throws: RecordStoreError(.readOnly, subject: path)) {
                    let store = try SQLiteRecordStore(path: path)
                    try store.commit([.put("a", [1], expecting: .absent)])
                }
                // A key is used only where its use can be recorded.
                let error = await #expect(throws: KeyManagementError.self) {
                    let service = try await LifeCycle.open(SQLiteRecordStore(path: path)).service
                    let client = service.client(for: LifeCycle.account)
                    _ = try await client.decrypt(Ciphertext(notes.last { $0.sealed != nil }?.sealed ?? []))
                }
                #expect(error?.storeError?.code == .readOnly, "\(String(describing: error))")
                faulty_disk_set_read_only(0)
                try await LifeCycle.check(SQLiteRecordStore(path: path), [notes])
            } catch { Issue.record("\(error)") }
        }
    }
}
#endif
