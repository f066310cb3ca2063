import AtRest
import StrongroomTestSupport
import Testing

/// What every ``Keyring`` must do.
enum KeyringSuite {
    /// - Parameters:
    ///   - sealing: seals.
    ///   - opening: opens what it seals; the same keyring where it has both halves.
    ///   - stranger: a keyring of the same kind over another key.
    ///   - binds: whether the sealed key is bound to the encryption context. RSA's is not.
    static func check(
        _ sealing: any Keyring, opening: (any Keyring)? = nil, stranger: any Keyring, binds: Bool = true
    ) async throws {
        let opening = opening ?? sealing
        for suite in AlgorithmSuite.all {
            let policy: CommitmentPolicy =
                suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt
            let sealer = Envelope(keyring: sealing, suite: suite, policy: policy)
            let opener = Envelope(keyring: opening, policy: policy)
            let message = try await sealer.encrypt([1, 2, 3], context: ["a": "b"])
            let opened = try await opener.decrypt(message)
            #expect(opened.plaintext.revealed == [1, 2, 3])
            await #expect(throws: EnvelopeError(.noUsableKey)) {
                _ = try await Envelope(keyring: stranger, policy: policy).decrypt(message).plaintext.count
            }
        }
        try await separates(sealing, opening, binds)
        try await adds(sealing, opening)
    }

    /// With the sealed key of one message and all else of another, nothing opens.
    private static func separates(_ sealing: any Keyring, _ opening: any Keyring, _ binds: Bool) async throws {
        let envelope = Envelope(keyring: sealing, suite: .committing)
        let message = try await envelope.encrypt([1, 2, 3], context: ["a": "b"])
        let other = try await envelope.encrypt([1, 2, 3], context: ["a": "c"])
        #expect(other != message)
        for index in message.indices where message[index] != other[min(index, other.count - 1)] {
            var mixed = message
            mixed[index] = other[min(index, other.count - 1)]
            await #expect(throws: EnvelopeError.self) {
                _ = try await Envelope(keyring: opening).decrypt(mixed).plaintext.count
            }
        }
        // The sealed key alone, under another context.
        let sealed = try Envelope.inspect(message).encryptedDataKeys
        let cases: [(EncryptionContext, Bool)] = [(["a": "b"], true), (["a": "c"], !binds), (.none, !binds)]
        for (context, opens) in cases {
            var materials = DecryptionMaterials(suite: .committing, context: context)
            try await opening.openDataKey(sealed, in: &materials)
            #expect(materials.isComplete == opens, "\(context)")
        }
        // Foreign and damaged keys beside one's own are passed over.
        let own = try #require(sealed.first)
        var damaged = own.ciphertext
        damaged[damaged.count / 2] ^= 1
        let others = [
            EncryptedDataKey(provider: "stranger", information: own.information, ciphertext: own.ciphertext),
            EncryptedDataKey(provider: own.provider, information: [], ciphertext: own.ciphertext),
            EncryptedDataKey(provider: own.provider, information: own.information + [0], ciphertext: own.ciphertext),
            EncryptedDataKey(provider: own.provider, information: own.information, ciphertext: damaged),
            EncryptedDataKey(provider: own.provider, information: own.information, ciphertext: []),
        ]
        var materials = DecryptionMaterials(suite: .committing, context: ["a": "b"])
        try await opening.openDataKey(others, in: &materials)
        #expect(!materials.isComplete)
        try await opening.openDataKey(others + [own], in: &materials)
        #expect(materials.isComplete)
    }

    /// Where another keyring has made the data key, this one seals the same: both open the message.
    private static func adds(_ sealing: any Keyring, _ opening: any Keyring) async throws {
        let escrow = try RawAESKeyring(namespace: "escrow", name: "key", key: .random(count: 32))
        for order in [[escrow, sealing], [sealing, escrow]] as [[any Keyring]] {
            let both = Envelope(keyring: try MultiKeyring(generator: order[0], children: [order[1]]))
            let message = try await both.encrypt([4, 5])
            for keyring in [escrow, opening] as [any Keyring] {
                #expect(try await Envelope(keyring: keyring).decrypt(message).plaintext.revealed == [4, 5])
            }
        }
    }
}

