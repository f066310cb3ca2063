import Foundation
import StrongroomTestSupport
import Testing

@testable import Cryptography
@testable import KeyManagement

@Suite struct AlgorithmPolicyTests {
    @Test func `what the linked library calculates is right, and what is wrong is found`() throws {
        try SelfTest.run()
        for index in SelfTest.tests.indices {
            // Each test can fail, and is named then.
            var tests = SelfTest.tests
            let name = tests[index].name
            tests[index] = SelfTest.KnownAnswer(name: name, expected: "00", calculate: tests[index].calculate)
            #expect(throws: CryptographyError(.internalFailure)) { try SelfTest.perform(tests).get() }
            do { try SelfTest.perform(tests).get() } catch { #expect(error.reason.contains(name)) }
            tests[index] = SelfTest.KnownAnswer(name: name, expected: "01") { throw CryptographyError(.invalidKey) }
            #expect(throws: CryptographyError(.internalFailure)) { try SelfTest.perform(tests).get() }
            // What is not there is not calculated with.
            tests[index] = SelfTest.KnownAnswer(name: name, expected: "01") { throw CryptographyError(.unsupported) }
            try SelfTest.perform(tests).get()
        }
    }

    @Test func `a service of approved algorithms takes no others`() async throws {
        let (store, root) = (MemoryRecordStore(), try testRoot())
        let open = try await KeyManagementService(store: store, rootOfTrust: root)
        let before = open.client(for: .user("admin", account: "111122223333"))
        let curve = try await before.createKey(.ecdsa(.secp256k1))
        let pair = try await before.createKey(.rsaOAEP(.bits2048))
        let old = try await before.encrypt([1], under: pair, using: .rsaOAEPSHA1)
        let strict = try await KeyManagementService(store: store, rootOfTrust: root, algorithms: .approved)
        let client = strict.client(for: .user("admin", account: "111122223333"))
        let key = try await client.createKey(.symmetric)
        let external = try await client.createKeyForImport(.symmetric)
        for attempt in [
            { _ = try await client.createKey(.ecdsa(.secp256k1)) }, { _ = try await client.createKey(.aesSIV) },
            { _ = try await client.createKey(.hkdfSHA256) },
            { _ = try await client.sign([1], with: curve, using: .ecdsaSHA256) },
            { _ = try await client.encrypt([1], under: pair, using: .rsaOAEPSHA1) },
            { _ = try await client.generateDataKeyPair(.ellipticCurve(.secp256k1), under: key) },
            { _ = try await client.importParameters(for: KeyIdentifier(external), wrapping: .rsaOAEPSHA1) },
        ] as [() async throws -> Void] {
            await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await attempt() }
        }
        #expect(try await client.decrypt(old, with: pair, using: .rsaOAEPSHA1).revealed == [1])
        for specification in [KeySpecification<Signing>.ecdsa(.p256), .ecdsa(.p384), .ed25519, .rsa(.bits2048)] {
            _ = try await client.createKey(specification)
        }
        let cost = try Scrypt(cost: 2, blockSize: 1, parallelism: 1)
        func passphrase() -> PassphraseRoot { PassphraseRoot(SecretBytes(copying: [1, 2, 3]), cost: cost) }
        // What is refused has made nothing, and a store does not become what would be refused.
        let empty = MemoryRecordStore()
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await KeyManagementService(store: empty, rootOfTrust: passphrase(), algorithms: .approved)
        }
        _ = try await KeyManagementService(store: empty, rootOfTrust: root, algorithms: .approved)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await strict.replaceRootOfTrust(root, with: passphrase())
        }
        _ = try await KeyManagementService(store: store, rootOfTrust: root, algorithms: .approved)
    }

    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["STRONGROOM_FIPS"] != nil,
            "STRONGROOM_FIPS names no configuration; see CONTRIBUTING.md"))
    func `a service of approved algorithms works with OpenSSL's FIPS provider alone`() async {
        await #expect(processExitsWith: .success) {
            let environment = ProcessInfo.processInfo.environment
            try FIPSProvider.use(
                configuration: environment["STRONGROOM_FIPS"] ?? "", modules: environment["STRONGROOM_FIPS_MODULES"])
            let service = try await KeyManagementService(
                store: MemoryRecordStore(), rootOfTrust: testRoot(), algorithms: .approved)
            let client = service.client(for: .user("admin", account: "111122223333"))
            let key = try await client.createKey(.symmetric, allowingBackup: true)
            let sealed = try await client.encrypt([1, 2, 3], under: key, context: ["a": "b"])
            guard try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3] else { exit(1) }
            for (specification, algorithm) in [
                (KeySpecification<Signing>.ecdsa(.p384), SignatureAlgorithm.ecdsaSHA384),
                (.rsa(.bits2048), .rsaPSSSHA256),
            ] {
                let signer = try await client.createKey(specification)
                let signature = try await client.sign([7], with: signer, using: algorithm)
                try await client.verify(signature, for: [7], with: signer, using: algorithm)
            }
            let pair = try await client.createKey(.rsaOAEP(.bits2048))
            let secret = try await client.encrypt([5], under: pair, using: .rsaOAEPSHA256)
            guard try await client.decrypt(secret, with: pair, using: .rsaOAEPSHA256).revealed == [5] else { exit(2) }
            let codes = try await client.createKey(.hmac(.sha256))
            try await client.verifyMAC(client.generateMAC(for: [1], with: codes), for: [1], with: codes)
            let (one, two) = (try await client.createKey(.ecdh(.p256)), try ECDH.PrivateKey(.p256))
            let info = try two.publicKey.subjectPublicKeyInfo
            _ = try await client.deriveSharedSecret(with: one, peer: info)
            guard try await service.verifyAuditTrail(unlockedBy: testRoot()).isSound else { exit(3) }
        }
    }
}
