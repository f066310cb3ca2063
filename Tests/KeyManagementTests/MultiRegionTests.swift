import Auditing
import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct MultiRegionTests {
    let clock = MovableClock()
    let (here, there, third): (KeyManagementService, KeyManagementService, KeyManagementService)
    static let account = "111122223333"

    init() async throws {
        func service(_ region: String, _ clock: MovableClock) async throws -> KeyManagementService {
            // Each Region has a root of its own.
            try await KeyManagementService(
                store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)), region: region,
                clock: clock)
        }
        here = try await service("us-east-1", clock)
        there = try await service("eu-west-1", clock)
        third = try await service("ap-south-1", clock)
        try KeyManagementService.connect([here, there, third])
    }

    func admin(_ service: KeyManagementService) -> KeyManagementClient {
        service.client(for: .user("admin", account: Self.account))
    }

    @Test func `what one Region has sealed the other opens, also after rotations`() async throws {
        let key = try await admin(here).createKey(.symmetric, alias: "alias/far", multiRegion: true)
        #expect(key.id.hasPrefix("mrk-") && key.id.utf8.count == 36)
        let before = try await admin(here).encrypt([1], under: key, context: ["a": "b"])
        let arn = try await admin(here).replicateKey(
            KeyIdentifier(key), to: "eu-west-1", description: "there", tags: ["x": "y"])
        #expect(arn.region == "eu-west-1" && arn.resource == "key/\(key.id)")
        let replica = try await admin(there).describe(KeyIdentifier(key.id))
        #expect(
            replica.multiRegion
                == MultiRegionConfiguration(isPrimary: false, primaryRegion: "us-east-1", replicaRegions: ["eu-west-1"])
        )
        #expect(replica.description == "there" && replica.state == .enabled)
        #expect(try await admin(here).describe(KeyIdentifier(key)).multiRegion?.isPrimary == true)
        #expect(try await admin(there).decrypt(before, context: ["a": "b"]).revealed == [1])
        // Aliases, tags, states and grants are each Region's own.
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await admin(there).describe("alias/far") }
        #expect(try await admin(here).tags(of: KeyIdentifier(key)).isEmpty)
        try await admin(here).rotate(KeyIdentifier(key))
        let after = try await admin(here).encrypt([2], under: key)
        #expect(try await admin(there).decrypt(after).revealed == [2])
        let handle = NamedKey<Encryption>(KeyIdentifier(key.id))
        let back = try await admin(there).encrypt([3], under: handle)
        #expect(try await admin(here).decrypt(back).revealed == [3])
        try await admin(here).disable(KeyIdentifier(key))
        #expect(try await admin(there).decrypt(after).revealed == [2])
        try await admin(here).enable(KeyIdentifier(key))
        // Only the primary rotates and is replicated.
        for attempt in [
            { try await admin(there).rotate(KeyIdentifier(key.id)) },
            { try await admin(there).enableRotation(of: KeyIdentifier(key.id)) },
            { _ = try await admin(there).replicateKey(KeyIdentifier(key.id), to: "ap-south-1") },
        ] as [() async throws -> Void] {
            await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await attempt() }
        }
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            _ = try await admin(here).replicateKey(KeyIdentifier(key), to: "eu-west-1")
        }
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await admin(here).replicateKey(KeyIdentifier(key), to: "mars-1")
        }
        let single = try await admin(here).createKey(.symmetric)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await admin(here).replicateKey(KeyIdentifier(single), to: "eu-west-1")
        }
        // By its schedule too.
        try await admin(here).enableRotation(of: KeyIdentifier(key), everyDays: 90)
        clock.advance(days: 91)
        #expect(await there.maintain().rotated == 0)
        #expect(await here.maintain().rotated == 1)
        let later = try await admin(here).encrypt([4], under: key)
        #expect(try await admin(there).decrypt(later).revealed == [4])
        let events = try await there.auditEvents()
        #expect(events.contains { $0.contains("SynchronizeMultiRegionKey") })
        #expect(events.contains { $0.contains(#""eventName":"CreateKey""#) })
    }

    @Test func `the primary moves, and roles with it`() async throws {
        let key = try await admin(here).createKey(.ecdsa(.p256), multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        try await admin(here).replicateKey(id, to: "ap-south-1")
        let signature = try await admin(third).sign([1], with: NamedKey(id), using: .ecdsaSHA256)
        try await admin(here).verify(signature, for: [1], with: key, using: .ecdsaSHA256)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await admin(there).updatePrimaryRegion(of: id, to: "us-east-1")
        }
        try await admin(here).updatePrimaryRegion(of: id, to: "eu-west-1")
        for service in [here, there, third] {
            let configuration = try await admin(service).describe(id).multiRegion
            #expect(configuration?.primaryRegion == "eu-west-1")
            #expect(configuration?.replicaRegions == ["ap-south-1", "us-east-1"])
            #expect(configuration?.isPrimary == (service === there))
        }
        try await admin(there).verify(signature, for: [1], with: NamedKey(id), using: .ecdsaSHA256)
    }

    @Test func `a primary is deleted after its replicas`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        let sealed = try await admin(here).encrypt([1], under: key)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        try await admin(here).scheduleDeletion(id, afterDays: 7)
        let waiting = try await admin(here).describe(id)
        #expect(waiting.state == .pendingReplicaDeletion && waiting.deletionDate == nil)
        #expect(waiting.pendingDeletionWindowInDays == 7)
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await admin(here).decrypt(sealed) }
        clock.advance(days: 30)
        #expect(await here.maintain().deleted == 0)
        #expect(try await admin(there).decrypt(sealed).revealed == [1])
        try await admin(there).scheduleDeletion(id, afterDays: 7)
        clock.advance(days: 8)
        #expect(await there.maintain().deleted == 1)
        let dated = try await admin(here).describe(id)
        #expect(dated.state == .pendingDeletion && dated.multiRegion?.replicaRegions == [])
        #expect(dated.deletionDate.map { $0.timeIntervalSince(clock.now) / 86400 }?.rounded() == 7)
        try await admin(here).cancelDeletion(id)
        try await admin(here).enable(id)
        #expect(try await admin(here).decrypt(sealed).revealed == [1])
        // And it can be replicated again.
        try await admin(here).replicateKey(id, to: "eu-west-1")
        #expect(try await admin(there).decrypt(sealed).revealed == [1])
    }

    @Test func `imported material goes to each Region by its owner`() async throws {
        let key = try await admin(here).createKeyForImport(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        func bring(_ service: KeyManagementService, _ byte: UInt8) async throws -> String {
            let parameters = try await admin(service).importParameters(for: id, keySize: .bits2048)
            return try await admin(service).importKeyMaterial(
                parameters.wrap(SecretBytes(copying: [UInt8](repeating: byte, count: 32))), parameters.token, into: id,
                expiring: .never)
        }
        let material = try await bring(here, 7)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        #expect(try await admin(there).describe(id).state == .pendingImport)
        #expect(try await bring(there, 7) == material)
        let sealed = try await admin(here).encrypt([1], under: key)
        #expect(try await admin(there).decrypt(sealed).revealed == [1])
    }

    @Test func `who may not make keys there replicates none, and nothing is tried in earnest that is dry`() async throws
    {
        let deny = try PolicyDocument(
            #"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:CreateKey","Resource":"*","Condition":{"StringEquals":{"kms:MultiRegionKeyType":"REPLICA"}}}]}"#
        )
        let far = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), region: "sa-east-1",
            access: .authorizer(PolicyEngine { _ in [IdentityPolicy("p", deny)] }), clock: clock)
        try KeyManagementService.connect([here, far])
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await admin(here).replicateKey(KeyIdentifier(key), to: "sa-east-1")
        }
        try await admin(here).dryRun { _ = try await $0.replicateKey(KeyIdentifier(key), to: "eu-west-1") }
        #expect(try await admin(here).describe(KeyIdentifier(key)).multiRegion?.replicaRegions == [])
        #expect(try await admin(there).listKeys().isEmpty)
        #expect(throws: KeyManagementError(.validation)) { try KeyManagementService.connect([here, here]) }
    }

    @Test func `a move that is cut short has no primary, never two, and is finished by maintenance`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        try await admin(here).replicateKey(id, to: "ap-south-1")
        _ = try await admin(here).resign(id, for: there)
        for service in [here, there, third] {
            await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await admin(service).rotate(id) }
            #expect(try await admin(service).describe(id).multiRegion?.isPrimary == false)
        }
        #expect(await here.maintain().failures.isEmpty)
        #expect(await there.maintain().failures.isEmpty)
        try await admin(there).rotate(id)
        let sealed = try await admin(there).encrypt([1], under: NamedKey(id))
        for service in [here, third] { #expect(try await admin(service).decrypt(sealed).revealed == [1]) }
        let all = try await [here, there, third].asyncMap {
            try await admin($0).describe(id).multiRegion?.replicaRegions ?? []
        }
        #expect(all.allSatisfy { $0 == ["ap-south-1", "us-east-1"] })
    }

    @Test func `a replica that nobody lists is joined, and holds the primary's deletion`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        let place = "\(Self.account)/\(key.id)"
        func makeUnlisted(_ service: KeyManagementService) async throws {
            let state = try here.refreshedState()
            let source = try #require(state.keys[place])
            let creation = KeyCreation(alias: nil, description: "", tags: [:], policy: nil)
            let isMade = try await service.makeReplica(
                of: source, domains: state.domains, creation, as: admin(service).caller)
            #expect(isMade)
        }
        try await makeUnlisted(there)
        try await admin(here).scheduleDeletion(id, afterDays: 7)
        #expect(try await admin(here).describe(id).state == .pendingDeletion)
        #expect(await there.maintain().failures.isEmpty)
        #expect(try await admin(here).describe(id).state == .pendingReplicaDeletion)
        clock.advance(days: 40)
        #expect(await here.maintain().deleted == 0)
        try await admin(here).cancelDeletion(id)
        try await admin(here).enable(id)
        // One that was being made while the primary moved finds the new one.
        try await makeUnlisted(third)
        try await admin(here).updatePrimaryRegion(of: id, to: "eu-west-1")
        #expect(await third.maintain().failures.isEmpty)
        #expect(await there.maintain().failures.isEmpty)
        #expect(try await admin(there).describe(id).multiRegion?.replicaRegions == ["ap-south-1", "us-east-1"])
        #expect(try await admin(third).describe(id).multiRegion?.primaryRegion == "eu-west-1")
        // Whoever waits for its deletion does not become primary.
        try await admin(third).scheduleDeletion(id, afterDays: 7)
        await #expect(throws: KeyManagementError(.invalidState)) {
            try await admin(there).updatePrimaryRegion(of: id, to: "ap-south-1")
        }
        #expect(try await admin(there).describe(id).multiRegion?.isPrimary == true)
    }

    @Test func `old material ends everywhere, and imported material is followed everywhere`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        let sealed = try await admin(here).encrypt([1], under: key)
        try await admin(here).rotate(id)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        let materials = try await admin(here).rotations(of: id).map(\.material)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await admin(there).retireMaterial(of: id, before: materials[1])
        }
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await admin(there).trimRetiredMaterial(of: id)
        }
        try await admin(here).retireMaterial(of: id, before: materials[1])
        for service in [here, there] {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await admin(service).decrypt(sealed)
            }
        }
        #expect(try await admin(here).trimRetiredMaterial(of: id) == 1)
        #expect(await there.maintain().failures.isEmpty)
        #expect(try await admin(there).rotations(of: id).map(\.state) == [.retired, .current])

        let brought = KeyIdentifier(try await admin(here).createKeyForImport(.symmetric, multiRegion: true).id)
        func bring(_ service: KeyManagementService, _ byte: UInt8, isNew: Bool? = nil) async throws {
            let parameters = try await admin(service).importParameters(for: brought, keySize: .bits2048)
            try await admin(service).importKeyMaterial(
                parameters.wrap(SecretBytes(copying: [UInt8](repeating: byte, count: 32))), parameters.token,
                into: brought, expiring: .never, isNew: isNew)
        }
        try await bring(here, 1)
        try await admin(here).replicateKey(brought, to: "eu-west-1")
        try await bring(there, 1)
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) { try await bring(there, 2, isNew: true) }
        try await bring(here, 2, isNew: true)
        #expect(await here.maintain().failures.isEmpty)
        try await bring(there, 2)
        try await admin(here).rotate(brought)
        let newer = try await admin(here).encrypt([3], under: NamedKey(brought))
        #expect(try await admin(there).decrypt(newer).revealed == [3])
    }
}

extension Array {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var all: [T] = []
        for element in self {
            let item = try await transform(element)
            all.append(item)
        }
        return all
    }
}
