import KeyManagement

/// Backups, and an instance that they are for.
enum BackupInputs {
    nonisolated(unsafe) private static var made: (client: KeyManagementClient, token: RestoreToken, backup: [UInt8])?

    static var setup: (client: KeyManagementClient, token: RestoreToken, backup: [UInt8]) {
        guard let made else { fatalError("prepare first") }
        return made
    }

    static func prepare() async throws {
        var clients: [KeyManagementClient] = []
        for _ in 0..<2 {
            let service = try await KeyManagementService(
                store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)),
                audit: .buffered(lossWindow: .seconds(3600)))
            clients.append(service.client(for: .root(account: "111122223333")))
        }
        let parameters = try await clients[1].restoreParameters()
        let key = try await clients[0].createKey(.symmetric, allowingBackup: true)
        try await clients[0].rotate(KeyIdentifier(key))
        let backup = try await clients[0].backUp(KeyIdentifier(key), for: parameters.publicKey)
        made = (clients[1], parameters.token, backup.bytes)
    }
}
