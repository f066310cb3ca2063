import Foundation
import HSMEmulation
import KeyManagement
import StrongroomTestSupport
import Synchronization
import Testing

/// Keys of the key service whose material a custodian keeps: an HSM's partition, and the software custodian.
@Suite struct KeyStoreTests {
    let store = MemoryRecordStore()
    let root: KeyFileRoot
    let clock = MovableClock()
    let test: TestPartition

    init() throws {
        root = try KeyFileRoot(key: .random(count: 32))
        test = try TestPartition()
    }

    func service(_ keyStores: [String: any KeyCustodian]) async throws -> KeyManagementService {
        try await KeyManagementService(store: store, rootOfTrust: root, keyStores: keyStores, clock: clock)
    }

    func custodians() throws -> [any KeyCustodian] {
        [
            HSMCustodian(try test.session()),
            try SoftwareCustodian(store: MemoryRecordStore(), key: .random(count: 32)),
        ]
    }

    @Test func `a key lives in the custodian, is used by it, and dies with it`() async throws {
        for custodian in try custodians() {
            let service = try await service(["vault": custodian])
            let client = service.client(for: .root(account: "111122223333"))
            let alias = "alias/\(UUID().uuidString)"
            let key = try await client.createKey(.symmetric, in: "vault", alias: alias)
            #expect(try await client.describe(KeyIdentifier(key)).keyStore == "vault")
            let sealed = try await client.encrypt([1, 2, 3], under: key, context: ["a": "b"])
            let dataKey = try await client.generateDataKey(under: key)
            let again = try await self.service(["vault": custodian]).client(for: .root(account: "111122223333"))
            #expect(try await again.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
            let opened = try await again.decrypt(dataKey.ciphertext).revealed
            #expect(opened == dataKey.plaintext.revealed)
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await again.decrypt(sealed, context: ["a": "c"]).count
            }
            let own = try await client.createKey(.symmetric)
            let moved = try await client.reEncrypt(sealed, context: ["a": "b"], under: own)
            #expect(try await client.decrypt(moved).revealed == [1, 2, 3])
            await #expect(throws: KeyManagementError(.unsupportedOperation)) {
                try await client.rotate(KeyIdentifier(key))
            }
            await #expect(throws: KeyManagementError(.unsupportedOperation)) {
                _ = try await client.generateDataKeyPair(.ed25519, under: key).publicKey
            }
            // The service's own keys move to a new domain; what is in custody stays.
            try await service.rotateDomainKey(unlockedBy: root)
            #expect(try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
            // Whoever opens the store without the custodian does not open this.
            let without = try await self.service([:]).client(for: .root(account: "111122223333"))
            await #expect(throws: KeyManagementError(.keyStoreNotFound)) {
                _ = try await without.decrypt(sealed, context: ["a": "b"]).count
            }
            try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
            clock.advance(days: 8)
            #expect(try await service.deleteDueKeys() == 1)
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await client.decrypt(sealed, context: ["a": "b"]).count
            }
            #expect(try await service.verifyAuditTrail(unlockedBy: root).isSound)
        }
    }

    @Test func `the partition has the material, and says what was done with it`() async throws {
        let session = try test.session()
        let service = try await service(["hsm": HSMCustodian(session)])
        let client = service.client(for: .root(account: "111122223333"))
        #expect(try session.keys().isEmpty)
        let key = try await client.createKey(.symmetric, in: "hsm")
        let handle = try #require(try session.keys().first)
        let attributes = try session.attributes(of: handle)
        #expect(attributes.isSensitive)
        #expect(throws: HSMError.self) { _ = try session.value(of: handle).count }
        let sealed = try await client.encrypt([9], under: key)
        session.logOut()
        await #expect(throws: KeyManagementError(.keyStoreFailure)) { _ = try await client.decrypt(sealed).count }
        await #expect(throws: KeyManagementError(.keyStoreFailure)) {
            _ = try await client.createKey(.symmetric, in: "hsm")
        }
        await #expect(throws: KeyManagementError(.keyStoreNotFound)) {
            _ = try await client.createKey(.symmetric, in: "elsewhere")
        }
        // Another session of the same partition has it.
        let later = try await self.service(["hsm": HSMCustodian(try test.session())])
        #expect(try await later.client(for: .root(account: "111122223333")).decrypt(sealed).revealed == [9])
    }

    /// A sink that takes nothing.
    struct BrokenSink: AuditSink {
        func record(_ event: AuditEvent) async throws(AuditError) { throw AuditError("full") }
    }

    @Test func `material of a key that stands stays, and material that cannot be destroyed is tried again`()
        async throws
    {
        let session = try test.session()
        let stores: [String: any KeyCustodian] = ["hsm": HSMCustodian(session)]
        let broken = try await KeyManagementService(
            store: store, rootOfTrust: root, keyStores: stores, copyingEventsTo: [BrokenSink()], clock: clock)
        await #expect(throws: KeyManagementError(.auditFailure)) {
            _ = try await broken.client(for: .root(account: "111122223333")).createKey(.symmetric, in: "hsm")
        }
        // The change stands, as the service says of its sinks, and so does what it is made of.
        let service = try await service(stores)
        let client = service.client(for: .root(account: "111122223333"))
        let key = try #require(try await client.listKeys().first)
        #expect(try session.keys().count == 1)
        let other = try await client.createKey(.symmetric)
        for id in [key.id, other.id] { try await client.scheduleDeletion(KeyIdentifier(id), afterDays: 7) }
        clock.advance(days: 8)
        let without = try await self.service([:])
        await #expect(throws: KeyManagementError(.keyStoreNotFound)) { _ = try await without.deleteDueKeys() }
        #expect(try session.keys().count == 1)
        #expect(try await service.deleteDueKeys() == 0, "the keys are gone")
        #expect(try session.keys().isEmpty)
    }

    @Test func `a session that has ended is not a key that is gone`() async throws {
        let test = test
        let opened = Mutex<[HSMSession]>([])
        let cluster = KeyStoreCluster(trustAnchor: "anchor", accounts: ["111122223333"]) { _ in
            do {
                let session = try test.session()
                opened.withLock { $0.append(session) }
                return HSMCustodian(session)
            } catch { throw KeyStoreConnectionError.internalError }
        }
        let service = try await KeyManagementService(
            store: store, rootOfTrust: root, clusters: ["cluster-2345abcdefg": cluster], clock: clock)
        let client = service.client(for: .user("admin", account: "111122223333"))
        let id = try await client.createKeyStore(
            "hsm", cluster: "cluster-2345abcdefg", password: SecretBytes(copying: Array("password".utf8)),
            trustAnchor: "anchor")
        try await client.connectKeyStore(id)
        let key = try await client.createKey(.symmetric, in: id)
        _ = try await client.encrypt([1], under: key)
        #expect(try test.session().keys().count == 1)
        try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
        clock.advance(days: 8)
        for session in opened.withLock({ $0 }) { session.logOut() }
        let report = await service.maintain()
        #expect(report.deleted == 1 && report.failures.isEmpty)
        #expect(try test.session().keys().isEmpty)
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""materialDestroyed":1,"materialMissing":0"#) })
    }

    @Test func `whoever may not make keys makes none in the custodian`() async throws {
        let session = try test.session()
        let denying = PolicyEngine { _ in [] }
        let service = try await KeyManagementService(
            store: store, rootOfTrust: root, access: .authorizer(denying), keyStores: ["hsm": HSMCustodian(session)])
        let nobody = service.client(for: .user("mallory", account: "111122223333"))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await nobody.createKey(.symmetric, in: "hsm")
        }
        let owner = service.client(for: .root(account: "111122223333"))
        await #expect(throws: KeyManagementError(.invalidTag)) {
            _ = try await owner.createKey(.symmetric, in: "hsm", tags: ["aws:x": ""])
        }
        await #expect(throws: KeyManagementError(.invalidAliasName)) {
            _ = try await owner.createKey(.symmetric, in: "hsm", alias: "no alias")
        }
        #expect(try session.keys().isEmpty, "what was made for nothing is destroyed")
    }
}
