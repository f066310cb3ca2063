import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// Many at once, and the end of old material.
@Suite struct BatchTests {
    let service: KeyManagementService
    let client: KeyManagementClient
    let store = MemoryRecordStore()

    init() async throws {
        service = try await KeyManagementService(store: store, rootOfTrust: testRoot(), clock: MovableClock())
        client = service.client(for: .user("alice", account: "111122223333"))
    }

    @Test func `a batch is as many single ones, decided and recorded once`() async throws {
        let (key, other) = (try await client.createKey(.symmetric), try await client.createKey(.symmetric))
        let messages = (0..<50).map { [UInt8](repeating: UInt8($0), count: $0 + 1) }
        let sealed = try await client.encrypt(batch: messages, under: key, context: ["a": "b"])
        try await client.rotate(KeyIdentifier(key))
        let newer = try await client.encrypt(batch: messages, under: key, context: ["a": "b"])
        let foreign = try await client.encrypt([1], under: other, context: ["a": "b"])
        var opened: [[UInt8]?] = []
        let before = try await service.auditEvents().count
        try await client.decrypt(
            batch: sealed + [foreign] + newer, under: key, context: ["a": "b"]
        ) { place, secret in
            #expect(place == opened.count)
            switch secret {
            case .some(let secret): opened.append(secret.revealed)
            case .none: opened.append(nil)
            }
        }
        #expect(opened == messages + [nil] + messages)
        let events = try await service.auditEvents()
        #expect(events.count == before + 1 && events.last?.contains(#""itemCount":101"#) == true)
        #expect(try await client.decrypt(sealed[7], context: ["a": "b"]).revealed == messages[7])
        await #expect(throws: KeyManagementError(.dryRun)) {
            try await client.trying.decrypt(batch: sealed, under: key) { _, _ in Issue.record("released") }
        }
        var failures = 0
        try await client.decrypt(batch: sealed, under: key) { _, secret in if secret == nil { failures += 1 } }
        #expect(failures == 50)
        let signing = try await client.createKey(.ed25519)
        let signatures = try await client.sign(batch: messages, with: signing, using: .ed25519)
        var items = Array(zip(signatures, messages)).map { (signature: $0, message: $1) }
        items[3].message = [9]
        let verdicts = try await client.verify(batch: items, with: signing, using: .ed25519)
        #expect(verdicts == (0..<50).map { $0 != 3 })
        for wrong in [[], [[UInt8]](repeating: [1], count: 1001), [[]], [[UInt8](repeating: 0, count: 4097)]] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.encrypt(batch: wrong, under: key)
            }
        }
        try await client.disable(KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.disabled)) { _ = try await client.encrypt(batch: [[1]], under: key) }
    }

    @Test func `old material is left behind by rewrapping, retired, and trimmed`() async throws {
        let key = try await client.createKey(.symmetric)
        let id = KeyIdentifier(key)
        let oldest = try await client.encrypt([1], under: key, context: ["a": "b"])
        try await client.rotate(id)
        let older = try await client.encrypt([2], under: key)
        try await client.rotate(id)
        let moved = try await client.rewrap(oldest, context: ["a": "b"])
        #expect(moved != oldest)
        #expect(try await client.rewrap(moved, context: ["a": "b"]) == moved)
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await client.rewrap(oldest) }
        let materials = try await client.rotations(of: id).map(\.material)
        try await client.retireMaterial(of: id, before: materials[1])
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await client.decrypt(oldest, context: ["a": "b"])
        }
        #expect(try await client.decrypt(older).revealed == [2])
        #expect(try await client.rotations(of: id).map(\.state) == [.retired, .nonCurrent, .current])
        // Retiring can be called back, until it is trimmed.
        try await client.retireMaterial(of: id, before: materials[0])
        #expect(try await client.decrypt(oldest, context: ["a": "b"]).revealed == [1])
        try await client.retireMaterial(of: id, before: materials[1])
        #expect(try await client.trimRetiredMaterial(of: id) == 1)
        #expect(try await client.trimRetiredMaterial(of: id) == 0)
        await #expect(throws: KeyManagementError(.invalidState)) {
            try await client.retireMaterial(of: id, before: materials[0])
        }
        await #expect(throws: KeyManagementError(.notFound)) { try await client.retireMaterial(of: id, before: "none") }
        #expect(try await client.decrypt(moved, context: ["a": "b"]).revealed == [1])
        // Domain keys rotate, and the store opens, without what was destroyed.
        try await service.rotateDomainKey(unlockedBy: testRoot())
        let again = try await KeyManagementService(store: store, rootOfTrust: testRoot())
        #expect(try await again.client(for: client.principal).decrypt(older).revealed == [2])
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            let signing = try await client.createKey(.ed25519)
            try await client.retireMaterial(
                of: KeyIdentifier(signing), before: client.rotations(of: KeyIdentifier(signing))[0].material)
        }
    }

    @Test func `a rotation by another process is seen, and batches count as many`() async throws {
        let quotas = Quotas(cryptographicRequestsPerSecond: 100)
        let clock = MovableClock()
        let here = try await KeyManagementService(store: store, rootOfTrust: testRoot(), quotas: quotas, clock: clock)
            .client(for: client.principal)
        let key = try await here.createKey(.symmetric)
        let old = try await here.encrypt([1], under: key)
        try await client.rotate(KeyIdentifier(key))
        let new = try await client.encrypt([2], under: key)
        var opened: [[UInt8]?] = []
        try await here.decrypt(batch: [old, new], under: key) { _, secret in
            switch secret {
            case .some(let secret): opened.append(secret.revealed)
            case .none: opened.append(nil)
            }
        }
        #expect(opened == [[1], [2]])
        try await client.rotate(KeyIdentifier(key))
        let newest = try await client.rotations(of: KeyIdentifier(key)).last?.material ?? ""
        let moved = try await here.rewrap(old)
        #expect(Hexadecimal.encode(Array(moved.bytes[3..<35])) == newest)
        let event = try await service.auditEvents().last { $0.contains(#""itemCount":2"#) }
        #expect(event?.contains("keyMaterialId") == true)
        _ = try await here.encrypt(batch: [[UInt8]](repeating: [1], count: 500), under: key)
        await #expect(throws: KeyManagementError(.throttled)) { _ = try await here.encrypt([1], under: key) }
        clock.advance(days: 3.0 / 86400)
        await #expect(throws: KeyManagementError(.throttled)) { _ = try await here.encrypt([1], under: key) }
        clock.advance(days: 3.0 / 86400)
        _ = try await here.encrypt([1], under: key)
    }
}
