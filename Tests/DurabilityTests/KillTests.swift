#if SQLite
import Foundation
import Glibc
import KeyManagement
import SQLiteRecordStorage
import StrongroomTestSupport
import Testing

/// Two processes take keys through their whole lives on one store and are killed at any instant, again and again. What
/// they had acknowledged is there.
@Suite struct KillTests {
    static let kills = Int(ProcessInfo.processInfo.environment["STRONGROOM_KILLS"] ?? "") ?? 20

    @Test func `what was acknowledged survives kills of two processes at once`() async throws {
        var random = SystemRandomNumberGenerator()
        var (changes, done) = (0, 0)
        // A new store now and then: what is checked after each kill grows with what is in it.
        while done < Self.kills {
            let folder = try TemporaryFolder()
            let path = folder.path("keys.db")
            var notes: [[Note]] = []
            for round in 0..<5 {
                guard done < Self.kills else { break }
                let delays = [0, 1].map { _ in UInt32.random(in: 500...400_000, using: &random) }
                await withTaskGroup(of: Void.self) { group in
                    for worker in 0...1 {
                        let log = folder.path("notes.\(round).\(worker)")
                        group.addTask {
                            await #expect(processExitsWith: .signal(SIGKILL)) {
                                [
                                    path = path as String, log = log as String, worker = 2 * round + worker as Int,
                                    delay = delays[worker] as UInt32
                                ] in
                                try await live(path, log, worker: worker, killAfter: delay)
                            }
                        }
                    }
                }
                for worker in 0...1 {
                    let log = folder.path("notes.\(round).\(worker)")
                    notes.append(try read(log))
                    if let error = try? String(contentsOfFile: log + ".error", encoding: .utf8) {
                        Issue.record("\(error)")
                    }
                }
                let store = try SQLiteRecordStore(path: path)
                try await LifeCycle.check(store, notes)
                try store.checkIntegrity()
                done += 2
            }
            changes += notes.joined().count { $0.isDone }
            print("\(done) kills: \(changes) acknowledged changes hold")
        }
        #expect(changes > Self.kills)
    }
}

/// Lives until it is killed.
private func live(_ path: String, _ log: String, worker: Int, killAfter delay: UInt32) async throws {
    let descriptor = unsafe open(log, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    let killer = Thread {
        usleep(delay)
        kill(getpid(), SIGKILL)
    }
    killer.start()
    do {
        var cycle = try await LifeCycle(worker: worker, store: SQLiteRecordStore(path: path)) { note in
            // One write of one line: the kernel has it whole, whatever happens to this process.
            _ = unsafe try note.line.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        }
        for life in 0... { try await cycle.run(life) }
    } catch {
        try "\(error)".write(toFile: log + ".error", atomically: true, encoding: .utf8)
    }
}

private func read(_ path: String) throws -> [Note] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Note.self, from: Data($0.utf8)) }
}
#endif
