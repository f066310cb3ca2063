import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct RecipientTests {
    static let image = [UInt8](repeating: 0xAB, count: 48)
    static let account = "111122223333"
    let clock = MovableClock()
    let authority: AttestationAuthority
    let service: KeyManagementService
    let software: RSA.PrivateKey

    init() async throws {
        authority = try await AttestationAuthority(at: clock.now)
        software = try RSA.PrivateKey(bits: 2048)
        service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), attestationRoots: [authority.root], clock: clock)
    }

    var client: KeyManagementClient { service.client(for: .user("parent", account: Self.account)) }

    func recipient() throws -> Recipient {
        Recipient(
            attestation: try authority.document(
                for: software.publicKey.subjectPublicKeyInfo,
                registers: [0: Self.image, 1: [UInt8](repeating: 0, count: 48), 8: [UInt8](repeating: 8, count: 48)]))
    }

    @Test func `software that has proved itself gets what its carrier cannot read`() async throws {
        let key = try await client.createKey(.symmetric)
        let recipient = try recipient()
        let sealed = try await client.encrypt([1, 2, 3], under: key, context: ["a": "b"])
        let opened = try await client.decrypt(sealed, context: ["a": "b"], for: recipient)
        #expect(try await opened.open(with: software).revealed == [1, 2, 3])
        let dataKey = try await client.generateDataKey(under: key, for: recipient)
        #expect(
            try await dataKey.envelope.open(with: software).revealed == client.decrypt(dataKey.ciphertext).revealed)
        let pair = try await client.generateDataKeyPair(.ellipticCurve(.p256), under: key, for: recipient)
        let half = try ECDSA.PrivateKey(pkcs8: try await pair.envelope.open(with: software))
        #expect(try half.publicKey.subjectPublicKeyInfo == pair.publicKey)
        #expect(try await client.generateRandom(byteCount: 20, for: recipient).open(with: software).count == 20)
        let agreement = try await client.createKey(.ecdh(.p256))
        let peer = try ECDH.PrivateKey(.p256).publicKey.subjectPublicKeyInfo
        let secret = try await client.deriveSharedSecret(
            with: agreement, peer: peer, for: recipient)
        let expected = try await client.deriveSharedSecret(with: agreement, peer: peer)
        #expect(try await secret.open(with: software).revealed == expected.revealed)
        let other = try RSA.PrivateKey(bits: 2048)
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await opened.open(with: other) }
        let event = try #require(try await service.auditEvents().first { $0.contains(#""eventName":"Decrypt""#) })
        let hex = Hexadecimal.encode(Self.image)
        #expect(event.contains(#""attestationDocumentModuleId":"i-1-enc1""#))
        #expect(event.contains(#""attestationDocumentEnclaveImageDigest":"\#(hex)""#))
        #expect(event.contains("attestationDocumentEnclavePCR8") && !event.contains("EnclavePCR1\""))
    }

    @Test func `a policy opens a key for an image alone`() async throws {
        let hex = Hexadecimal.encode(Self.image)
        let policy = try PolicyDocument(
            #"""
            {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
             {"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*",
              "Condition":{"StringNotEqualsIgnoreCase":{"kms:RecipientAttestation:ImageSha384":"\#(hex)"}}}]}
            """#)
        let key = try await client.createKey(.symmetric, policy: policy)
        let sealed = try await client.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.decrypt(sealed) }
        _ = try await client.decrypt(sealed, for: recipient())
        let others = Recipient(
            attestation: try authority.document(
                for: software.publicKey.subjectPublicKeyInfo, registers: [0: [UInt8](repeating: 1, count: 48)]))
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.decrypt(sealed, for: others) }
        // Where no key's policy has a say, the account's own has.
        let only = try PolicyDocument(
            #"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:GenerateRandom","Resource":"*","Condition":{"StringNotEquals":{"kms:RecipientAttestation:PCR0":"\#(hex)"}}}]}"#
        )
        let strict = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(),
            access: .authorizer(PolicyEngine { _ in [IdentityPolicy("p", only)] }), attestationRoots: [authority.root],
            clock: clock
        ).client(for: .user("parent", account: Self.account))
        _ = try await strict.generateRandom(byteCount: 8, for: recipient())
        for attempt in [
            { _ = try await strict.generateRandom(byteCount: 8) },
            { _ = try await strict.generateRandom(byteCount: 8, for: others) },
        ] as [() async throws -> Void] {
            await #expect(throws: KeyManagementError(.accessDenied)) { try await attempt() }
        }
        // A NitroTPM's register is not an enclave's.
        let module = Recipient(
            attestation: try authority.document(
                for: software.publicKey.subjectPublicKeyInfo, registers: [0: Self.image]
            ) { fields in fields[3].0 = "nitrotpm_pcrs" })
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.decrypt(sealed, for: module) }
    }

    @Test func `a document that does not convince is refused`() async throws {
        let key = software.publicKey.subjectPublicKeyInfo
        let registers = [0: Self.image]
        typealias Item = AttestationAuthority.Item
        let stranger = try await AttestationAuthority(at: clock.now)
        let weak = try await AttestationAuthority(.p256, at: clock.now)
        let top = try await AttestationAuthority(profile: .root(), at: clock.now)
        let point = authority.root.subjectPublicKeyInfo
        var refused: [(String, [UInt8])] = [
            ("empty", []), ("no document", [0x80]),
            ("too large", [UInt8](repeating: 0, count: AttestationDocument.largest + 1)),
        ]
        func add(_ what: String, _ document: [UInt8]) { refused.append((what, document)) }
        add("by a stranger", try stranger.document(for: key, registers: registers))
        add("on another curve", try weak.document(for: key, registers: registers))
        add("by a key that signs certificates", try top.document(for: key, registers: registers))
        add("without a key", try authority.document(for: nil, registers: registers))
        add("with a key that is none", try authority.document(for: [1, 2, 3], registers: registers))
        add("for a key on a curve", try authority.document(for: point, registers: registers))
        add("without registers", try authority.document(for: key, registers: [:]))
        add("with a short register", try authority.document(for: key, registers: [0: [1]]))
        add("with a register out of range", try authority.document(for: key, registers: [32: Self.image]))
        add("by another algorithm", try authority.sign(Item.map([]).encoded, algorithm: -7))
        add("of nothing", try authority.sign([]))
        for field in ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] {
            let document = try authority.document(for: key, registers: registers) { fields in
                fields.removeAll { $0.0 == field }
            }
            add("without \(field)", document)
        }
        let twoLists = try authority.document(for: key, registers: registers) { $0.append(("nitrotpm_pcrs", $0[3].1)) }
        add("with two lists of registers", twoLists)
        add(
            "with a field twice", try authority.document(for: key, registers: registers) { $0.append(("nonce", .null)) }
        )
        for (what, document) in refused {
            await #expect(throws: KeyManagementError(.validation), "\(what)") {
                _ = try await client.generateRandom(byteCount: 8, for: Recipient(attestation: document))
            }
        }
        // Its chain has expired.
        let good = try recipient()
        clock.advance(days: 401)
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await client.generateRandom(byteCount: 8, for: good)
        }
        let trusting = try await KeyManagementService(store: MemoryRecordStore(), rootOfTrust: testRoot())
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await trusting.client(for: .user("a", account: Self.account)).generateRandom(
                byteCount: 8, for: good)
        }
    }

    @Test func `any flipped bit and any cut of a document is refused`() throws {
        let document = try recipient().attestation
        let known = try AttestationDocument(document, trusting: [authority.root], at: clock.now)
        #expect(known.registers[0] == Self.image && known.origin == .nitroEnclave && known.userData == nil)
        for index in document.indices {
            var damaged = document
            damaged[index] ^= 1 << (index % 8)
            #expect(throws: KeyManagementError(.validation)) {
                _ = try AttestationDocument(damaged, trusting: [authority.root], at: clock.now)
            }
        }
        for count in stride(from: 0, to: document.count, by: 7) {
            #expect(throws: KeyManagementError(.validation)) {
                _ = try AttestationDocument(Array(document.prefix(count)), trusting: [authority.root], at: clock.now)
            }
        }
        // With COSE's tag it is the same.
        #expect(try AttestationDocument([0xD2] + document, trusting: [authority.root], at: clock.now) == known)
    }

    @Test func `an envelope that was changed does not open`() async throws {
        let envelope = try RecipientEnvelope(SecretBytes(copying: Array("secret".utf8)), for: software.publicKey)
        #expect(try await envelope.open(with: software).revealed == Array("secret".utf8))
        for count in stride(from: 0, to: envelope.bytes.count, by: 11) {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await RecipientEnvelope(Array(envelope.bytes.prefix(count))).open(with: software)
            }
        }
    }

    @Test(arguments: [
        "9fff", "1818", "f97e00", "5f4101ff", "a1", "81", "9b7fffffffffffffff", "bbffffffffffffffff",
        "5bffffffffffffffff",
        "62c328", "8181818181818100", "1c", "f7", "a201020103", "0000", "",
    ]) func `CBOR that is none, or none of ours, is nil`(hex: String) throws {
        let bytes = try #require(Hexadecimal.decode(hex))
        if hex == "1818" { #expect(CBOR(bytes) == .unsigned(24)) } else { #expect(CBOR(bytes) == nil) }
    }
}
