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

    @Test func `times of use are the primary's in every Region`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        _ = try await admin(here).replicateKey(id, to: "eu-west-1")
        let sealed = try await admin(there).encrypt([1], under: NamedKey<Encryption>(id))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await admin(there).limitUse(of: id, until: clock.now)
        }
        try await admin(here).limitUse(of: id, until: clock.now)
        _ = try await admin(here).replicateKey(id, to: "ap-south-1")
        for service in [here, there, third] {
            await #expect(throws: KeyManagementError(.invalidState)) {
                _ = try await admin(service).encrypt([1], under: NamedKey<Encryption>(id))
            }
            #expect(try await admin(service).decrypt(sealed).revealed == [1])
        }
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
        try await here.synchronizeRegions()
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

    func place(_ key: Key<Encryption>) -> String { "\(Self.account)/\(key.id)" }

    @Test func `a replica is not deleted while its primary moves`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        try await here.synchronizeRegions()
        _ = try await admin(here).resign(id, for: there)
        // Only this replica knows who is primary now.
        try await admin(here).scheduleDeletion(id, afterDays: 7)
        clock.advance(days: 8)
        #expect(await here.maintain().deleted == 1)
        #expect(try await admin(there).describe(id).multiRegion?.isPrimary == true)
        try await admin(there).rotate(id)
        // An heir that does not know yet is not deleted as a replica.
        try await admin(there).replicateKey(id, to: "us-east-1")
        try await admin(there).replicateKey(id, to: "ap-south-1")
        try await there.synchronizeRegions()
        _ = try await admin(there).resign(id, for: here)
        try await admin(here).scheduleDeletion(id, afterDays: 7)
        clock.advance(days: 8)
        #expect(await here.maintain().deleted == 0)
        #expect(try await admin(here).describe(id).state == .pendingReplicaDeletion)
        try await admin(here).cancelDeletion(id)
        try await admin(here).enable(id)
        try await admin(here).rotate(id)
    }

    @Test func `a replica waits for its primary's Region before it is deleted`() async throws {
        let (store, root) = (MemoryRecordStore(), try KeyFileRoot(key: .random(count: 32)))
        let lonely = try await KeyManagementService(store: store, rootOfTrust: root, region: "sa-east-1", clock: clock)
        try KeyManagementService.connect([here, lonely])
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "sa-east-1")
        try await admin(lonely).scheduleDeletion(id, afterDays: 7)
        clock.advance(days: 8)
        let again = try await KeyManagementService(store: store, rootOfTrust: root, region: "sa-east-1", clock: clock)
        let waiting = await again.maintain()
        #expect(waiting.deleted == 0 && waiting.failures.count == 1)
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await admin(again).describe(id) }
        try KeyManagementService.connect([here, again])
        #expect(await again.maintain().deleted == 1)
        #expect(try await admin(here).describe(id).multiRegion?.replicaRegions == [])
    }

    @Test func `what a replica has taken over does not go back`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "eu-west-1")
        let old = try #require(try here.refreshedState().keys[place(key)])
        let sealed = try await admin(here).encrypt([1], under: key)
        try await admin(here).rotate(id)
        let materials = try await admin(here).rotations(of: id).map(\.material)
        try await admin(here).retireMaterial(of: id, before: materials[1])
        let domains = try here.refreshedState().domains
        // One who read the primary before all that comes late.
        try await there.take(old, domains: domains)
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await admin(there).decrypt(sealed) }
        // Its heir must have exactly what the primary has: here it has not, when the primary steps back.
        try await admin(here).updateDescription(of: id, to: "changed")
        let taken = try #require(try there.refreshedState().keys[place(key)]?.record.synchronized)
        let held = try #require(try here.refreshedState().keys[place(key)]?.version)
        #expect(taken < held)
        await #expect(throws: KeyManagementError(.conflict)) {
            _ = try await admin(here).resign(id, for: there)
        }
        try await admin(here).updatePrimaryRegion(of: id, to: "eu-west-1")
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await admin(there).decrypt(sealed) }
    }

    @Test func `material that is taken over is wrapped under the newest domain key`() async throws {
        let root = try KeyFileRoot(key: .random(count: 32))
        let store = MemoryRecordStore()
        let far = try await KeyManagementService(store: store, rootOfTrust: root, region: "sa-east-1", clock: clock)
        try KeyManagementService.connect([here, far])
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        try await admin(here).replicateKey(id, to: "sa-east-1")
        // Domain keys change in one Region while the other hands material over, again and again.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<12 { try await self.admin(self.here).rotate(id) } }
            group.addTask { for _ in 0..<12 { try await far.rotateDomainKey(unlockedBy: root) } }
            try await group.waitForAll()
        }
        #expect(await here.maintain().failures.isEmpty)
        let sealed = try await admin(here).encrypt([1], under: key)
        let opened = try await KeyManagementService(store: store, rootOfTrust: root, region: "sa-east-1", clock: clock)
        #expect(try await admin(opened).decrypt(sealed).revealed == [1])
        let record = try #require(try opened.refreshedState().keys[place(key)]?.record)
        #expect(Set(record.materials.map(\.domain)) == [13])
    }

    @Test func `a primary's waiting period survives a replica that joins`() async throws {
        let key = try await admin(here).createKey(.symmetric, multiRegion: true)
        let id = KeyIdentifier(key.id)
        let state = try here.refreshedState()
        let source = try #require(state.keys[place(key)])
        _ = try await there.makeReplica(
            of: source, domains: state.domains, KeyCreation(alias: nil, description: "", tags: [:], policy: nil),
            as: admin(there).caller)
        try await admin(here).scheduleDeletion(id, afterDays: 30)
        #expect(await there.maintain().failures.isEmpty)
        #expect(try await admin(here).describe(id).pendingDeletionWindowInDays == 30)
    }

    @Test func `a replica of imported material is a key of external origin to policies`() async throws {
        let deny = try PolicyDocument(
            #"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:CreateKey","Resource":"*","Condition":{"StringEquals":{"kms:KeyOrigin":"EXTERNAL"}}}]}"#
        )
        let far = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), region: "sa-east-1",
            access: .authorizer(PolicyEngine { _ in [IdentityPolicy("p", deny)] }), clock: clock)
        try KeyManagementService.connect([here, far])
        let imported = try await admin(here).createKeyForImport(.symmetric, multiRegion: true)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await admin(here).replicateKey(KeyIdentifier(imported), to: "sa-east-1")
        }
        let own = try await admin(here).createKey(.symmetric, multiRegion: true)
        _ = try await admin(here).replicateKey(KeyIdentifier(own), to: "sa-east-1")
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
