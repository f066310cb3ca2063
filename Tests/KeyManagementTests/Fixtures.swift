import Foundation
import KeyManagement
import StrongroomTestSupport

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
