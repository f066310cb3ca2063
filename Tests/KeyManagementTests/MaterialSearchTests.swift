import Foundation
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// A key service is no store of secrets: whatever is called, in whatever order, nobody gets a key's material from it.
@Suite struct MaterialSearchTests {
    static let seed = UInt64(ProcessInfo.processInfo.environment["PROPERTY_SEED"] ?? "") ?? .random(in: 0...UInt64.max)

    @Test func `no sequence of operations gives away a key's material`() async throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        let service = try await KeyManagementService(store: MemoryRecordStore(), rootOfTrust: testRoot())
        let elsewhere = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), region: "eu-west-1")
        try KeyManagementService.connect([service, elsewhere])
        let client = service.client(for: .root(account: "111122223333"))
        let symmetric = [
            try await client.createKey(.symmetric), try await client.createKey(.symmetric, multiRegion: true),
        ]
        let (signer, code) = (try await client.createKey(.ecdsa(.p256)), try await client.createKey(.hmac(.sha256)))
        let (pair, agreement) = (
            try await client.createKey(.rsaOAEP(.bits2048)), try await client.createKey(.ecdh(.p256))
        )
        let (lookup, derivation) = (try await client.createKey(.aesSIV), try await client.createKey(.hkdfSHA256))
        let imported = try await client.createKeyForImport(.symmetric)
        let all = [
            KeyIdentifier(symmetric[0]), KeyIdentifier(symmetric[1]), KeyIdentifier(signer), KeyIdentifier(code),
            KeyIdentifier(pair), KeyIdentifier(agreement), KeyIdentifier(lookup), KeyIdentifier(derivation),
            KeyIdentifier(imported),
        ]
        let peer = try ECDH.PrivateKey(.p256).publicKey.subjectPublicKeyInfo
        let operations: [(KeyIdentifier, [UInt8]) async throws -> [UInt8]] = [
            { id, input in try await client.encrypt(input, under: NamedKey<Encryption>(id)).bytes },
            { id, input in try await client.decrypt(Ciphertext(input)).revealed },
            { id, _ in
                let key = try await client.generateDataKey(under: NamedKey<Encryption>(id))
                return key.plaintext.revealed + key.ciphertext.bytes
            },
            { id, _ in
                let made = try await client.generateDataKeyPair(.ed25519, under: NamedKey<Encryption>(id))
                return made.privateKey.revealed + made.publicKey + made.ciphertext.bytes
            },
            { id, input in try await client.reEncrypt(Ciphertext(input), under: NamedKey<Encryption>(id)).bytes },
            { id, input in try await client.sign(input, with: NamedKey(id), using: .ecdsaSHA256) },
            { id, input in try await client.generateMAC(for: input, with: NamedKey(id)) },
            { id, _ in try await client.deriveSharedSecret(with: NamedKey(id), peer: peer).revealed },
            { id, input in
                try await client.encryptDeterministically(input, under: NamedKey<DeterministicEncryption>(id)).bytes
            },
            { id, input in try await client.deriveKey(from: NamedKey(id), context: ["a": "\(input.count % 3)"]).revealed
            },
            { id, input in try await client.decrypt(input, with: NamedKey(id), using: .rsaOAEPSHA256).revealed },
            { id, _ in try await client.publicKey(of: id).subjectPublicKeyInfo },
            { id, _ in Array("\(try await client.describe(id))".utf8) },
            { id, _ in try await client.rotations(of: id).flatMap { Array("\($0)".utf8) } },
            { id, _ in
                try await client.rotate(id)
                return []
            },
            { id, _ in Array(try await client.policy(of: id).text.utf8) },
            { id, _ in
                let made = try await client.importParameters(for: id, keySize: .bits2048)
                return made.wrappingKey + made.token.bytes
            },
            { id, input in
                let made = try await client.importParameters(for: id, keySize: .bits2048)
                let secret = SecretBytes(copying: Array((input + [UInt8](repeating: 9, count: 32)).prefix(32)))
                return Array(
                    try await client.importKeyMaterial(made.wrap(secret), made.token, into: id, expiring: .never).utf8)
            },
            { id, _ in
                _ = try await client.replicateKey(id, to: "eu-west-1")
                return Array("\(try await elsewhere.client(for: .root(account: "111122223333")).describe(id))".utf8)
            },
            { id, _ in
                let made = try await client.createGrant(
                    on: id, to: .role("r", account: "111122223333"), allowing: [.decrypt])
                return Array("\(made.grant) \(made.token)".utf8)
            },
            { _, _ in try await client.generateRandom(byteCount: 32).revealed },
        ]
        var outputs: [[UInt8]] = [[1], [UInt8](repeating: 3, count: 32)]
        var (done, refused) = (0, 0)
        for _ in 0..<1500 {
            let operation = operations.randomElement(using: &random) ?? operations[0]
            let id = all.randomElement(using: &random) ?? all[0]
            // What one operation has given goes into another.
            let input = Array((outputs.randomElement(using: &random) ?? []).prefix(4000))
            do {
                outputs.append(try await operation(id, input))
                done += 1
            } catch let error as KeyManagementError {
                outputs.append(Array(error.message.utf8))
                refused += 1
            }
        }
        outputs += try await service.auditEvents().map { Array($0.utf8) }
        print("\(done) operations done, \(refused) refused")
        #expect(done > 300 && refused > 100)
        let state = try service.refreshedState()
        var searched = 0
        for key in state.keys.values where key.record.origin == nil {
            for index in key.record.materials.indices {
                let material = try key.record.material(index, domains: state.domains).revealed
                // Anything of it: the core of an encoded key, not what all keys of a kind have.
                let isRSA = key.record.specification.hasPrefix("RSA")
                let core =
                    material.count == 32 ? material : Array(isRSA ? material.suffix(32) : material[36..<68])
                let texts = [core, Array(Data(core).base64EncodedString().utf8), Array(Hexadecimal.encode(core).utf8)]
                for output in outputs where output.count >= core.count {
                    for text in texts { #expect(!output.contains(text), "material of \(key.record.specification)") }
                }
                searched += 1
            }
        }
        #expect(searched >= 8)
    }
}
