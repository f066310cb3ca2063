import Cryptography
import KeyManagement
import StrongroomTestSupport
import Testing

/// Key pairs that decrypt, and keys whose algorithm the compiler knows.
@Suite struct AsymmetricEncryptionTests {
    let service: KeyManagementService
    let client: KeyManagementClient

    init() async throws {
        service = try await KeyManagementService(store: MemoryRecordStore(), rootOfTrust: testRoot())
        client = service.client(for: .user("alice", account: "111122223333"))
    }

    @Test(arguments: zip(RSAKeySize.allCases.prefix(2), [(190, 214), (318, 342)]))
    func `what the public key encrypts, the managed key decrypts`(
        _ size: RSAKeySize, _ limits: (sha256: Int, sha1: Int)
    ) async throws {
        let key = try await client.createKey(.rsaOAEP(size))
        let published = try await client.publicKey(of: KeyIdentifier(key))
        #expect(published.encryptionAlgorithms == [.rsaOAEPSHA256, .rsaOAEPSHA1])
        #expect(published.usage == "ENCRYPT_DECRYPT" && published.signatureAlgorithms.isEmpty)
        let outside = try RSA.PublicKey(subjectPublicKeyInfo: published.subjectPublicKeyInfo.span)
        for (algorithm, limit) in [(EncryptionAlgorithm.rsaOAEPSHA256, limits.sha256), (.rsaOAEPSHA1, limits.sha1)] {
            let message = [UInt8](repeating: 7, count: limit)
            let theirs = try outside.encrypt(SecretBytes(copying: message), using: algorithm)
            #expect(try await client.decrypt(theirs, with: key, using: algorithm).revealed == message)
            let ours = try await client.encrypt(message, under: key, using: algorithm)
            #expect(try await client.decrypt(ours, with: key, using: algorithm).revealed == message)
            for wrong in [[UInt8](), message + [7]] {
                await #expect(throws: KeyManagementError(.validation)) {
                    _ = try await client.encrypt(wrong, under: key, using: algorithm)
                }
            }
            var damaged = theirs
            damaged[damaged.count - 1] ^= 1
            for wrong in [damaged, Array(theirs.dropLast()), [], theirs + [0]] {
                await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                    _ = try await client.decrypt(wrong, with: key, using: algorithm)
                }
            }
        }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.encrypt([1], under: key, using: .rsaOAEPSHA512)
        }
        for refuse in [{ try await client.rotate(KeyIdentifier(key)) }] as [() async throws -> Void] {
            await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await refuse() }
        }
        // AWS has one usage for both kinds; the two purposes are kept apart.
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.key(KeyIdentifier(key), for: Encryption.self)
        }
        #expect(try await client.key(KeyIdentifier(key), for: AsymmetricEncryption.self) == key)
    }

    @Test func `SM2 keys decrypt too`() async throws {
        let key = try await client.createKey(.sm2 as KeySpecification<AsymmetricEncryption>)
        let published = try await client.publicKey(of: KeyIdentifier(key))
        #expect(published.encryptionAlgorithms == [.sm2PKE] && published.specification == "SM2")
        let outside = try SM2.PublicKey(subjectPublicKeyInfo: published.subjectPublicKeyInfo.span)
        let theirs = try outside.encrypt(SecretBytes(copying: [1, 2, 3]))
        #expect(try await client.decrypt(theirs, with: key, using: .sm2PKE).revealed == [1, 2, 3])
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.encrypt([1], under: key, using: .rsaOAEPSHA256)
        }
        for wrong in [[], [UInt8](repeating: 0, count: 1025)] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.encrypt(wrong, under: key, using: .sm2PKE)
            }
        }
    }

    @Test func `re-encryption goes from pair to symmetric and back`() async throws {
        let pair = try await client.createKey(.rsaOAEP(.bits2048))
        let key = try await client.createKey(.symmetric)
        let first = try await client.encrypt([1, 2, 3], under: pair, using: .rsaOAEPSHA256)
        let second = try await client.reEncrypt(
            first, with: pair, using: .rsaOAEPSHA256, under: key, newContext: ["a": "b"])
        #expect(try await client.decrypt(second, context: ["a": "b"]).revealed == [1, 2, 3])
        let third = try await client.reEncrypt(second, context: ["a": "b"], under: pair, using: .rsaOAEPSHA1)
        #expect(try await client.decrypt(third, with: pair, using: .rsaOAEPSHA1).revealed == [1, 2, 3])
    }

    @Test func `typed keys sign without being told how`() async throws {
        let key = try await client.createKey(Key<Signing>.ECDSA.P384.self, alias: "alias/typed")
        let signature = try await client.sign([1], with: key)
        try await client.verify(signature, for: [1], with: key)
        // It stands where any signing key does.
        try await client.verify(signature, for: [1], with: key, using: .ecdsaSHA384)
        #expect(try await client.key("alias/typed", as: Key<Signing>.ECDSA.P384.self) == key)
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.key("alias/typed", as: Key<Signing>.ECDSA.P256.self)
        }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.key("alias/typed", as: Key<Agreement>.ECDH.P384.self)
        }
        let codes = try await client.createKey(Key<Authentication>.HMAC.SHA256.self)
        try await client.verifyMAC(client.generateMAC(for: [1], with: codes), for: [1], with: codes)
        _ = try await client.createKey(Key<Agreement>.ECDH.P521.self)
        let edwards = try await client.createKey(Key<Signing>.Ed25519.self)
        try await client.verify(client.sign([2], with: edwards), for: [2], with: edwards)
    }
}
