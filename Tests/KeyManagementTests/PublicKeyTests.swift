import Cryptography
import KeyManagement
import StrongroomTestSupport
import Testing

/// Keys whose private halves are somebody else's.
@Suite struct PublicKeyTests {
    let store = MemoryRecordStore()

    func client(account: String = "111122223333") async throws -> KeyManagementClient {
        try await KeyManagementService(store: store, rootOfTrust: testRoot())
            .client(for: .user("alice", account: account))
    }

    @Test func `what others sign is verified by their public keys`() async throws {
        let client = try await client()
        let owners: [any SynchronousSigner] = [
            try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.secp256k1), try Ed25519.PrivateKey(),
            try RSA.PrivateKey(bits: 3072),
        ]
        let message = Array("an order".utf8)
        for owner in owners {
            let info = try owner.subjectPublicKeyInfo
            let key = try await client.importPublicKey(info, for: Verification.self)
            let metadata = try await client.describe(KeyIdentifier(key))
            #expect(metadata.usage == "VERIFY" && metadata.origin == "PUBLIC" && metadata.state == .enabled)
            let published = try await client.publicKey(of: KeyIdentifier(key))
            #expect(published.subjectPublicKeyInfo == info && published.algorithms == metadata.algorithms)
            let algorithm = try #require(published.signatureAlgorithms.first)
            let signature = try await owner.sign(message.span, using: algorithm)
            // Another process has it too.
            let again = try await self.client()
            try await again.verify(signature, for: message, by: key, using: algorithm)
            await #expect(throws: KeyManagementError(.invalidSignature)) {
                try await client.verify(signature, for: [1], by: key, using: algorithm)
            }
            if let function = algorithm.function {
                let digest = try function.hash(message)
                try await client.verify(signature, forDigest: digest, by: key, using: algorithm)
            }
            // No private operation takes it, whatever it is called.
            let disguised = NamedKey<Signing>(KeyIdentifier(key))
            await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
                _ = try await client.sign(message, with: disguised, using: algorithm)
            }
            let id = KeyIdentifier(key)
            await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await client.rotate(id) }
            await #expect(throws: KeyManagementError(.unsupportedOperation)) {
                try await client.deleteImportedKeyMaterial(of: id)
            }
            try await client.disable(id)
            await #expect(throws: KeyManagementError(.disabled)) {
                try await client.verify(signature, for: message, by: key, using: algorithm)
            }
            let stranger = try await self.client(account: "444455556666")
            await #expect(throws: KeyManagementError(.accessDenied)) {
                try await stranger.verify(signature, for: message, by: key, using: algorithm)
            }
        }
    }

    @Test func `what is encrypted to others they decrypt, and nobody here`() async throws {
        let client = try await client()
        let owner = try RSA.PrivateKey(bits: 2048)
        let key = try await client.importPublicKey(
            owner.subjectPublicKeyInfo, for: PublicEncryption.self, alias: "alias/partner")
        for algorithm in [EncryptionAlgorithm.rsaOAEPSHA256, .rsaOAEPSHA1] {
            let sealed = try await client.encrypt([1, 2, 3], to: key, using: algorithm)
            #expect(try owner.decrypt(sealed.span, using: algorithm).revealed == [1, 2, 3])
            let disguised = NamedKey<AsymmetricEncryption>("alias/partner")
            await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
                _ = try await client.decrypt(sealed, with: disguised, using: algorithm)
            }
        }
        for wrong in [[], [UInt8](repeating: 1, count: 191)] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.encrypt(wrong, to: key, using: .rsaOAEPSHA256)
            }
        }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.encrypt([1], to: key, using: .rsaPKCS1v15)
        }
    }

    @Test func `only public keys of their kind are taken`() async throws {
        let client = try await client()
        let (curve, agreement) = (try ECDSA.PrivateKey(.p256), try X25519.PrivateKey())
        let odd = try RSA.PublicKey(modulus: [UInt8](repeating: 0xFF, count: 320).span, exponent: [1, 0, 1].span)
        for (bytes, isForVerification) in [
            ([], true), ([1, 2, 3], true), (Array(try curve.subjectPublicKeyInfo.dropLast()), true),
            (try curve.subjectPublicKeyInfo + [0], true), (try curve.pkcs8().revealed, true),
            (try agreement.publicKey.subjectPublicKeyInfo, true), (odd.subjectPublicKeyInfo, true),
            (try curve.subjectPublicKeyInfo, false), (odd.subjectPublicKeyInfo, false),
        ] {
            await #expect(throws: KeyManagementError(.validation)) {
                if isForVerification {
                    _ = try await client.importPublicKey(bytes, for: Verification.self)
                } else {
                    _ = try await client.importPublicKey(bytes, for: PublicEncryption.self)
                }
            }
        }
        #expect(try await client.listKeys().isEmpty)
    }
}
