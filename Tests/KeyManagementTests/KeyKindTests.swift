import Cryptography
import KeyManagement
import StrongroomTestSupport
import Testing

/// Managed keys that sign, authenticate and agree.
@Suite struct KeyKindTests {
    let store = MemoryRecordStore()

    func client(_ name: String = "alice") async throws -> KeyManagementClient {
        try await KeyManagementService(store: store, rootOfTrust: testRoot())
            .client(for: .user(name, account: "111122223333"))
    }

    static let signing: [KeySpecification<Signing>] =
        EllipticCurve.allCases.map { .ecdsa($0) } + [.ed25519, .sm2, .rsa(.bits2048)]
        + (MLDSA.isAvailable ? MLDSA.ParameterSet.allCases.map { .mlDSA($0) } : [])

    @Test(arguments: signing)
    func `keys that sign`(_ specification: KeySpecification<Signing>) async throws {
        let client = try await client()
        let (key, other) = (try await client.createKey(specification), try await client.createKey(specification))
        let published = try await client.publicKey(of: KeyIdentifier(key))
        #expect(published.specification == specification.name && published.usage == "SIGN_VERIFY")
        let verification = try KeyAlgorithm.verificationKey(
            subjectPublicKeyInfo: published.subjectPublicKeyInfo.span)
        #expect(!published.signatureAlgorithms.isEmpty)
        let again = try await self.client("bob")
        let message = Array("an invoice".utf8)
        // Ed25519ph takes digests alone.
        for algorithm in published.signatureAlgorithms where algorithm != .ed25519ph {
            let signature = try await client.sign(message, with: key, using: algorithm)
            #expect(try verification.isValid(signature.span, for: message.span, using: algorithm))
            // Another process has the same key.
            try await again.verify(signature, for: message, with: key, using: algorithm)
            var damaged = signature
            damaged[damaged.count / 2] ^= 1
            for (wrong, of) in [(damaged, key), ([], key), (signature + [0], key), (signature, other)] {
                await #expect(throws: KeyManagementError(.invalidSignature)) {
                    try await client.verify(wrong, for: message, with: of, using: algorithm)
                }
            }
            await #expect(throws: KeyManagementError(.invalidSignature)) {
                try await client.verify(signature, for: [1], with: key, using: algorithm)
            }
            guard let function = algorithm.function else { continue }
            let digest = try function.hash(message)
            let made = try await client.sign(digest: digest, with: key, using: algorithm)
            try await client.verify(made, for: message, with: key, using: algorithm)
            try await client.verify(made, forDigest: digest, with: key, using: algorithm)
            let short = try HashFunction.sha224.hash(message)
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.sign(digest: short, with: key, using: algorithm)
            }
        }
        let foreign: SignatureAlgorithm = specification == .ed25519 ? .ecdsaSHA256 : .ed25519
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.sign(message, with: key, using: foreign)
        }
        for wrong in [[], [UInt8](repeating: 0, count: 4097)] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.sign(wrong, with: key, using: published.signatureAlgorithms[0])
            }
        }
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await client.rotate(KeyIdentifier(key))
        }
        try await client.disable(KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.disabled)) {
            _ = try await client.sign(message, with: key, using: published.signatureAlgorithms[0])
        }
    }

    @Test(.enabled(if: MLDSA.isAvailable || Requirement.openSSL35.isMandatory, "the linked OpenSSL is older than 3.5"))
    func `what a newer OpenSSL signs with`() async throws {
        let client = try await client()
        let key = try await client.createKey(Key<Signing>.MLDSA.MLDSA65.self)
        let signature = try await client.sign([1, 2, 3], with: key)
        try await client.verify(signature, for: [1, 2, 3], with: key)
        let lattice = NamedKey<Signing>(key.identifier)
        let signer = try await client.signer(for: lattice)
        let publicKey = try MLDSA.PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo)
        // More than the service takes: only its representative goes there.
        let long = [UInt8](repeating: 7, count: 100_000)
        let made = try await signer.sign(long.span, using: .mlDSA)
        #expect(try publicKey.isValid(made.span, for: long.span))
        let representative = try publicKey.representative(of: long.span)
        try await client.verify(made, forRepresentative: representative, with: lattice)
        await #expect(throws: KeyManagementError(.invalidSignature)) {
            try await client.verify(signature, forRepresentative: representative, with: lattice)
        }
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await client.sign(representative: [1], with: lattice)
        }
        let edwards = try await client.createKey(.ed25519)
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.sign(representative: representative, with: edwards)
        }
        let digest = try HashFunction.sha512.hash(long)
        let prehashed = try await client.sign(digest: digest, with: edwards, using: .ed25519ph)
        try await client.verify(prehashed, forDigest: digest, with: edwards, using: .ed25519ph)
        let verifier = try Ed25519.PublicKey(
            subjectPublicKeyInfo: try await client.publicKey(of: KeyIdentifier(edwards)).subjectPublicKeyInfo)
        #expect(try verifier.isValid(prehashed.span, for: digest.bytes, using: .ed25519ph))
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await client.sign([1], with: edwards, using: .ed25519ph)
        }
        #expect(try await client.signer(for: edwards).signatureAlgorithms == [.ed25519])
    }

    @Test func `a curve signs with its own hash function alone, and a managed key is a signer`() async throws {
        let client = try await client()
        let key = try await client.createKey(.ecdsa(.p384))
        do {
            _ = try await client.sign([1], with: key, using: .ecdsaSHA256)
            Issue.record("P-384 has signed with SHA-256")
        } catch {
            #expect(error.code == .invalidKeyUsage)
            #expect(error.message == "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384.")
        }
        for specification: KeySpecification<Signing> in [.ecdsa(.p256), .ecdsa(.p521), .rsa(.bits2048)] {
            let key = try await client.createKey(specification)
            try await SignerSuite.check(try await client.signer(for: key))
        }
    }

    @Test(arguments: HMACKeySize.allCases)
    func `keys that authenticate`(_ size: HMACKeySize) async throws {
        let client = try await client()
        let (key, other) = (try await client.createKey(.hmac(size)), try await client.createKey(.hmac(size)))
        let message = Array("a message".utf8)
        let code = try await client.generateMAC(for: message, with: key)
        #expect("HMAC_\(code.count * 8)" == size.rawValue)
        try await self.client("bob").verifyMAC(code, for: message, with: key)
        var damaged = code
        damaged[0] ^= 0x80
        for (wrong, of) in [(damaged, key), (Array(code.dropLast()), key), ([], key), (code, other)] {
            await #expect(throws: KeyManagementError(.invalidMAC)) {
                try await client.verifyMAC(wrong, for: message, with: of)
            }
        }
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await client.publicKey(of: KeyIdentifier(key))
        }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.key(KeyIdentifier(key), for: Signing.self)
        }
    }

    @Test(arguments: zip(NISTCurve.allCases, [EllipticCurve.p256, .p384, .p521]))
    func `keys that agree`(_ curve: NISTCurve, _ software: EllipticCurve) async throws {
        let client = try await client()
        let key = try await client.createKey(.ecdh(curve))
        let published = try await client.publicKey(of: KeyIdentifier(key))
        #expect(published.usage == "KEY_AGREEMENT" && published.signatureAlgorithms.isEmpty)
        let peer = try ECDH.PrivateKey(software)
        let info = try peer.subjectPublicKeyInfo
        let ours = try await client.deriveSharedSecret(with: key, peer: info).revealed
        let theirs = try peer.sharedSecret(withPublicKey: published.subjectPublicKeyInfo.span).revealed
        #expect(ours == theirs && ours.count == software.coordinateByteCount)
        let stranger = try ECDH.PrivateKey(software == .p256 ? .p384 : .p256).subjectPublicKeyInfo
        for wrong in [stranger, Array(info.dropLast()), []] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.deriveSharedSecret(with: key, peer: wrong).count
            }
        }
    }

    @Test func `policies know algorithms, and the trail names them`() async throws {
        let policy = try PolicyDocument(
            """
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
              {"Effect":"Deny","Principal":"*","Action":"kms:Sign","Resource":"*",
               "Condition":{"StringNotEquals":{"kms:SigningAlgorithm":"RSASSA_PSS_SHA_256","kms:MessageType":"x"}}}]}
            """)
        let service = try await KeyManagementService(store: store, rootOfTrust: testRoot())
        let client = service.client(for: .user("alice", account: "111122223333"))
        let key = try await client.createKey(.rsa(.bits2048), policy: policy)
        _ = try await client.sign([1], with: key, using: .rsaPSSSHA256)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client.sign([1], with: key, using: .rsaPKCS1v15SHA256)
        }
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""signingAlgorithm":"RSASSA_PSS_SHA_256""#) && $0.contains("RAW") })
        // All kinds move to a new domain key, and work as before.
        let mac = try await client.createKey(.hmac(.sha256))
        let code = try await client.generateMAC(for: [1], with: mac)
        try await service.rotateDomainKey(unlockedBy: testRoot())
        let later = try await self.client()
        try await later.verifyMAC(code, for: [1], with: mac)
        _ = try await later.sign([1], with: key, using: .rsaPSSSHA256)
    }

    @Test func `tags and descriptions are written, and policies read them`() async throws {
        let policy = try PolicyDocument(
            """
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
              {"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*",
               "Condition":{"StringEquals":{"aws:ResourceTag/Stage":"frozen"}}},
              {"Effect":"Deny","Principal":"*","Action":"kms:TagResource","Resource":"*",
               "Condition":{"StringEquals":{"aws:RequestTag/Owner":"mallory"}}}]}
            """)
        let client = try await client()
        let key = try await client.createKey(.symmetric, tags: ["Stage": "live", "Owner": "bob"], policy: policy)
        let id = KeyIdentifier(key)
        _ = try await client.encrypt([1], under: key)
        try await client.tag(id, ["Stage": "frozen", "x": ""])
        #expect(try await client.tags(of: id) == ["Stage": "frozen", "Owner": "bob", "x": ""])
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.encrypt([1], under: key) }
        await #expect(throws: KeyManagementError(.accessDenied)) { try await client.tag(id, ["Owner": "mallory"]) }
        try await client.untag(id, ["Stage", "nothing"])
        _ = try await self.client("bob").encrypt([1], under: key)
        // Two tags that differ in case would be one with two values for a condition.
        for tags in [["owner": "x"], ["y": "1", "Y": "2"], ["K\u{212A}": "1"], ["ä": "1"]] {
            await #expect(throws: KeyManagementError(.invalidTag)) { try await client.tag(id, tags) }
        }
        for tags in [["aws:x": "1"], ["": "1"], ["k": String(repeating: "v", count: 257)]] {
            await #expect(throws: KeyManagementError(.invalidTag)) { try await client.tag(id, tags) }
            await #expect(throws: KeyManagementError(.invalidTag)) {
                _ = try await client.createKey(.symmetric, tags: tags)
            }
        }
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("tag\($0)", "") })
        await #expect(throws: KeyManagementError(.limitExceeded)) { try await client.tag(id, many) }
        try await client.updateDescription(of: id, to: "orders of 2027")
        #expect(try await self.client("bob").describe(id).description == "orders of 2027")
        await #expect(throws: KeyManagementError(.validation)) {
            try await client.updateDescription(of: id, to: String(repeating: "x", count: 8193))
        }
    }

    @Test func `whoever may not tag makes no tagged key, and an alias is not taken from a key that forbids it`()
        async throws
    {
        let identity = try PolicyDocument(
            """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"},
              {"Effect":"Deny","Action":"kms:TagResource","Resource":"*"},
              {"Effect":"Deny","Action":"kms:CreateKey","Resource":"*",
               "Condition":{"StringEquals":{"kms:KeySpec":"RSA_2048"}}},
              {"Effect":"Deny","Action":"kms:ScheduleKeyDeletion","Resource":"*",
               "Condition":{"NumericLessThan":{"kms:ScheduleKeyDeletionPendingWindowInDays":"30"}}}]}
            """)
        let engine = PolicyEngine { _ in [IdentityPolicy("limits", identity)] }
        let service = try await KeyManagementService(store: store, rootOfTrust: testRoot(), access: .authorizer(engine))
        let client = service.client(for: .user("alice", account: "111122223333"))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client.createKey(.symmetric, tags: ["Stage": "live"])
        }
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.createKey(.rsa(.bits2048)) }
        let guarded = try PolicyDocument(
            """
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
              {"Effect":"Deny","Principal":"*","Action":"kms:UpdateAlias","Resource":"*"}]}
            """)
        _ = try await client.createKey(.symmetric, alias: "alias/payments", policy: guarded)
        let other = try await client.createKey(.symmetric)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await client.updateAlias("alias/payments", to: KeyIdentifier(other))
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await client.scheduleDeletion(KeyIdentifier(other), afterDays: 29)
        }
        try await client.scheduleDeletion(KeyIdentifier(other), afterDays: 30)
    }

    @Test func `what was unwrapped goes on after another process has rotated the domain key`() async throws {
        let (one, two) = (
            try await KeyManagementService(store: store, rootOfTrust: testRoot()),
            try await KeyManagementService(store: store, rootOfTrust: testRoot())
        )
        let client = two.client(for: .user("alice", account: "111122223333"))
        let signing = try await client.createKey(.ecdsa(.p256))
        let codes = try await client.createKey(.hmac(.sha256))
        let signature = try await client.sign([1], with: signing, using: .ecdsaSHA256)
        let code = try await client.generateMAC(for: [1], with: codes)
        try await one.rotateDomainKey(unlockedBy: testRoot())
        _ = try await client.describe(KeyIdentifier(signing))
        try await client.verify(signature, for: [1], with: signing, using: .ecdsaSHA256)
        try await client.verifyMAC(code, for: [1], with: codes)
        _ = try await client.sign([2], with: signing, using: .ecdsaSHA256)
    }

    @Test func `random bytes within bounds`() async throws {
        let client = try await client()
        let (one, two) = (
            try await client.generateRandom(byteCount: 32).revealed,
            try await client.generateRandom(byteCount: 32).revealed
        )
        #expect(one.count == 32 && one != two)
        for count in [0, -1, 1025] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.generateRandom(byteCount: count).count
            }
        }
    }
}
