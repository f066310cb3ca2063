import Auditing
import Cryptography
import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// Keys of the service's own, uses, limits and maintenance.
@Suite struct UpkeepTests {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    func service(_ quotas: Quotas = .unlimited) async throws -> KeyManagementService {
        try await KeyManagementService(store: store, rootOfTrust: testRoot(), quotas: quotas, clock: clock)
    }

    func alice(_ service: KeyManagementService, account: String = "111122223333") -> KeyManagementClient {
        service.client(for: .user("alice", account: account))
    }

    @Test func `a key behind alias-aws is made on first use, is used by the account, and managed by nobody`()
        async throws
    {
        let service = try await service()
        let (client, stranger) = (alice(service), alice(service, account: "444455556666"))
        let sealed = try await client.encrypt([1, 2], under: NamedKey("alias/aws/s3"))
        #expect(try await client.decrypt(sealed).revealed == [1, 2])
        let key = try await client.describe("alias/aws/s3")
        #expect(key.isManagedByService && key.state == .enabled)
        _ = try await service.client(for: .root(account: "111122223333")).generateDataKey(
            under: NamedKey("alias/aws/s3"))
        #expect(try await client.describe("alias/aws/s3").arn == key.arn)
        #expect(try await stranger.describe("alias/aws/s3").arn != key.arn)
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await stranger.decrypt(sealed) }
        let id = KeyIdentifier(key.id)
        let attempts: [(KeyManagementClient) async throws -> Void] = [
            { try await $0.disable(id) }, { try await $0.scheduleDeletion(id) }, { try await $0.rotate(id) },
            { try await $0.putPolicy(.delegating(toAccount: "111122223333"), on: id) },
            { try await $0.tag(id, ["a": "b"]) },
            { try await $0.createAlias("alias/mine", for: id) }, { try await $0.disableRotation(of: id) },
        ]
        for attempt in attempts {
            for client in [client, service.client(for: .root(account: "111122223333"))] {
                await #expect(throws: KeyManagementError(.accessDenied)) { try await attempt(client) }
            }
        }
        await #expect(throws: KeyManagementError(.notAuthorized)) { try await client.deleteAlias("alias/aws/s3") }
        for name in ["alias/aws/", "alias/aws/A", "alias/aws/a/b"] {
            await #expect(throws: KeyManagementError(.notFound)) { _ = try await client.describe(KeyIdentifier(name)) }
        }
        // It rotates every year.
        clock.advance(days: 366)
        #expect(await service.maintain().rotated == 2)
        #expect(try await client.decrypt(sealed).revealed == [1, 2])
        #expect(try await client.rotations(of: id).count == 2)
    }

    @Test func `the trail tells when a key was last used, and by whom`() async throws {
        let service = try await service()
        let client = alice(service)
        let (key, other) = (try await client.createKey(.symmetric), try await client.createKey(.symmetric))
        #expect(try await client.usage(of: KeyIdentifier(key)).last == nil)
        let sealed = try await client.encrypt([1], under: key)
        clock.advance(days: 1)
        _ = try await service.client(for: .user("bob", account: "111122223333")).decrypt(sealed)
        clock.advance(days: 1)
        _ = try? await client.decrypt(sealed, context: ["a": "b"])
        _ = try await client.describe(KeyIdentifier(key))
        _ = try await client.encrypt([1], under: other)
        let usage = try await client.usage(of: KeyIdentifier(key))
        #expect(usage.last?.operation == "Decrypt" && usage.keyARN == key.arn)
        #expect(usage.last.map { clock.now.timeIntervalSince($0.date) / 86400 }?.rounded() == 1)
        _ = try await client.reEncrypt(sealed, under: other)
        #expect(try await client.usage(of: KeyIdentifier(key)).last?.operation == "ReEncrypt")
        #expect(try await client.usage(of: KeyIdentifier(other)).last?.operation == "ReEncrypt")
        let bob = "arn:aws:iam::111122223333:user/bob"
        #expect(try await service.auditEvents(AuditQuery(principal: bob)).count == 1)
        #expect(try await service.auditEvents(AuditQuery(resource: key.arn.description, names: ["Decrypt"])).count == 2)
        #expect(try await service.auditEvents(AuditQuery(names: ["Decrypt"], isSuccess: false)).count == 1)
        #expect(try await service.auditEvents(AuditQuery(start: clock.now - 86400 / 2)).count >= 5)
        #expect(try await service.auditEvents(AuditQuery(end: Date(timeIntervalSince1970: 0))).isEmpty)
    }

    @Test func `quotas hold, each account for itself`() async throws {
        let quotas = Quotas(
            keysPerAccount: 2, aliasesPerKey: 1, cryptographicRequestsPerSecond: 5, asymmetricRequestsPerSecond: 1)
        let service = try await service(quotas)
        let client = alice(service)
        let key = try await client.createKey(.symmetric, alias: "alias/a")
        let signing = try await client.createKey(.ed25519)
        await #expect(throws: KeyManagementError(.limitExceeded)) { _ = try await client.createKey(.symmetric) }
        await #expect(throws: KeyManagementError(.limitExceeded)) {
            try await client.createAlias("alias/b", for: KeyIdentifier(key))
        }
        for _ in 0..<5 { _ = try await client.encrypt([1], under: key) }
        await #expect(throws: KeyManagementError(.throttled)) { _ = try await client.encrypt([1], under: key) }
        _ = try await client.sign([1], with: signing, using: .ed25519)
        await #expect(throws: KeyManagementError(.throttled)) {
            _ = try await client.sign([1], with: signing, using: .ed25519)
        }
        _ = try await client.describe(KeyIdentifier(key))
        _ = try await alice(service, account: "444455556666").generateRandom(byteCount: 1)
        clock.advance(days: 0.3 / 86400)
        _ = try await client.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.throttled)) { _ = try await client.encrypt([1], under: key) }
        #expect(try await service.auditEvents().contains { $0.contains("ThrottlingException") })
    }

    @Test func `maintenance does what is due, again and again, and once for all`() async throws {
        let service = try await service()
        let client = alice(service)
        let (rotated, deleted) = (try await client.createKey(.symmetric), try await client.createKey(.symmetric))
        try await client.enableRotation(of: KeyIdentifier(rotated), everyDays: 90)
        try await client.scheduleDeletion(KeyIdentifier(deleted), afterDays: 7)
        #expect(await service.maintain() == MaintenanceReport())
        clock.advance(days: 91)
        let another = try await self.service()
        let total = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in [service, another] {
                group.addTask {
                    await service.maintain(every: .milliseconds(1), on: ContinuousClock()) { total.add($0) }
                }
            }
            // Until all is done, and for a while more, in which nothing is done again.
            for _ in 0..<600 where total.report.rotated == 0 || total.report.deleted == 0 {
                try await Task.sleep(for: .milliseconds(50))
            }
            try await Task.sleep(for: .milliseconds(100))
            group.cancelAll()
        }
        let report = total.report
        #expect(report.rotated == 1 && report.deleted == 1 && report.failures.isEmpty, "\(report)")
    }

    @Test func `whoever may not use a key of the service's own makes none`() async throws {
        let service = try await KeyManagementService(
            store: store, rootOfTrust: testRoot(), access: .directory, clock: clock)
        let stranger = alice(service)
        let attempts: [(KeyManagementClient) async throws -> Void] = [
            { _ = try await $0.describe("alias/aws/a") },
            { _ = try await $0.encrypt([1], under: NamedKey("alias/aws/a")) },
            { _ = try await $0.encrypt(batch: [[1]], under: NamedKey("alias/aws/a")) },
            { _ = try await $0.generateDataKey(under: NamedKey("alias/aws/a")) },
            { _ = try await $0.generateDataKeyPair(.ed25519, under: NamedKey("alias/aws/a")) },
        ]
        for attempt in attempts {
            await #expect(throws: KeyManagementError(.accessDenied)) { try await attempt(stranger) }
        }
        let root = service.client(for: .root(account: "111122223333"))
        #expect(try await root.listKeys().isEmpty)
        for number in 0..<100 { _ = try await root.describe(KeyIdentifier("alias/aws/s\(number)")) }
        await #expect(throws: KeyManagementError(.limitExceeded)) { _ = try await root.describe("alias/aws/more") }
        // A key that is yet to be made is another than the one that sealed.
        let policy = try PolicyDocument(
            """
            {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
              {"Effect":"Deny","Principal":"*","Action":"kms:ReEncryptFrom","Resource":"*",
               "Condition":{"Bool":{"kms:ReEncryptOnSameKey":"false"}}}]}
            """)
        let key = try await root.createKey(.symmetric, policy: policy)
        let sealed = try await root.encrypt([1], under: key)
        for target in ["alias/aws/s1", "alias/aws/never"] {
            await #expect(throws: KeyManagementError(.accessDenied)) {
                _ = try await root.reEncrypt(sealed, under: NamedKey(KeyIdentifier(target)))
            }
        }
    }

    /// What several rounds have done.
    private final class Tally: Sendable {
        private let sum = Mutex(MaintenanceReport())
        var report: MaintenanceReport { sum.withLock { $0 } }

        func add(_ report: MaintenanceReport) {
            sum.withLock { sum in
                sum.rotated += report.rotated
                sum.deleted += report.deleted
                sum.failures += report.failures
            }
        }
    }
}
