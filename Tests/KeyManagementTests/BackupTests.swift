import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// Keys that go from one instance to another.
@Suite struct BackupTests {
    let clock = MovableClock()
    let store = MemoryRecordStore()
    static let account = "111122223333"

    private func service(_ byte: UInt8, _ store: MemoryRecordStore = MemoryRecordStore()) async throws
        -> KeyManagementService
    {
        try await KeyManagementService(store: store, rootOfTrust: testRoot(byte), clock: clock)
    }

    private func client(_ service: KeyManagementService, account: String = account) -> KeyManagementClient {
        service.client(for: .user("operator", account: account))
    }

    @Test func `a key goes to another instance, and opens there what it has sealed here`() async throws {
        let (source, target) = (try await service(1, store), try await service(2))
        let (here, there) = (client(source), client(target, account: "444455556666"))
        let key = try await here.createKey(
            .symmetric, description: "orders", tags: ["team": "sales"], allowingBackup: true)
        let id = KeyIdentifier(key)
        let first = try await here.encrypt([1], under: key, context: ["a": "b"])
        try await here.rotate(id)
        let second = try await here.encrypt([2], under: key)
        try await here.enableRotation(of: id, everyDays: 100)
        #expect(try await here.describe(id).mayBeBackedUp)
        let parameters = try await there.restoreParameters()
        let backup = try await here.backUp(id, for: parameters.publicKey)
        let same = try await there.restore(
            KeyBackup(backup.bytes), parameters.token, as: Encryption.self, alias: "alias/orders")
        let (before, after) = (try await here.describe(id), try await there.describe("alias/orders"))
        #expect(after.id == before.id && after.materials == before.materials && after.description == "orders")
        #expect(same.arn.account == "444455556666" && after.mayBeBackedUp)
        #expect(try await there.tags(of: KeyIdentifier(same)) == ["team": "sales"])
        #expect(try await there.rotationSchedule(of: KeyIdentifier(same))?.periodInDays == 100)
        #expect(try await there.decrypt(first, context: ["a": "b"]).revealed == [1])
        #expect(try await there.decrypt(second).revealed == [2])
        let third = try await there.encrypt([3], under: same)
        #expect(try await here.decrypt(third).revealed == [3])
        // Each side has it in its trail, by the same digest; and the material in neither.
        for (service, event) in [(source, "BackUpKey"), (target, "RestoreKey")] {
            let events = try await service.auditEvents()
            #expect(events.contains { $0.contains(event) && $0.contains(backup.digest) })
        }
        // It is there once.
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        }
        let other = client(target)
        let elsewhere = try await other.restoreParameters()
        let again = try await here.backUp(id, for: elsewhere.publicKey)
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            _ = try await other.restore(again, elsewhere.token, as: Encryption.self)
        }
    }

    @Test func `keys of all kinds go, with what was trimmed and without`() async throws {
        let (here, there) = (client(try await service(1, store)), client(try await service(2)))
        let parameters = try await there.restoreParameters()
        let signing = try await here.createKey(.ecdsa(.p256), allowingBackup: true)
        let signature = try await here.sign([1, 2], with: signing, using: .ecdsaSHA256)
        let sent = try await here.backUp(KeyIdentifier(signing), for: parameters.publicKey)
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await there.restore(sent, parameters.token, as: Agreement.self)
        }
        let signer = try await there.restore(sent, parameters.token, as: Signing.self)
        try await there.verify(signature, for: [1, 2], with: signer, using: .ecdsaSHA256)
        let mac = try await here.createKey(.hmac(.sha384), allowingBackup: true)
        let code = try await here.generateMAC(for: [5], with: mac)
        let macBackup = try await here.backUp(KeyIdentifier(mac), for: parameters.publicKey)
        let restored = try await there.restore(macBackup, parameters.token, as: Authentication.self)
        try await there.verifyMAC(code, for: [5], with: restored)
        // Old material that was destroyed stays so.
        let key = try await here.createKey(.symmetric, allowingBackup: true)
        let id = KeyIdentifier(key)
        let old = try await here.encrypt([1], under: key)
        try await here.rotate(id)
        let kept = try #require(try await here.describe(id).materials.last)
        let new = try await here.encrypt([2], under: key)
        try await here.retireMaterial(of: id, before: kept)
        #expect(try await here.trimRetiredMaterial(of: id) == 1)
        let backup = try await here.backUp(id, for: parameters.publicKey)
        _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        #expect(try await there.decrypt(new).revealed == [2])
        await #expect(throws: (any Error).self) { _ = try await there.decrypt(old) }
    }

    @Test func `nothing goes that was not made for it, and to nobody who may not`() async throws {
        let (here, there) = (client(try await service(1, store)), client(try await service(2)))
        let parameters = try await there.restoreParameters()
        let key = try await here.createKey(.symmetric)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await here.backUp(KeyIdentifier(key), for: parameters.publicKey)
        }
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await here.createKey(.symmetric, multiRegion: true, allowingBackup: true)
        }
        let open = try await here.createKey(.symmetric, allowingBackup: true)
        let small = try RSA.PrivateKey(bits: 2048).subjectPublicKeyInfo
        for wrong in [[], small, try ECDSA.PrivateKey(.p256).subjectPublicKeyInfo] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await here.backUp(KeyIdentifier(open), for: wrong)
            }
        }
        let policy = try PolicyDocument(
            #"""
            {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
                            "Resource": "*"},
                           {"Effect": "Deny", "Principal": "*", "Action": "kms:BackUpKey", "Resource": "*"}]}
            """#)
        let denied = try await here.createKey(.symmetric, policy: policy, allowingBackup: true)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await here.backUp(KeyIdentifier(denied), for: parameters.publicKey)
        }
        try await here.scheduleDeletion(KeyIdentifier(open), afterDays: 7)
        await #expect(throws: KeyManagementError(.invalidState)) {
            _ = try await here.backUp(KeyIdentifier(open), for: parameters.publicKey)
        }
    }

    @Test func `what was changed on the way, and any other token, is refused and changes nothing`() async throws {
        let (here, target) = (client(try await service(1, store)), try await service(2))
        let there = client(target)
        let parameters = try await there.restoreParameters()
        let key = try await here.createKey(.symmetric, description: "d", allowingBackup: true)
        let backup = try await here.backUp(KeyIdentifier(key), for: parameters.publicKey)
        for index in stride(from: 0, to: backup.bytes.count, by: 3) {
            var damaged = backup.bytes
            damaged[index] ^= UInt8(1 << (index % 8))
            await #expect(throws: KeyManagementError(.invalidCiphertext), "byte \(index)") {
                _ = try await there.restore(KeyBackup(damaged), parameters.token, as: Encryption.self)
            }
            await #expect(throws: KeyManagementError(.invalidCiphertext), "cut at \(index)") {
                let part = Array(backup.bytes.prefix(index))
                _ = try await there.restore(KeyBackup(part), parameters.token, as: Encryption.self)
            }
        }
        let other = try await there.restoreParameters()
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await there.restore(backup, other.token, as: Encryption.self)
        }
        var token = parameters.token.bytes
        token[20] ^= 1
        for wrong in [RestoreToken(token), RestoreToken([]), RestoreToken(Array(token.prefix(13)))] {
            await #expect(throws: KeyManagementError(.invalidImportToken)) {
                _ = try await there.restore(backup, wrong, as: Encryption.self)
            }
        }
        let stranger = client(target, account: "444455556666")
        await #expect(throws: KeyManagementError(.invalidImportToken)) {
            _ = try await stranger.restore(backup, parameters.token, as: Encryption.self)
        }
        clock.advance(days: 1.01)
        await #expect(throws: KeyManagementError(.expiredImportToken)) {
            _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        }
        #expect(try await there.listKeys().isEmpty)
    }

    @Test func `a backup that somebody has made up says nothing that is believed`() async throws {
        let target = try await service(2)
        let there = client(target)
        let parameters = try await there.restoreParameters()
        let recipient = try RSA.PublicKey(subjectPublicKeyInfo: parameters.publicKey)
        let id = "11111111-2222-3333-4444-555555555555"
        let secret = [UInt8](repeating: 1, count: 32)
        let material = try KeyRecord.materialID(of: SecretBytes(copying: secret), key: id).text
        func attempt(_ changes: [String: Any], material bytes: [UInt8]? = nil) async throws {
            var head: [String: Any] = [
                "id": id, "usage": "ENCRYPT_DECRYPT", "specification": "SYMMETRIC_DEFAULT", "description": "",
                "materials": [["id": material, "created": 1.0, "isDestroyed": false]],
            ]
            head.merge(changes) { $1 }
            let decoded = try JSONDecoder().decode(
                BackupHead.self, from: JSONSerialization.data(withJSONObject: head))
            let backup = try KeyBackup(decoded, for: recipient) { _ in SecretBytes(copying: bytes ?? secret) }
            _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        }
        let destroyed: [String: Any] = ["id": material, "created": 1.0, "isDestroyed": true]
        let wrong: [[String: Any]] = [
            ["id": "../escape"], ["id": id.uppercased() + "A"], ["materials": []], ["materials": [destroyed]],
            ["materials": [["id": "short", "created": 1.0, "isDestroyed": false]]],
            ["materials": [["id": material, "created": -1.0, "isDestroyed": false]]],
            ["oldest": 1], ["oldest": -1], ["rotationPeriod": 1], ["notBefore": 2.0, "notAfter": 1.0],
        ]
        for changes in wrong {
            await #expect(throws: KeyManagementError(.invalidCiphertext), "\(changes)") { try await attempt(changes) }
        }
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) { try await attempt([:], material: [1]) }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) { try await attempt(["specification": "RSA_1"]) }
        // The sign of kelvin is a K to Swift, and to no policy.
        #expect("\u{212A}" == "K" && KeySpecification<Signing>("ECC_SECG_P256K1") != nil)
        #expect(KeySpecification<Signing>("ECC_SECG_P256\u{212A}1") == nil)
        // Another's material has its name from what only the other has; a name without material claims nothing.
        let victim = client(target, account: "444455556666")
        let theirs = try await victim.createKey(.symmetric)
        let sealed = try await victim.encrypt([1], under: theirs)
        let name = try await victim.describe(KeyIdentifier(theirs)).materials[0]
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            try await attempt(["materials": [["id": name, "created": 1.0, "isDestroyed": false]]])
        }
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
            let free = String(repeating: "ab", count: 32)
            try await attempt(["materials": [["id": free, "created": 1.0, "isDestroyed": false]]])
        }
        await #expect(throws: KeyManagementError(.validation)) {
            try await attempt(["description": String(repeating: "x", count: 9000)])
        }
        #expect(try await there.listKeys().isEmpty)
        // A date to come does not keep the deletions of others waiting.
        try await attempt([
            "oldest": 1,
            "materials": [
                ["id": name, "created": 1.0, "isDestroyed": true],
                ["id": material, "created": 4e9, "isDestroyed": false],
            ],
        ])
        try await there.disable(KeyIdentifier(id))
        try await there.enable(KeyIdentifier(id))
        #expect(try await victim.decrypt(sealed).revealed == [1])
        let doomed = try await there.createKey(.symmetric)
        try await there.scheduleDeletion(KeyIdentifier(doomed), afterDays: 7)
        clock.advance(days: 8)
        #expect(await target.maintain().deleted == 1)
    }

    @Test func `a copy in another account takes nothing from the original`() async throws {
        let target = try await service(2)
        let (one, two) = (client(target), client(target, account: "444455556666"))
        let key = try await one.createKey(.symmetric, allowingBackup: true)
        let id = KeyIdentifier(key)
        let sealed = try await one.encrypt([1], under: key)
        let parameters = try await two.restoreParameters()
        let backup = try await one.backUp(id, for: parameters.publicKey)
        // Not even of material that the original opens no more.
        try await one.rotate(id)
        try await one.retireMaterial(of: id, before: one.describe(id).materials[1])
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            _ = try await two.restore(backup, parameters.token, as: Encryption.self)
        }
        try await one.retireMaterial(of: id, before: one.describe(id).materials[0])
        #expect(try await one.decrypt(sealed).revealed == [1])
    }

    @Test func `what is restored under a limit is one request, and what is refused is recorded`() async throws {
        let here = client(try await service(1, store))
        let target = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(2), quotas: Quotas(otherRequestsPerSecond: 1),
            clock: clock)
        let there = client(target)
        let parameters = try await there.restoreParameters()
        let key = try await here.createKey(.symmetric, allowingBackup: true)
        let backup = try await here.backUp(KeyIdentifier(key), for: parameters.publicKey)
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await there.restore(backup, parameters.token, as: Signing.self)
        }
        await #expect(throws: KeyManagementError(.throttled)) {
            _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        }
        clock.advance(days: 0.5)
        _ = try await there.restore(backup, parameters.token, as: Encryption.self)
        let events = try await target.auditEvents().filter { $0.contains(#""eventName":"RestoreKey""#) }
        #expect(events.count == 3)
        #expect(events[0].contains("InvalidKeyUsage") && events[1].contains("Throttling"))
        #expect(!events[2].contains("errorCode"))
    }
}
