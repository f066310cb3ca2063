#if SQLite
import Foundation
import Glibc
import KeyManagement
import SQLiteRecordStorage
import StrongroomTestSupport
import Testing

/// A process that works on a store is killed at any instant, again and again. What it had acknowledged is there.
@Suite struct KillTests {
    static let rounds = Int(ProcessInfo.processInfo.environment["STRONGROOM_KILLS"] ?? "") ?? 20

    @Test func `what was acknowledged survives a kill`() async throws {
        var random = SystemRandomNumberGenerator()
        var (total, done) = (0, 0)
        // A new store now and then: what is checked after each kill grows with what is in it.
        while done < Self.rounds {
            let folder = try TemporaryFolder()
            let (path, log) = (folder.path("keys.db"), folder.path("acknowledged"))
            var acknowledged = 0
            for _ in 0..<min(10, Self.rounds - done) {
                let delay = UInt32.random(in: 500...60_000, using: &random)
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [path = path as String, log = log as String, delay = delay as UInt32] in
                    try await work(path, log, killAfter: delay)
                }
                acknowledged = try await check(path, log)
                done += 1
            }
            total += acknowledged
            print("\(done) kills: \(total) acknowledgements hold")
        }
        #expect(total > Self.rounds)
    }
}

/// The root of trust of these tests.
private func root() throws -> KeyFileRoot {
    try KeyFileRoot(key: SecretBytes(copying: [UInt8](repeating: 5, count: 32)))
}

/// Creates, encrypts, rotates and re-wraps until it is killed, and notes each result once it has it.
private func work(_ path: String, _ log: String, killAfter delay: UInt32) async throws {
    let service = try await KeyManagementService(store: SQLiteRecordStore(path: path), rootOfTrust: root())
    let client = service.client(for: .root(account: "111122223333"))
    let descriptor = unsafe open(log, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    let killer = Thread {
        usleep(delay)
        kill(getpid(), SIGKILL)
    }
    killer.start()
    while true {
        let key = try await client.createKey(.symmetric)
        for round in 0..<3 {
            let sealed = try await client.encrypt(Array(key.id.utf8), under: key)
            // One write of one line: the kernel has it whole, whatever happens to this process.
            let line = Array("\(key.id) \(Hexadecimal.encode(sealed.bytes))\n".utf8)
            _ = unsafe line.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if round == 0 { try await client.rotate(KeyIdentifier(key)) }
            if round == 1 { try await service.rotateDomainKey(unlockedBy: root()) }
        }
    }
}

/// Opens the store and everything that was acknowledged, and returns how much that is.
private func check(_ path: String, _ log: String) async throws -> Int {
    let service = try await KeyManagementService(store: SQLiteRecordStore(path: path), rootOfTrust: root())
    let client = service.client(for: .root(account: "111122223333"))
    let lines = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n") ?? []
    for line in lines.suffix(60) {
        let parts = line.split(separator: " ")
        let blob = try Ciphertext(Hexadecimal.decode(parts[1]) ?? [])
        #expect(try await client.decrypt(blob).revealed == Array(parts[0].utf8))
    }
    let keys = Set(try await client.listKeys().map(\.id))
    #expect(lines.allSatisfy { keys.contains(String($0.prefix(36))) })
    let verification = try await service.verifyAuditTrail(unlockedBy: root())
    #expect(verification.isSound, "\(verification)")
    return lines.count
}
#endif
