#if SQLite
import Foundation
import KeyManagement

/// Lives of keys whose material comes from outside, and of keys of two Regions.
extension LifeCycle {
    static let near = "us-east-1"
    static let far = "eu-west-1"

    /// The service of another Region, whose records are a part of the same store, known to this one.
    static func farService(
        _ store: any RecordStore, knowing service: KeyManagementService
    ) async throws -> KeyManagementService {
        let other = try await KeyManagementService(
            store: RecordFolder("far", of: store), rootOfTrust: root(9), region: far)
        try KeyManagementService.connect([service, other])
        return other
    }

    /// One life of a key whose material is brought, taken away and brought again.
    mutating func runImport(_ life: Int) async throws {
        var key = try await make("\(worker)-\(life)-brought") { client, key in
            _ = try await client.createKeyForImport(.symmetric, alias: key.alias, description: key.name)
        } as: {
            $0.state = "PendingImport"
        }
        func bring(_ client: KeyManagementClient, _ id: KeyIdentifier) async throws {
            let parameters = try await client.importParameters(for: id, keySize: .bits2048)
            let material = SecretBytes(copying: [UInt8](repeating: UInt8(life & 0xFF), count: 32))
            _ = try await client.importKeyMaterial(
                parameters.wrap(material), parameters.token, into: id, expiring: .never)
        }
        (key.state, key.materials) = ("Enabled", 1)
        try await change([key], bring)
        try await seal(key)
        key.state = "PendingImport"
        try await change([key]) { try await $0.deleteImportedKeyMaterial(of: $1) }
        key.state = "Enabled"
        try await change([key], bring)
        try await seal(key)
    }

    /// One life of a key that gets a replica, is rotated, ends its old material, and loses the replica.
    mutating func runRegions(_ life: Int) async throws {
        var primary = try await make("\(worker)-\(life)-near") { client, key in
            _ = try await client.createKey(.symmetric, alias: key.alias, description: key.name, multiRegion: true)
        } as: {
            $0.materials = 1
        }
        var replica = Note.Key(
            name: "\(primary.name)@far", state: "Enabled", materials: 1, policy: primary.policy)
        let (name, copy) = (primary.name, replica.name)
        try await changeRegions([replica]) { near, _ in
            let id = try await LifeCycle.find(near, name)
            do throws(KeyManagementError) {
                _ = try await near.replicateKey(id, to: LifeCycle.far, description: copy)
            } catch  where error.code == .alreadyExists {
                // It was made before whatever stood in the way.
            }
        }
        (primary.materials, replica.materials) = (2, 2)
        try await changeRegions([primary, replica]) { near, _ in
            let id = try await LifeCycle.find(near, name)
            // Not twice, where only the replica had to be told.
            if try await near.describe(id).materials.count == 1 { try await near.rotate(id) }
        }
        try await changeRegions([primary, replica]) { near, _ in
            let id = try await LifeCycle.find(near, name)
            let current = try await near.rotations(of: id).last?.material ?? ""
            try await near.retireMaterial(of: id, before: current)
        }
        try await maintainRegions { near, far in
            try await far.rotateDomainKey(unlockedBy: LifeCycle.root(9))
            _ = try await near.client(for: LifeCycle.account).trimRetiredMaterial(
                of: LifeCycle.find(near.client(for: LifeCycle.account), name))
        }
        (replica.state, replica.isDue) = ("Disabled", false)
        try await changeRegions([replica]) { _, far in try await far.disable(LifeCycle.find(far, copy)) }
    }

    private static func find(_ client: KeyManagementClient, _ name: String) async throws -> KeyIdentifier {
        KeyIdentifier(try await client.listKeys().first { $0.description == name }?.id ?? "none")
    }

    /// A change in one Region or both, after which keys look like this.
    private mutating func changeRegions(
        _ after: [Note.Key], _ body: (_ near: KeyManagementClient, _ far: KeyManagementClient) async throws -> Void
    ) async throws {
        try note(Note(isDone: false, keys: after))
        try await maintainRegions { near, far in
            try await body(near.client(for: LifeCycle.account), far.client(for: LifeCycle.account))
        }
        try note(Note(keys: after))
    }

    private mutating func maintainRegions(
        _ body: (KeyManagementService, KeyManagementService) async throws -> Void
    ) async throws {
        let store = store
        try await meet { service, _ in
            let far = try await LifeCycle.farService(store, knowing: service)
            try await body(service, far)
            // Both live until here: they know each other no longer than that.
            withExtendedLifetime((service, far)) {}
        }
    }
}
#endif
