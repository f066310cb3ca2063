import Foundation
import KeyManagement
import Synchronization

/// A clock that a test moves.
final class MovableClock: WallClock {
    private let time: Mutex<(now: Date, uptime: Duration)>
    init(_ start: Date = Date(timeIntervalSince1970: 1_800_000_000)) { time = Mutex((start, .zero)) }
    var now: Date { time.withLock { $0.now } }
    var uptime: Duration { time.withLock { $0.uptime } }
    /// Time goes by.
    func advance(days: Double) {
        time.withLock { time in
            time.now += days * 86400
            time.uptime += .seconds(days * 86400)
        }
    }
    /// Somebody sets the clock, back or forth.
    func jump(days: Double) { time.withLock { $0.now += days * 86400 } }
}

/// A root of trust that costs nothing, the same for the same byte.
func testRoot(_ byte: UInt8 = 1) throws -> KeyFileRoot {
    try KeyFileRoot(key: SecretBytes(copying: [UInt8](repeating: byte, count: 32)))
}

/// Tests on one store, by services that each have opened it.
protocol OneStore {
    var store: MemoryRecordStore { get }
    var clock: MovableClock { get }
}

extension OneStore {
    func service(
        _ root: any RootOfTrust, access: AccessControl = .accountMembers, audit: AuditDurability = .recorded
    ) async throws -> KeyManagementService {
        try await KeyManagementService(
            store: store, rootOfTrust: root, access: access, audit: audit, clock: clock)
    }

    func alice() async throws -> KeyManagementClient {
        try await service(testRoot()).client(for: .user("alice", account: "111122223333"))
    }
}
