import AtRest
import Foundation
import StrongroomTestSupport
import Testing

/// AWS's own SDK (PyPI aws-encryption-sdk) opens what we seal, and we open what it seals: every suite, with frames and
/// without, by every raw keyring.
@Suite(
    .enabled(
        if: EncryptionSDK.isInstalled || Requirement.peers.isMandatory,
        "pip install aws-encryption-sdk aws-cryptographic-material-providers"))
struct EncryptionSDKTests {
    static let context: EncryptionContext = ["purpose": "interoperability", "ü": "€"]

    /// Keys for both sides: ours as values, theirs as text.
    struct Keys {
        var texts: [String: String] = [:]
        var aes: [String: [UInt8]] = [:]
        let rsa: RSA.PrivateKey
        var own: [EllipticCurve: ECDH.PrivateKey] = [:]
        var peer: [EllipticCurve: ECDH.PrivateKey] = [:]

        static let curves: [EllipticCurve] = [.p256, .p384, .p521]
        static let paddings: [(String, EncryptionAlgorithm)] = [
            ("pkcs1", .rsaPKCS1v15), ("sha1", .rsaOAEPSHA1), ("sha256", .rsaOAEPSHA256), ("sha384", .rsaOAEPSHA384),
            ("sha512", .rsaOAEPSHA512),
        ]

        init() throws {
            for count in [16, 24, 32] {
                let key = try SystemRandom().bytes(count: count)
                aes["aes \(count * 8)"] = key
                texts["aes \(count * 8)"] = Hexadecimal.encode(key)
            }
            rsa = try RSA.PrivateKey(bits: 2048)
            texts["rsa public"] = Keys.pem("PUBLIC KEY", rsa.subjectPublicKeyInfo)
            texts["rsa private"] = Keys.pem("PRIVATE KEY", try rsa.pkcs8().revealed)
            for curve in Keys.curves {
                let (mine, theirs) = (try ECDH.PrivateKey(curve), try ECDH.PrivateKey(curve))
                (own[curve], peer[curve]) = (mine, theirs)
                // The peer's private key is "own" to it.
                texts["own \(curve.rawValue)"] = Keys.pem("PRIVATE KEY", try theirs.pkcs8().revealed)
                texts["peer \(curve.rawValue)"] =
                    Data(try mine.publicKey.subjectPublicKeyInfo).base64EncodedString()
            }
        }

        /// Our keyrings by the peer's names: how we seal what it opens, and how we open what it seals.
        func keyrings() throws -> [(name: String, sealsAs: String?, keyring: any Keyring)] {
            var all: [(String, String?, any Keyring)] = []
            for (name, key) in aes.sorted(by: { $0.key < $1.key }) {
                let keyring = try RawAESKeyring(
                    namespace: "strongroom tests", name: name, key: SecretBytes(copying: key))
                all.append((name, name, keyring))
            }
            for (name, algorithm) in Keys.paddings {
                let decryptor: any Decryptor =
                    algorithm == .rsaPKCS1v15 ? try RSA.LegacyDecryptor(rsa, allowing: algorithm) : rsa
                let keyring = try RawRSAKeyring(
                    namespace: "strongroom tests", name: "rsa \(name)", algorithm: algorithm, publicKey: rsa.publicKey,
                    decryptor: decryptor)
                all.append(("rsa \(name)", "rsa \(name)", keyring))
            }
            for curve in Keys.curves {
                guard let mine = own[curve], let theirs = peer[curve] else { continue }
                let name = "ecdh \(curve.rawValue)"
                let between = try RawECDHKeyring(.static(own: mine, peer: theirs.publicKey))
                all.append(("\(name) static", "\(name) static", between))
                all.append(("\(name) discovery", nil, between))
                all.append(
                    ("\(name) discovery", nil, try RawECDHKeyring(.ephemeral(recipient: theirs.publicKey))))
                all.append(("", "\(name) ephemeral", try RawECDHKeyring(.discovery(recipient: mine))))
            }
            return all
        }

