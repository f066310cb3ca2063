import Foundation
import KeyManagement
import SQLiteRecordStorage

/// What a store with many keys costs whoever opens it: time, memory, and the look-up of one.
enum ManyKeys {
    private static func root() throws -> KeyFileRoot {
        try KeyFileRoot(key: SecretBytes(copying: [UInt8](repeating: 1, count: 32)))
    }

    private static func open(_ path: String) async throws -> KeyManagementClient {
        try await KeyManagementService(
            store: SQLiteRecordStore(path: path), rootOfTrust: root(), audit: .buffered(lossWindow: .seconds(5))
        ).client(for: .root(account: "111122223333"))
    }

    /// Makes the store where it is not there yet. Another run on it measures the opening alone, and memory that nothing else has used before.
    static func measure(_ count: Int, at path: String) async throws {
        let clock = ContinuousClock()
        if !FileManager.default.fileExists(atPath: path) {
            let client = try await open(path)
            let begin = clock.now
            for _ in 0..<count { _ = try await client.createKey(.symmetric) }
            print("made \(count) keys: \((clock.now - begin) / count) each; run again to measure")
            return
        }
        let (before, begin) = (residentBytes, clock.now)
        let client = try await open(path)
        print("opened in \(clock.now - begin), \((residentBytes - before) / count) bytes a key")
        let keys = try await client.listKeys()
        let start = cpuTime
        for index in 0..<1000 { _ = try await client.describe(KeyIdentifier(keys[index * 7919 % keys.count].id)) }
        let each = (cpuTime - start) / 1000
        print("\(keys.count) keys; one is described in \(each) of CPU")
        // Taking it all down takes time too, and would be counted.
        withExtendedLifetime(client) {}
    }

    private static var cpuTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
    }
}
