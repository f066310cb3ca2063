import HSMEmulation
import Testing

/// A partition with an administrator and two crypto users, and passwords that cost nothing to check.
struct TestPartition {
    let store: any RecordStore
    let device: HSMDevice
    let partition: HSMPartition

    static func password(_ text: String = "correct horse") -> SecretBytes { SecretBytes(copying: Array(text.utf8)) }

    init(_ store: any RecordStore = MemoryRecordStore()) throws {
        self.store = store
        device = HSMDevice(store: store, passwordCost: try Scrypt(cost: 16, blockSize: 8, parallelism: 1))
        if try device.partitionNames.contains("main") {
            partition = try device.partition("main")
            return
        }
        partition = try device.createPartition("main", administrator: "admin", password: Self.password())
        for user in ["alice", "bob"] {
            try administrator().createUser(user, password: Self.password())
        }
    }

    func administrator() throws -> HSMAdministrator {
        try partition.administer("admin", password: Self.password())
    }

    func session(_ user: String = "alice") throws -> HSMSession {
        try partition.logIn(user, password: Self.password())
    }

    /// The same store, opened as another process would.
    func elsewhere() throws -> TestPartition { try TestPartition(store) }
}
