import Foundation
import KeyManagement
import SQLiteRecordStorage

/// Calls whose events are on the disk before their answers, by several callers at once, beside what the disk does alone.
enum GroupCommit {
    static func measure(callers: Int, in folder: String) async throws {
        let clock = ContinuousClock()
        let path = URL(fileURLWithPath: folder).appendingPathComponent("group-\(UUID().uuidString)")
        let service = try await KeyManagementService(
            store: SQLiteRecordStore(path: path.path + ".db"), rootOfTrust: KeyFileRoot(key: .random(count: 32)))
        let client = service.client(for: .user("alice", account: "111122223333"))
        let key = try await client.createKey(.symmetric)
        let plaintext = [UInt8](repeating: 1, count: 1024)
        for round in 0..<3 {
            let begin = clock.now
            let each = 2000
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<callers {
                    group.addTask {
                        for _ in 0..<each { _ = try await client.encrypt(plaintext, under: key) }
                    }
                }
                try await group.waitForAll()
            }
            let calls = Double(callers * each) / ((clock.now - begin) / .seconds(1))
            let syncs = try syncsPerSecond(path.path + "-\(round)")
            print("\(callers) callers: \(Int(calls)) calls a second; \(Int(syncs)) syncs of 4 KiB a second alone")
        }
    }

    private static func syncsPerSecond(_ path: String) throws -> Double {
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 4096)
        let clock = ContinuousClock()
        let begin = clock.now
        let count = 500
        for _ in 0..<count {
            guard write(file, page, page.count) == page.count, fdatasync(file) == 0 else {
                throw POSIXError(.EIO)
            }
        }
        return Double(count) / ((clock.now - begin) / .seconds(1))
    }
}
