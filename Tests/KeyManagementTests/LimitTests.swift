import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// When keys may be used, and whether they may be deleted; keys that are known beforehand.
@Suite struct LimitTests {
    let clock = MovableClock()
    let service: KeyManagementService

    init() async throws {
        service = try await KeyManagementService(store: MemoryRecordStore(), rootOfTrust: testRoot(), clock: clock)
    }

    var client: KeyManagementClient { service.client(for: .user("admin", account: "111122223333")) }

    @Test func `a key protects new things in its time only, and opens old ones at any time`() async throws {
        let key = try await client.createKey(.symmetric)
        let signer = try await client.createKey(.ecdsa(.p256))
        let code = try await client.createKey(.hmac(.sha256))
        let pair = try await client.createKey(.rsaOAEP(.bits2048))
        let sealed = try await client.encrypt([1], under: key)
        let signature = try await client.sign([1], with: signer, using: .ecdsaSHA256)
        let tag = try await client.generateMAC(for: [1], with: code)
        let wrapped = try await client.encrypt([1], under: pair, using: .rsaOAEPSHA256)
        let start = clock.now.addingTimeInterval(86400)
        let all = [KeyIdentifier(key), KeyIdentifier(signer), KeyIdentifier(code), KeyIdentifier(pair)]
        for id in all { try await client.limitUse(of: id, from: start, until: start.addingTimeInterval(86400)) }
        #expect(try await client.describe(all[0]).notBefore == start)
        func check(mayProtect: Bool) async throws {
            for attempt in [
                { _ = try await client.encrypt([1], under: key) },
                { _ = try await client.encrypt(batch: [[1]], under: key) },
                { _ = try await client.generateDataKey(under: key) },
                { _ = try await client.generateDataKeyPair(.ed25519, under: key) },
                { _ = try await client.reEncrypt(sealed, under: key) },
                { _ = try await client.sign([1], with: signer, using: .ecdsaSHA256) },
                { _ = try await client.generateMAC(for: [1], with: code) },
                { _ = try await client.encrypt([1], under: pair, using: .rsaOAEPSHA256) },
            ] as [() async throws -> Void] {
                if mayProtect {
                    try await attempt()
                } else {
                    await #expect(throws: KeyManagementError(.invalidState)) { try await attempt() }
                }
            }
            #expect(try await client.decrypt(sealed).revealed == [1])
            try await client.verify(signature, for: [1], with: signer, using: .ecdsaSHA256)
            try await client.verifyMAC(tag, for: [1], with: code)
            #expect(try await client.decrypt(wrapped, with: pair, using: .rsaOAEPSHA256).revealed == [1])
        }
        try await check(mayProtect: false)
        clock.advance(days: 1)
        try await check(mayProtect: true)
        clock.advance(days: 1)
        try await check(mayProtect: false)
        for id in all { try await client.limitUse(of: id) }
        try await check(mayProtect: true)
        await #expect(throws: KeyManagementError(.validation)) {
            try await client.limitUse(of: all[0], from: start, until: start)
        }
    }

    @Test func `a protected key is not deleted before the protection ends`() async throws {
        let id = KeyIdentifier(try await client.createKey(.symmetric))
        try await client.protectFromDeletion(id)
        #expect(try await client.describe(id).isProtectedFromDeletion)
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.scheduleDeletion(id) }
        #expect(try await client.describe(id).state == .enabled)
        // Nor does its material go without a waiting period.
        let kept = try await client.encrypt([1], under: NamedKey<Encryption>(id))
        try await client.rotate(id)
        try await client.retireMaterial(of: id, before: client.describe(id).materials[1])
        await #expect(throws: KeyManagementError(.invalidState)) { try await client.trimRetiredMaterial(of: id) }
        try await client.retireMaterial(of: id, before: client.describe(id).materials[0])
        #expect(try await client.decrypt(kept).revealed == [1])
        let imported = KeyIdentifier(try await client.createKeyForImport(.symmetric))
        let parameters = try await client.importParameters(for: imported)
        try await client.importKeyMaterial(
            parameters.wrap(.random(count: 32)), parameters.token, into: imported, expiring: .never)
        try await client.protectFromDeletion(imported)
        await #expect(throws: KeyManagementError(.invalidState)) {
            let again = try await client.importParameters(for: imported)
            try await client.importKeyMaterial(
                again.wrap(.random(count: 32)), again.token, into: imported,
                expiring: .at(clock.now.addingTimeInterval(10)), isNew: true)
        }
        await #expect(throws: KeyManagementError(.invalidState)) {
            try await client.deleteImportedKeyMaterial(of: imported)
        }
        try await client.endProtectionFromDeletion(id)
        _ = try await client.scheduleDeletion(id)
    }

    @Test func `limits are recorded, and are not for keys that open and protect alike`() async throws {
        let id = KeyIdentifier(try await client.createKey(.symmetric))
        try await client.limitUse(of: id, until: Date(timeIntervalSince1970: 1_900_000_000))
        let events = try await service.auditEvents()
        #expect(
            events.contains { $0.contains("UpdateKeyValidity") && $0.contains(#""notAfter":"1900000000.0""#) })
        let derivation = KeyIdentifier(try await client.createKey(.hkdfSHA256))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await client.limitUse(of: derivation, until: .distantFuture)
        }
        _ = try await client.deriveKey(from: NamedKey<Derivation>(derivation), context: ["a": "b"])
        #expect(try await client.usage(of: derivation).last?.operation == "DeriveKey")
    }

    @Test func `seeds are the same keys in every store`() async throws {
        let material = Data([UInt8](repeating: 7, count: 32)).base64EncodedString()
        let newer = Data([UInt8](repeating: 8, count: 32)).base64EncodedString()
        let pair = Data(try ECDSA.PrivateKey(.p256).pkcs8().revealed).base64EncodedString()
        let seeds = try KeySeeds(
            Array(
                #"""
                {"keys": [{"account": "111122223333", "id": "seeded", "alias": "alias/seeded", "material": ["\#(material)", "\#(newer)"]},
                 {"account": "111122223333", "id": "signer", "specification": "ECC_NIST_P256", "usage": "SIGN_VERIFY",
                  "material": ["\#(pair)"]}]}
                """#.utf8))
        try await service.plant(seeds)
        try await service.plant(seeds)
        let handle = NamedKey<Encryption>("alias/seeded")
        let sealed = try await client.encrypt([1, 2], under: handle)
        let another = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)))
        try await another.plant(seeds)
        let there = another.client(for: .user("admin", account: "111122223333"))
        #expect(try await there.decrypt(sealed).revealed == [1, 2])
        #expect(try await there.describe(KeyIdentifier("seeded")).materials.count == 2)
        let signature = try await client.sign([1], with: NamedKey(KeyIdentifier("signer")), using: .ecdsaSHA256)
        try await there.verify(signature, for: [1], with: NamedKey(KeyIdentifier("signer")), using: .ecdsaSHA256)
        #expect(try await client.listKeys().count == 2)
        for text in [
            "{}", #"{"keys": [{"account": "1", "id": "a", "material": []}]}"#,
            #"{"keys": [{"account": "111122223333", "id": "a/b", "material": ["AA=="]}]}"#,
            #"{"keys": [{"account": "111122223333", "id": "b", "material": []}]}"#,
            #"{"keys": [{"account": "111122223333", "id": "c", "specification": "NONE", "material": ["AA=="]}]}"#,
        ] {
            await #expect(throws: KeyManagementError(.validation), "\(text)") {
                try await service.plant(KeySeeds(Array(text.utf8)))
            }
        }
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
            try await service.plant(
                KeySeeds(Array(#"{"keys": [{"account": "111122223333", "id": "d", "material": ["AA=="]}]}"#.utf8)))
        }
    }
}
