import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct DerivationTests {
    let root: KeyFileRoot
    let store = MemoryRecordStore()
    let service: KeyManagementService

    init() async throws {
        root = try KeyFileRoot(key: .random(count: 32))
        service = try await KeyManagementService(store: store, rootOfTrust: root)
    }

    var client: KeyManagementClient { service.client(for: .user("admin", account: "111122223333")) }

    @Test func `equal messages are equal ciphertexts, under one key and context alone`() async throws {
        let key = try await client.createKey(.aesSIV, alias: "alias/mail")
        let other = try await client.createKey(.aesSIV)
        let mail = Array("alice@example.com".utf8)
        let sealed = try await client.encryptDeterministically(mail, under: key, context: ["field": "mail"])
        #expect(try await client.encryptDeterministically(mail, under: key, context: ["field": "mail"]) == sealed)
        #expect(try await client.encryptDeterministically(mail, under: key, context: ["field": "name"]) != sealed)
        #expect(try await client.encryptDeterministically(mail, under: key) != sealed)
        #expect(try await client.encryptDeterministically(mail, under: other, context: ["field": "mail"]) != sealed)
        #expect(sealed.bytes.count == mail.count + DeterministicCiphertext.overhead)
        // Another process, and after the service's wrapping has changed.
        try await service.rotateDomainKey(unlockedBy: root)
        let again = try await KeyManagementService(store: store, rootOfTrust: root)
            .client(for: .user("admin", account: "111122223333"))
        let named = NamedKey<DeterministicEncryption>("alias/mail")
        #expect(try await again.encryptDeterministically(mail, under: named, context: ["field": "mail"]) == sealed)
        #expect(try await again.decrypt(sealed, under: named, context: ["field": "mail"]).revealed == mail)
        for size in [1, 15, 16, 17, 4096] {
            let message = [UInt8](repeating: 5, count: size)
            let one = try await client.encryptDeterministically(message, under: key)
            #expect(try await client.decrypt(one, under: key).revealed == message)
        }
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await client.encryptDeterministically([], under: key)
        }
        let metadata = try await client.describe(KeyIdentifier(key))
        #expect(metadata.usage == "DETERMINISTIC_ENCRYPT_DECRYPT" && metadata.algorithms == ["AES_256_SIV"])
        await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await client.rotate(KeyIdentifier(key)) }
        // No other operation takes it, by whatever name.
        let disguised = NamedKey<Encryption>(KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.encrypt([1], under: disguised)
        }
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await client.generateMAC(for: [1], with: NamedKey(KeyIdentifier(key)))
        }
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""encryptionContext":{"field":"mail"}"#) })
    }

    @Test func `any flipped bit and any cut is refused alike`() async throws {
        let key = try await client.createKey(.aesSIV)
        let sealed = try await client.encryptDeterministically([1, 2, 3], under: key, context: ["a": "b"])
        for index in sealed.bytes.indices {
            var damaged = sealed.bytes
            damaged[index] ^= 1 << (index % 8)
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await client.decrypt(DeterministicCiphertext(damaged), under: key, context: ["a": "b"])
            }
        }
        for count in sealed.bytes.indices {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await client.decrypt(
                    DeterministicCiphertext(Array(sealed.bytes.prefix(count))), under: key, context: ["a": "b"])
            }
        }
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await client.decrypt(sealed, under: key, context: ["a": "c"])
        }
        let random = try await client.createKey(.symmetric)
        let blob = try await client.encrypt([1], under: random)
        #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try DeterministicCiphertext(blob.bytes) }
        #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try Ciphertext(sealed.bytes + blob.bytes) }
    }

    @Test func `derived keys are the same each time, and for each context another`() async throws {
        let key = try await client.createKey(.hkdfSHA256)
        let first = try await client.deriveKey(from: key, context: ["tenant": "1"])
        #expect(try await client.deriveKey(from: key, context: ["tenant": "1"]).revealed == first.revealed)
        #expect(try await client.deriveKey(from: key, context: ["tenant": "2"]).revealed != first.revealed)
        let longer = try await client.deriveKey(from: key, context: ["tenant": "1"], byteCount: 64)
        #expect(longer.count == 64 && Array(longer.revealed.prefix(32)) == first.revealed)
        let other = try await client.createKey(.hkdfSHA256)
        #expect(try await client.deriveKey(from: other, context: ["tenant": "1"]).revealed != first.revealed)
        for count in [0, 1025] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await client.deriveKey(from: key, context: .none, byteCount: count)
            }
        }
        try await client.disable(KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.disabled)) {
            _ = try await client.deriveKey(from: key, context: ["tenant": "1"])
        }
    }

    /// The layouts of Documentation/Formats/CiphertextBlob.md, from a seed.
    @Test func `the formats are as they are written down`() async throws {
        let material = Data((0..<32).map { UInt8($0) }).base64EncodedString()
        try await service.plant(
            KeySeeds(
                Array(
                    #"""
                    {"keys": [{"account": "111122223333", "id": "siv", "specification": "AES_256_SIV",
                      "usage": "DETERMINISTIC_ENCRYPT_DECRYPT", "material": ["\#(material)"]},
                     {"account": "111122223333", "id": "kdf", "specification": "HKDF_SHA_256", "usage": "DERIVE_KEY",
                      "material": ["\#(material)"]}]}
                    """#.utf8)))
        let sealed = try await client.encryptDeterministically(
            Array("strongroom".utf8), under: NamedKey<DeterministicEncryption>("siv"), context: ["tenant": "42"])
        let derived = try await client.deriveKey(from: NamedKey<Derivation>("kdf"), context: ["tenant": "42"])
        #expect(Hexadecimal.encode(sealed.bytes) == Self.sealed)
        #expect(Hexadecimal.encode(derived.revealed) == Self.derived)
    }

    /// Made by PyPI cryptography 50.0.2 and Python's hmac.
    static let sealed =
        "c501037dbc2eeb43c06ea9a0d12ca6bf96fca87fea27f0316f354d933ee5dbd64a88cf2050ac9b5e11eb39dd18f1d78c4b5580de9a5f2fa6a349a745fe"
    static let derived = "2a0419ee27ad0deb689cf6f8d05788a4108ebc9122c8cee56404c20f60e9a83e"
}
