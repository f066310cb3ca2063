import Auditing
import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// One store, of one service and of several: roots of trust, domain keys, what others changed, what was tampered with.
@Suite struct StoreTests: OneStore {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    @Test func `a store opens again with its root, and with no other`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric, alias: "alias/k")
        let sealed = try await admin.encrypt([7], under: key)
        #expect(try await alice().decrypt(sealed).revealed == [7])
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) { _ = try await service(testRoot(2)) }
        try await admin.service.replaceRootOfTrust(testRoot(1), with: testRoot(2))
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) { _ = try await service(testRoot(1)) }
        let again = try await service(testRoot(2)).client(for: admin.principal)
        #expect(try await again.decrypt(sealed).revealed == [7])
    }

    @Test func `a passphrase opens a store`() async throws {
        func root(_ text: String) throws -> PassphraseRoot {
            PassphraseRoot(
                SecretBytes(copying: Array(text.utf8)), cost: try Scrypt(cost: 16, blockSize: 8, parallelism: 1))
        }
        let admin = try await service(root("correct horse")).client(for: .root(account: "000000000000"))
        let key = try await admin.createKey(.symmetric)
        let sealed = try await admin.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) { _ = try await service(root("correct")) }
        let again = try await service(root("correct horse")).client(for: .root(account: "000000000000"))
        #expect(try await again.decrypt(sealed).revealed == [1])
    }

    @Test func `domain keys rotate, and a rotation cut short goes on`() async throws {
        let admin = try await alice()
        var sealed: [Ciphertext] = []
        for _ in 0..<5 {
            let key = try await admin.createKey(.symmetric)
            sealed.append(try await admin.encrypt([9], under: key))
            try await admin.rotate(KeyIdentifier(key))
            sealed.append(try await admin.encrypt([9], under: key))
        }
        try await admin.service.rotateDomainKey(unlockedBy: testRoot())
        let root = try #require(store.record("root")?.value)
        #expect(root.count > 32)
        let again = try await alice()
        for blob in sealed { #expect(try await again.decrypt(blob).revealed == [9]) }
        #expect(try again.service.refreshedState().root.record.domainVersions == [2])
        #expect(try await again.service.verifyAuditTrail(unlockedBy: testRoot()).isSound)
    }

    @Test func `services make one store, and rotate its domain key, at once`() async throws {
        for _ in 0..<20 {
            let store = MemoryRecordStore()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        let service = try await KeyManagementService(store: store, rootOfTrust: testRoot())
                        // A conflict tells it to open the store again; anything else is a failure.
                        do {
                            _ = try await service.client(for: .root(account: "111122223333")).createKey(.symmetric)
                            try await service.rotateDomainKey(unlockedBy: testRoot())
                        } catch let error as KeyManagementError where error.code == .conflict {}
                    }
                }
                try await group.waitForAll()
            }
            let service = try await KeyManagementService(store: store, rootOfTrust: testRoot())
            let client = service.client(for: .root(account: "111122223333"))
            for key in try await client.listKeys() {
                let handle = try await client.key(KeyIdentifier(key.id), for: Encryption.self)
                #expect(try await client.decrypt(client.encrypt([1], under: handle)).revealed == [1])
            }
            #expect(try await service.verifyAuditTrail(unlockedBy: testRoot()).isSound)
        }
    }

    @Test func `no key is made under a domain key that is being retired`() async throws {
        let (one, two) = (try await alice(), try await alice())
        let old = try await two.createKey(.symmetric)
        let sealed = try await two.encrypt([1], under: old)
        try await one.service.rotateDomainKey(unlockedBy: testRoot())
        await #expect(throws: KeyManagementError(.conflict)) { _ = try await two.createKey(.symmetric) }
        await #expect(throws: KeyManagementError(.conflict)) { try await two.rotate(KeyIdentifier(old)) }
        #expect(try await two.decrypt(sealed).revealed == [1])
        // The second process rotates too, knowing nothing of the first rotation.
        try await two.service.rotateDomainKey(unlockedBy: testRoot())
        _ = try await two.createKey(.symmetric)
        // Keys made while the domain key rotates in the same process.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<5 { try await two.service.rotateDomainKey(unlockedBy: testRoot()) } }
            for _ in 0..<3 { group.addTask { for _ in 0..<10 { _ = try await two.createKey(.symmetric) } } }
            try await group.waitForAll()
        }
        let again = try await alice()
        for metadata in try await again.listKeys() {
            let key = try await again.key(KeyIdentifier(metadata.id), for: Encryption.self)
            let blob = try await again.encrypt([2], under: key)
            #expect(try await again.decrypt(blob).revealed == [2])
        }
        #expect(try await again.listKeys().count == 32)
    }

    @Test func `a change behind many events is seen too`() async throws {
        let (one, two) = (try await alice(), try await alice())
        let key = try await one.createKey(.symmetric)
        let sealed = try await two.encrypt([1], under: key)
        // The page of changes ends among the records of the batch that disables the key, for one of these counts.
        for count in [506, 1, 1, 1, 1, 1, 1, 1, 1] {
            for _ in 0..<count { _ = try await one.encrypt([1], under: key) }
            try await one.disable(KeyIdentifier(key))
            await #expect(throws: KeyManagementError(.disabled)) {
                _ = try await two.describe(KeyIdentifier(key))
                _ = try await two.decrypt(sealed)
            }
            try await one.enable(KeyIdentifier(key))
        }
    }

    @Test func `two services on one store see each other's changes`() async throws {
        let (one, two) = (try await alice(), try await alice())
        let key = try await one.createKey(.symmetric, alias: "alias/shared")
        let sealed = try await one.encrypt([1], under: key)
        #expect(try await two.decrypt(sealed).revealed == [1])
        try await two.disable(KeyIdentifier(key))
        #expect(try await one.describe("alias/shared").state == .disabled)
        await #expect(throws: KeyManagementError(.disabled)) { _ = try await one.decrypt(sealed) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in [one, two, one, two] {
                group.addTask { for _ in 0..<10 { _ = try await client.createKey(.symmetric) } }
            }
            try await group.waitForAll()
        }
        #expect(try await one.listKeys().count == 41)
        #expect(try await one.service.verifyAuditTrail(unlockedBy: testRoot()).isSound)
    }

    @Test func `records that were edited, put back or taken away are seen at opening`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric, alias: "alias/k")
        let name = try #require(store.records(prefix: "key/").first?.name)
        let enabled = try #require(store.record(name)?.value)
        try await admin.disable(KeyIdentifier(key))
        let disabled = try #require(store.record(name)?.value)
        var bytes = disabled
        let range = try #require(bytes.firstRange(of: Array(#""isEnabled":false"#.utf8)))
        bytes.replaceSubrange(range, with: Array(#""isEnabled":true"#.utf8))
        let alias = try #require(store.records(prefix: "alias/").first)
        let attacks: [[RecordWrite]] = [
            [.put(name, bytes, expecting: .anything)], [.put(name, enabled, expecting: .anything)],
            [.delete(alias.name, expecting: .anything)],
            [.put("alias/111122223333/other", alias.value, expecting: .anything)],
            [.delete("audit-registry", expecting: .anything)], [.delete("root", expecting: .anything)],
            [.delete("state-head", expecting: .anything)],
        ]
        for attack in attacks {
            let copy = MemoryRecordStore()
            for record in try store.records(prefix: "") {
                // Versions are authenticated: a copy must have them too.
                for _ in 1..<record.version { try copy.commit([.put(record.name, [], expecting: .anything)]) }
                try copy.commit([.put(record.name, record.value, expecting: .anything)])
            }
            _ = try await KeyManagementService(store: copy, rootOfTrust: testRoot(), clock: clock)
            try copy.commit(attack)
            await #expect(throws: KeyManagementError(.tampered), "\(attack)") {
                _ = try await KeyManagementService(store: copy, rootOfTrust: testRoot(), clock: clock)
            }
        }
    }

    /// A sink that takes a number of events and then fails.
    private final class CountingSink: AuditSink {
        let names = Mutex<[String]>([])
        let limit: Int
        init(limit: Int = .max) { self.limit = limit }

        /// The error of a real sink: a file where none can be.
        static var failure: AuditError {
            do throws(AuditError) { _ = try JSONLinesAuditFile(path: "/nowhere/a") } catch { return error }
            preconditionFailure("a file was opened in a folder that is not there")
        }

        func record(_ event: AuditEvent) async throws(AuditError) {
            let isTaken = names.withLock { names in
                guard names.count < limit else { return false }
                names.append(event.name)
                return true
            }
            guard isTaken else { throw CountingSink.failure }
        }
    }

    @Test func `other sinks get every event, and one that fails withholds the answer`() async throws {
        let sink = CountingSink()
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), copyingEventsTo: [sink])
        let client = service.client(for: .root(account: "111122223333"))
        let key = try await client.createKey(.symmetric)
        _ = try await client.encrypt([1], under: key)
        #expect(sink.names.withLock { $0 } == ["CreateKey", "Encrypt"])
        let failing = CountingSink(limit: 1)
        let other = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), copyingEventsTo: [failing])
        let second = other.client(for: .root(account: "111122223333"))
        let made = try await second.createKey(.symmetric)
        await #expect(throws: KeyManagementError(.auditFailure)) { _ = try await second.encrypt([1], under: made) }
    }
}