@Suite struct KeyringTests {
    @Test func `raw AES is a keyring`() async throws {
        for count in [16, 24, 32] {
            let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: count))
            // The same name, another key; and the same key under another name.
            try await KeyringSuite.check(
                keyring, stranger: try RawAESKeyring(namespace: "n", name: "k", key: .random(count: count)))
        }
        let key = [UInt8](repeating: 1, count: 32)
        try await KeyringSuite.check(
            try RawAESKeyring(namespace: "n", name: "k", key: SecretBytes(copying: key)),
            stranger: try RawAESKeyring(namespace: "n", name: "l", key: SecretBytes(copying: key)))
    }

    @Test func `raw RSA is a keyring, by each padding`() async throws {
        let (key, other) = (try RSA.PrivateKey(bits: 2048), try RSA.PrivateKey(bits: 2048))
        for algorithm in [EncryptionAlgorithm.rsaOAEPSHA1, .rsaOAEPSHA256, .rsaOAEPSHA384, .rsaOAEPSHA512] {
            func keyring(_ key: RSA.PrivateKey) throws -> RawRSAKeyring {
                try RawRSAKeyring(
                    namespace: "n", name: "k", algorithm: algorithm, publicKey: key.publicKey, decryptor: key)
            }
            try await KeyringSuite.check(try keyring(key), stranger: try keyring(other), binds: false)
        }
        let sealing = try RawRSAKeyring(
            namespace: "n", name: "k", algorithm: .rsaOAEPSHA256, publicKey: key.publicKey)
        let opening = try RawRSAKeyring(namespace: "n", name: "k", algorithm: .rsaOAEPSHA256, decryptor: key)
        await #expect(throws: EnvelopeError(.invalidKeyring)) { _ = try await Envelope(keyring: opening).encrypt([1]) }
        let message = try await Envelope(keyring: sealing).encrypt([1])
        await #expect(throws: EnvelopeError(.invalidKeyring)) {
            _ = try await Envelope(keyring: sealing).decrypt(message).plaintext.count
        }
        #expect(try await Envelope(keyring: opening).decrypt(message).plaintext.revealed == [1])
    }

    /// A wrong key gives a made-up data key, which the header refuses: one error, whatever was wrong.
    @Test func `raw RSA with the old padding shows nothing of it`() async throws {
        let (key, other) = (try RSA.PrivateKey(bits: 2048), try RSA.PrivateKey(bits: 2048))
        func keyring(_ key: RSA.PrivateKey) throws -> RawRSAKeyring {
            try RawRSAKeyring(
                namespace: "n", name: "k", algorithm: .rsaPKCS1v15, publicKey: key.publicKey,
                decryptor: RSA.LegacyDecryptor(key, allowing: .rsaPKCS1v15))
        }
        let message = try await Envelope(keyring: try keyring(key)).encrypt([1])
        #expect(try await Envelope(keyring: try keyring(key)).decrypt(message).plaintext.revealed == [1])
        await #expect(throws: EnvelopeError.self) {
            _ = try await Envelope(keyring: try keyring(other)).decrypt(message).plaintext.count
        }
    }

    @Test(arguments: [EllipticCurve.p256, .p384, .p521])
    func `raw ECDH is a keyring, in each schema`(_ curve: EllipticCurve) async throws {
        let (alice, bob, eve) = (
            try ECDH.PrivateKey(curve), try ECDH.PrivateKey(curve), try ECDH.PrivateKey(curve)
        )
        func pair(_ own: ECDH.PrivateKey, _ peer: ECDH.PrivateKey) throws -> RawECDHKeyring {
            try RawECDHKeyring(.static(own: own, peer: peer.publicKey))
        }
        let strangers = try pair(alice, eve)
        // What one seals, both open.
        try await KeyringSuite.check(try pair(alice, bob), opening: try pair(bob, alice), stranger: strangers)
        try await KeyringSuite.check(try pair(alice, bob), stranger: strangers)
        let discovery = try RawECDHKeyring(.discovery(recipient: bob))
        let foreign = try RawECDHKeyring(.discovery(recipient: eve))
        try await KeyringSuite.check(try pair(alice, bob), opening: discovery, stranger: foreign)
        let ephemeral = try RawECDHKeyring(.ephemeral(recipient: bob.publicKey))
        try await KeyringSuite.check(ephemeral, opening: discovery, stranger: foreign)
        await #expect(throws: EnvelopeError(.invalidKeyring)) {
            _ = try await Envelope(keyring: discovery).encrypt([1])
        }
        let message = try await Envelope(keyring: ephemeral).encrypt([1])
        await #expect(throws: EnvelopeError(.noUsableKey)) {
            _ = try await Envelope(keyring: ephemeral).decrypt(message).plaintext.count
        }
    }

    @Test func `keyrings that cannot work are refused`() throws {
        let (rsa, other) = (try RSA.PrivateKey(bits: 2048), try RSA.PrivateKey(bits: 2048))
        let refusal = EnvelopeError(.invalidKeyring)
        #expect(throws: refusal) { _ = try RawAESKeyring(namespace: "aws-kms-x", name: "x", key: .random(count: 32)) }
        #expect(throws: refusal) {
            _ = try RawRSAKeyring(
                namespace: "aws-kms", name: "x", algorithm: .rsaOAEPSHA1, publicKey: rsa.publicKey)
        }
        #expect(throws: refusal) { _ = try RawRSAKeyring(namespace: "n", name: "x", algorithm: .rsaOAEPSHA1) }
        #expect(throws: refusal) {
            _ = try RawRSAKeyring(
                namespace: "n", name: "x", algorithm: .rsaOAEPSHA1, publicKey: other.publicKey, decryptor: rsa)
        }
        #expect(throws: refusal) {
            _ = try RawRSAKeyring(namespace: "n", name: "x", algorithm: .rsaPKCS1v15, decryptor: rsa)
        }
        #expect(throws: refusal) {
            _ = try RawRSAKeyring(
                namespace: "n", name: "x", algorithm: .rsaOAEP(.sha256, mask: .sha1), publicKey: rsa.publicKey)
        }
        #expect(throws: refusal) {
            _ = try RawECDHKeyring(
                .static(own: ECDH.PrivateKey(.p256), peer: ECDH.PrivateKey(.p384).publicKey))
        }
        #expect(throws: refusal) {
            _ = try RawECDHKeyring(.ephemeral(recipient: ECDH.PrivateKey(.secp256k1).publicKey))
        }
        #expect(throws: refusal) { _ = try MultiKeyring(generator: nil) }
    }

    @Test func `several keyrings are one`() async throws {
        func raw(_ name: String) throws -> RawAESKeyring {
            try RawAESKeyring(namespace: "n", name: name, key: .random(count: 32))
        }
        let (first, second, stranger) = (try raw("1"), try raw("2"), try raw("3"))
        let both = try MultiKeyring(generator: first, children: [second])
        let message = try await Envelope(keyring: both).encrypt([1])
        #expect(try Envelope.inspect(message).encryptedDataKeys.count == 2)
        for keyring in [first, second, both] as [any Keyring] {
            #expect(try await Envelope(keyring: keyring).decrypt(message).plaintext.revealed == [1])
        }
        await #expect(throws: EnvelopeError(.noUsableKey)) {
            _ = try await Envelope(keyring: stranger).decrypt(message).plaintext.count
        }
        // A keyring that fails does not keep the others from opening.
        let rsa = try RSA.PrivateKey(bits: 2048)
        let onlySealing = try RawRSAKeyring(
            namespace: "n", name: "1", algorithm: .rsaOAEPSHA256, publicKey: rsa.publicKey)
        let opening = try MultiKeyring(generator: nil, children: [stranger, onlySealing, second])
        #expect(try await Envelope(keyring: opening).decrypt(message).plaintext.revealed == [1])
        await #expect(throws: EnvelopeError(.invalidKeyring)) { _ = try await Envelope(keyring: opening).encrypt([1]) }
    }
}
