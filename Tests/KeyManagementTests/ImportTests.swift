import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct ImportTests {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    func client() async throws -> KeyManagementClient {
        try await KeyManagementService(store: store, rootOfTrust: testRoot(), clock: clock)
            .client(for: .user("alice", account: "111122223333"))
    }

    func secret(_ byte: UInt8, count: Int = 32) -> SecretBytes {
        SecretBytes(copying: [UInt8](repeating: byte, count: count))
    }

    @discardableResult
    func bring(
        _ material: borrowing SecretBytes, to key: KeyIdentifier, _ client: KeyManagementClient,
        wrapping: ImportWrapping = .rsaOAEPSHA256, expiring: MaterialExpiry = .never, isNew: Bool? = nil,
        description: String? = nil
    ) async throws -> String {
        let parameters = try await client.importParameters(for: key, wrapping: wrapping, keySize: .bits2048)
        return try await client.importKeyMaterial(
            parameters.wrap(material), parameters.token, into: key, expiring: expiring, isNew: isNew,
            description: description)
    }

    @Test func `material comes, goes and comes back, and is always the same`() async throws {
        let client = try await client()
        let key = try await client.createKeyForImport(.symmetric, alias: "alias/brought")
        let id = KeyIdentifier(key)
        #expect(try await client.describe(id).state == .pendingImport)
        #expect(try await client.describe(id).origin == "EXTERNAL")
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.encrypt([1], under: key) }
        await #expect(throws: KeyManagementError(.invalidState)) { try await client.disable(id) }
        let material = try await bring(secret(7), to: id, client)
        let sealed = try await client.encrypt([1, 2], under: key, context: ["a": "b"])
        #expect(try await client.deleteImportedKeyMaterial(of: id) == material)
        #expect(try await client.describe(id).state == .pendingImport)
        await #expect(throws: KeyManagementError(.invalidState)) {
            _ = try await client.decrypt(sealed, context: ["a": "b"])
        }
        #expect(try await client.deleteImportedKeyMaterial(of: id) == material)
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) { try await bring(secret(8), to: id, client) }
        #expect(try await bring(secret(7), to: id, client) == material)
        #expect(try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2])
        // A new process has what was imported.
        let restarted = try await self.client()
        #expect(try await restarted.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2])
        // The same material in another key is another material, to all who look.
        let other = try await client.createKeyForImport(.symmetric)
        #expect(try await bring(secret(7), to: KeyIdentifier(other), client) != material)
        for count in [0, 16, 31, 33] {
            let third = try await client.createKeyForImport(.symmetric)
            await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
                try await bring(secret(1, count: count), to: KeyIdentifier(third), client)
            }
        }
        // Keys that the service makes take none.
        let own = KeyIdentifier(try await client.createKey(.symmetric))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await client.importParameters(for: own)
        }
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await client.deleteImportedKeyMaterial(of: own)
        }
        await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await client.enableRotation(of: id) }
    }

    @Test func `material expires by the clock, and is taken away`() async throws {
        let client = try await client()
        let key = try await client.createKeyForImport(.symmetric)
        let id = KeyIdentifier(key)
        for days in [-1.0, 0, 366] {
            await #expect(throws: KeyManagementError(.validation)) {
                try await bring(secret(1), to: id, client, expiring: .at(clock.now + days * 86400))
            }
        }
        try await bring(secret(1), to: id, client, expiring: .at(clock.now + 10 * 86400))
        #expect(try await client.describe(id).validTo == clock.now + 10 * 86400)
        let sealed = try await client.encrypt([1], under: key)
        clock.advance(days: 11)
        #expect(try await client.describe(id).state == .pendingImport)
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.decrypt(sealed) }
        #expect(try await client.service.deleteExpiredKeyMaterial() == 1)
        #expect(try await client.service.deleteExpiredKeyMaterial() == 0)
        #expect(try await client.rotations(of: id).first?.imported?.isPresent == false)
        try await bring(secret(1), to: id, client, expiring: .never)
        #expect(try await client.decrypt(sealed).revealed == [1])
        let events = try await client.service.auditEvents()
        #expect(events.count { $0.contains(#""eventName":"DeleteExpiredKeyMaterial""#) } == 1)
    }

    @Test func `a symmetric key takes more material, and rotates to it when asked`() async throws {
        let client = try await client()
        let key = try await client.createKeyForImport(.symmetric)
        let id = KeyIdentifier(key)
        let first = try await bring(secret(1), to: id, client, description: "the first")
        let sealed = try await client.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.invalidState)) { try await client.rotate(id) }
        let second = try await bring(secret(2), to: id, client, isNew: true)
        await #expect(throws: KeyManagementError(.invalidState)) {
            try await bring(secret(3), to: id, client, isNew: true)
        }
        #expect(try await client.rotations(of: id).map(\.state) == [.current, .pendingRotation])
        #expect(try await client.describe(id).materials == [first])
        // What waits may be forgotten, and is then new again.
        try await client.deleteImportedKeyMaterial(of: id, material: second)
        #expect(try await client.describe(id).state == .enabled)
        try await bring(secret(3), to: id, client, isNew: true)
        try await client.rotate(id)
        let history = try await client.rotations(of: id)
        #expect(history.map(\.state) == [.nonCurrent, .current])
        #expect(history.map(\.kind) == [nil, .onDemand] && history[0].imported?.description == "the first")
        let newer = try await client.encrypt([2], under: key)
        #expect(try await client.decrypt(sealed).revealed == [1])
        // One material that is missing stops them all.
        try await client.deleteImportedKeyMaterial(of: id, material: first)
        for ciphertext in [sealed, newer] {
            await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.decrypt(ciphertext) }
        }
        #expect(try await bring(secret(1), to: id, client) == first)
        #expect(try await client.decrypt(newer).revealed == [2])
        // Domain keys rotate under it, missing material or not.
        try await client.deleteImportedKeyMaterial(of: id, material: first)
        try await client.service.rotateDomainKey(unlockedBy: testRoot())
        try await bring(secret(1), to: id, client)
        let restarted = try await self.client()
        #expect(try await restarted.decrypt(sealed).revealed == [1])
        await #expect(throws: KeyManagementError(.notFound)) {
            try await client.deleteImportedKeyMaterial(of: id, material: second)
        }
        // What was trimmed does not come back.
        try await client.retireMaterial(of: id, before: history[1].material)
        #expect(try await client.trimRetiredMaterial(of: id) == 1)
        await #expect(throws: KeyManagementError(.invalidState)) { try await bring(secret(1), to: id, client) }
        #expect(try await client.decrypt(newer).revealed == [2])
    }

    @Test func `key pairs and HMAC keys are imported in the wrappings that fit`() async throws {
        let client = try await client()
        let curve = try ECDSA.PrivateKey(.p256)
        let signing = try await client.createKeyForImport(.ecdsa(.p256))
        for wrapping in ImportWrapping.allCases {
            try await bring(curve.pkcs8(), to: KeyIdentifier(signing), client, wrapping: wrapping)
        }
        let signature = try await client.sign([1], with: signing, using: .ecdsaSHA256)
        let isValid = try curve.publicKey.isValid(
            signature.span, for: [UInt8](arrayLiteral: 1).span, using: .ecdsaSHA256)
        #expect(isValid)
        // Such a key keeps its material.
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
            try await bring(ECDSA.PrivateKey(.p256).pkcs8(), to: KeyIdentifier(signing), client)
        }
        let rsa = try RSA.PrivateKey(bits: 2048)
        let decrypting = try await client.createKeyForImport(.rsaOAEP(.bits2048))
        for wrapping in [ImportWrapping.rsaOAEPSHA1, .rsaOAEPSHA256] {
            await #expect(throws: KeyManagementError(.unsupportedOperation)) {
                _ = try await client.importParameters(for: KeyIdentifier(decrypting), wrapping: wrapping)
            }
        }
        try await bring(rsa.pkcs8(), to: KeyIdentifier(decrypting), client, wrapping: .rsaAESKeyWrapSHA256)
        let ours = try await client.encrypt([5], under: decrypting, using: .rsaOAEPSHA256)
        #expect(try rsa.decrypt(ours.span, using: .rsaOAEPSHA256).revealed == [5])
        let codes = try await client.createKeyForImport(.hmac(.sha384))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await bring(secret(9, count: 48), to: KeyIdentifier(codes), client, wrapping: .rsaAESKeyWrapSHA1)
        }
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
            try await bring(secret(9, count: 32), to: KeyIdentifier(codes), client)
        }
        try await bring(secret(9, count: 48), to: KeyIdentifier(codes), client)
        let code = try await client.generateMAC(for: [1], with: codes)
        #expect(try HMAC(.sha384, key: secret(9, count: 48)).authenticate([UInt8](arrayLiteral: 1).span).array == code)
        // Another kind of key, in the right wrapping.
        let edwards = try await client.createKeyForImport(.ed25519)
        await #expect(throws: KeyManagementError(.incorrectKeyMaterial)) {
            try await bring(curve.pkcs8(), to: KeyIdentifier(edwards), client)
        }
        let wide = try await client.createKeyForImport(.ecdsa(.p521))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await client.importParameters(for: KeyIdentifier(wide), keySize: .bits2048)
        }
    }

    @Test func `a token is for one key and one day, and any damage is refused`() async throws {
        let client = try await client()
        let (key, other) = (
            try await client.createKeyForImport(.symmetric), try await client.createKeyForImport(.symmetric)
        )
        let parameters = try await client.importParameters(for: KeyIdentifier(key), keySize: .bits2048)
        let wrapped = try parameters.wrap(secret(1))
        await #expect(throws: KeyManagementError(.invalidImportToken)) {
            try await client.importKeyMaterial(wrapped, parameters.token, into: KeyIdentifier(other), expiring: .never)
        }
        for position in stride(from: 0, to: parameters.token.bytes.count, by: 7) {
            var damaged = parameters.token.bytes
            damaged[position] ^= 1
            let cut = Array(parameters.token.bytes.prefix(position))
            for bytes in [damaged, cut] {
                await #expect(throws: KeyManagementError(.invalidImportToken)) {
                    try await client.importKeyMaterial(
                        wrapped, ImportToken(bytes), into: KeyIdentifier(key), expiring: .never)
                }
            }
        }
        for bytes in [Array(wrapped.dropLast()), [], wrapped + [1], [UInt8](repeating: 0, count: 256)] {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                try await client.importKeyMaterial(bytes, parameters.token, into: KeyIdentifier(key), expiring: .never)
            }
        }
        clock.advance(days: 1.1)
        await #expect(throws: KeyManagementError(.expiredImportToken)) {
            try await client.importKeyMaterial(wrapped, parameters.token, into: KeyIdentifier(key), expiring: .never)
        }
        // Nothing of it stands anywhere.
        #expect(try await client.service.auditEvents().allSatisfy { !$0.contains("Plaintext") })
        #expect(try await client.describe(KeyIdentifier(key)).state == .pendingImport)
    }
}