        static func pem(_ label: String, _ der: [UInt8]) -> String {
            let text = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            return "-----BEGIN \(label)-----\n\(text)\n-----END \(label)-----\n"
        }
    }

    static func envelope(_ keyring: any Keyring, _ suite: AlgorithmSuite, _ framing: Framing) -> Envelope {
        Envelope(
            keyring: keyring, suite: suite, framing: framing,
            policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
    }

    static let everyday = ["aes 128", "aes 192", "aes 256", "rsa sha256", "ecdh P-256 static"]

    @Test(arguments: AlgorithmSuite.all)
    func `the Python SDK and we read each other, in every suite`(_ suite: AlgorithmSuite) async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        var checked = 0
        for (name, sealsAs, keyring) in try keys.keyrings() where Self.everyday.contains(name) {
            for framing in [Framing.frames(of: 1024), .singleBlock] {
                for count in [0, 1, 2048, 2_500_000] {
                    checked += try await check(peer, keys, suite, framing, name, sealsAs, keyring, count)
                }
            }
        }
        #expect(checked == 5 * 2 * 4 * 2)
    }

    @Test(arguments: [AlgorithmSuite.committingSigned, .aes128GCMSHA256])
    func `the Python SDK and we read each other, by every keyring`(_ suite: AlgorithmSuite) async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        var checked = 0
        for (name, sealsAs, keyring) in try keys.keyrings() {
            checked += try await check(peer, keys, suite, .standard, name, sealsAs, keyring, 100)
        }
        #expect(checked == 8 * 2 + 3 * (2 + 1 + 1 + 1))
    }

    /// Both ways, where the keyring has both.
    private func check(
        _ peer: EncryptionSDK, _ keys: Keys, _ suite: AlgorithmSuite, _ framing: Framing, _ name: String,
        _ sealsAs: String?, _ keyring: any Keyring, _ count: Int
    ) async throws -> Int {
        let plaintext = try SystemRandom().bytes(count: count)
        let envelope = Self.envelope(keyring, suite, framing)
        var task = EncryptionSDK.Task(suite: suite.description, keys: keys.texts, context: Self.context.pairs)
        if case .frames(let length) = framing { task.frame = length } else { task.frame = 0 }
        var checked = 0
        if !name.isEmpty {
            (task.mode, task.keyrings) = ("open", [name])
            let message = try await envelope.encrypt(plaintext, context: Self.context)
            #expect(try peer.run(task, message) == plaintext, "\(suite) \(name) \(framing) \(count), sealed by us")
            checked += 1
        }
        if let sealsAs {
            (task.mode, task.keyrings) = ("seal", [sealsAs])
            let message = try peer.run(task, plaintext)
            let header = try Envelope.inspect(message)
            #expect(header.suite == suite && header.framing == framing)
            let opened = try await envelope.decrypt(message, expecting: Self.context)
            #expect(opened.plaintext.revealed == plaintext, "\(suite) \(sealsAs) \(framing) \(count), sealed by them")
            checked += 1
        }
        return checked
    }

    @Test func `several keyrings at once go both ways`() async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        let all = try keys.keyrings().filter { $0.name == $0.sealsAs }
        let multi = try MultiKeyring(generator: all[0].keyring, children: all.dropFirst().map(\.keyring))
        for suite in AlgorithmSuite.all {
            for count in [0, 1, 2048, 100_000] {
                let plaintext = try SystemRandom().bytes(count: count)
                let envelope = Self.envelope(multi, suite, .frames(of: 1024))
                var task = EncryptionSDK.Task(
                    suite: suite.description, frame: 1024, keyrings: all.map(\.name), keys: keys.texts,
                    context: Self.context.pairs)
                let theirs = try peer.run(task, plaintext)
                #expect(try await envelope.decrypt(theirs).plaintext.revealed == plaintext)
                // Each of the keyrings opens it alone, on either side.
                for one in all where count == 1 {
                    let alone = Self.envelope(one.keyring, suite, .standard)
                    #expect(try await alone.decrypt(theirs).plaintext.revealed == plaintext, "\(one.name)")
                }
                let ours = try await envelope.encrypt(plaintext, context: Self.context)
                task.mode = "open"
                #expect(try peer.run(task, ours) == plaintext)
                for one in all where count == 1 {
                    task.keyrings = [one.name]
                    #expect(try peer.run(task, ours) == plaintext, "\(one.name)")
                }
            }
        }
    }

    @Test func `a re-wrapped message opens on the other side`() async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        let old = try RawAESKeyring(namespace: "strongroom tests", name: "old", key: .random(count: 32))
        let new = try RawAESKeyring(
            namespace: "strongroom tests", name: "aes 256", key: SecretBytes(copying: keys.aes["aes 256"] ?? []))
        let plaintext = try SystemRandom().bytes(count: 10_000)
        for suite in AlgorithmSuite.all where !suite.isSigned && !suite.isCommitting {
            for framing in [Framing.frames(of: 1024), .singleBlock] {
                let envelope = Self.envelope(old, suite, framing)
                let message = try await envelope.encrypt(plaintext, context: Self.context)
                let task = EncryptionSDK.Task(
                    mode: "open", suite: suite.description, keyrings: ["aes 256"], keys: keys.texts,
                    context: Self.context.pairs)
                #expect(try await peer.run(task, envelope.rewrap(message, for: new)) == plaintext)
            }
        }
    }

    @Test func `pairs that are held out go both ways`() async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        for (name, _, keyring) in try keys.keyrings() where ["aes 256", "rsa sha256"].contains(name) {
            for suite in AlgorithmSuite.all {
                let manager = RequiredContextManager(["purpose"], keyring: keyring)
                let envelope = Envelope(
                    manager: manager, suite: suite,
                    policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
                var task = EncryptionSDK.Task(
                    suite: suite.description, keyrings: [name], keys: keys.texts, context: Self.context.pairs,
                    required: ["purpose"])
                let theirs = try peer.run(task, [1, 2, 3])
                #expect(try Envelope.inspect(theirs).context.pairs["purpose"] == nil)
                #expect(try await envelope.decrypt(theirs, expecting: Self.context).plaintext.revealed == [1, 2, 3])
                let ours = try await envelope.encrypt([1, 2, 3], context: Self.context)
                task.mode = "open"
                #expect(try peer.run(task, ours) == [1, 2, 3])
                task.context["purpose"] = "another"
                #expect(throws: EncryptionSDK.Refusal.self) { _ = try peer.run(task, ours) }
            }
        }
    }

    @Test func `cached keys go both ways`() async throws {
        let (peer, keys) = (try EncryptionSDK.shared.get(), try Keys())
        let keyring = try RawAESKeyring(
            namespace: "strongroom tests", name: "aes 256", key: SecretBytes(copying: keys.aes["aes 256"] ?? []))
        for suite in AlgorithmSuite.all where suite.derivationFunction != nil {
            let envelope = Envelope(
                manager: try CachingMaterialsManager(DefaultMaterialsManager(keyring), timeToLive: .seconds(600)),
                suite: suite, policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
            var task = EncryptionSDK.Task(
                suite: suite.description, keyrings: ["aes 256"], keys: keys.texts, context: Self.context.pairs,
                isCaching: true)
            var sealedKeys: Set<[UInt8]> = []
            for count in [0, 1, 4096, 10_000] {
                let plaintext = try SystemRandom().bytes(count: count)
                task.mode = "seal"
                let theirs = try peer.run(task, plaintext)
                sealedKeys.insert(try Envelope.inspect(theirs).encryptedDataKeys[0].ciphertext)
                #expect(try await envelope.decrypt(theirs).plaintext.revealed == plaintext)
                task.mode = "open"
                let ours = try await envelope.encrypt(plaintext, context: Self.context)
                #expect(try peer.run(task, ours) == plaintext)
            }
            // The peer has cached too: one data key for all of its messages.
            #expect(sealedKeys.count == 1)
        }
    }
}
