#if SQLite
import FaultyDisk
import Foundation
import KeyManagement
import SQLiteRecordStorage
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

/// A killed process leaves the system's page cache alive; a power cut does not. What was not synced is lost, whole or in
/// part and in any order, at every write of every kind of transaction.
@Suite struct PowerCutTests {
    /// Every n-th cut is looked at; 1 looks at all of them.
    static let stride = Int(ProcessInfo.processInfo.environment["STRONGROOM_CUT_STRIDE"] ?? "") ?? 12

    @Test func `what was acknowledged survives a power cut at any write`() async throws {
        let folder = try TemporaryFolder()
        let (path, log) = (folder.path("keys.db"), folder.path("log"))
        await #expect(processExitsWith: .success) {
            [path = path as String, log = log as String] in
            #expect(unsafe faulty_disk_install(log) == 0)
            // Six lives are more than SQLite keeps in its log: it is moved into the database, and begun anew.
            for life in 0..<6 {
                var worker = try await LifeCycle(worker: 0, store: SQLiteRecordStore(path: path)) { note in
                    unsafe try note.line.withUnsafeBytes { unsafe faulty_disk_note($0.baseAddress, UInt32($0.count)) }
                }
                do { try await worker.run(life) } catch { Issue.record("\(error)") }
            }
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        print("power cuts from seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let copy = folder.path("copy.db")
        let shift = Int.random(in: 0..<Self.stride, using: &random)
        var (cuts, neighbours, databaseWrites) = (0, 0, 0)
        try await DiskLog(path: log).cuts(at: copy, &random) { place, isDatabase in
            // All cuts while the log is moved into the database: there the order of syncs matters most.
            if isDatabase { (neighbours, databaseWrites) = (8, databaseWrites + 1) }
            neighbours -= 1
            return place % Self.stride == shift || neighbours > 0
        } _: { path, lines in
            let notes = try lines.map { try JSONDecoder().decode(Note.self, from: Data($0)) }
            do {
                let store = try SQLiteRecordStore(path: path)
                try await LifeCycle.check(store, [notes], ciphertexts: 4)
                try store.checkIntegrity()
            } catch {
                Issue.record("\(path): \(error)")
            }
            cuts += 1
        }
        print("\(cuts) power cuts: everything that was acknowledged is there")
        #expect(cuts > 100 && databaseWrites > 20, "the log was never moved")
    }
}
#endif
