import AtRest
import StrongroomTestSupport
import Testing

/// What every ``Keyring`` must do.
enum KeyringSuite {
    /// - Parameter stranger: a keyring of the same kind over another key.
    static func check(_ keyring: any Keyring, stranger: any Keyring) async throws {
        for suite in [AlgorithmSuite.committing, .committingSigned] {
            let envelope = Envelope(keyring: keyring, suite: suite)
            let message = try await envelope.encrypt([1, 2, 3], context: ["a": "b"])
            let opened = try await envelope.decrypt(message)
            #expect(opened.plaintext.revealed == [1, 2, 3])
            await #expect(throws: EnvelopeError(.noUsableKey)) {
                _ = try await Envelope(keyring: stranger).decrypt(message).plaintext.count
            }
            // A data key that is sealed for one message opens no other.
            let other = try await envelope.encrypt([1, 2, 3], context: ["a": "c"])
            #expect(other != message)
            try await separates(envelope, message, other)
            try await adds(keyring, stranger, suite)
        }
    }

    /// With the sealed key of one message and all else of another, nothing opens.
    private static func separates(_ envelope: Envelope, _ message: [UInt8], _ other: [UInt8]) async throws {
        for index in message.indices where message[index] != other[min(index, other.count - 1)] {
            var mixed = message
            mixed[index] = other[min(index, other.count - 1)]
            await #expect(throws: EnvelopeError.self) { _ = try await envelope.decrypt(mixed).plaintext.count }
        }
    }

    /// Where another keyring has made the data key, this one seals the same: both open the message.
    private static func adds(_ first: any Keyring, _ second: any Keyring, _ suite: AlgorithmSuite) async throws {
        let both = Envelope(keyring: Sequence(keyrings: [first, second]), suite: suite)
        let message = try await both.encrypt([4, 5])
        for keyring in [first, second] {
            let opened = try await Envelope(keyring: keyring, suite: suite).decrypt(message)
            #expect(opened.plaintext.revealed == [4, 5])
        }
    }

    private struct Sequence: Keyring {
        let keyrings: [any Keyring]

        func sealDataKey(in materials: inout EncryptionMaterials) async throws {
            for keyring in keyrings { try await keyring.sealDataKey(in: &materials) }
        }

        func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
            for keyring in keyrings { try await keyring.openDataKey(keys, in: &materials) }
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

    @Test func `a managed key is a keyring`() async throws {
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)),
            audit: .buffered(lossWindow: .seconds(1)))
        let kms = service.client(for: .user("alice", account: "111122223333"))
        let (one, other) = (try await kms.createKey(.symmetric), try await kms.createKey(.symmetric))
        try await KeyringSuite.check(KMSKeyring(kms, one), stranger: KMSKeyring(kms, other))
    }
}
