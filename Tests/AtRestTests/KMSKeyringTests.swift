import AtRest
import Foundation
import StrongroomTestSupport
import Testing

@Suite struct KMSKeyringTests {
    func service() async throws -> KeyManagementService {
        try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)),
            audit: .buffered(lossWindow: .seconds(1)))
    }

    @Test func `a managed key is a keyring`() async throws {
        let kms = try await service().client(for: .user("alice", account: "111122223333"))
        let (one, other) = (try await kms.createKey(.symmetric), try await kms.createKey(.symmetric))
        try await KeyringSuite.check(KMSKeyring(kms, one), stranger: KMSKeyring(kms, other))
    }

    @Test func `a client seals payloads of any size, with a data key for each or for some`() async throws {
        let service = try await service()
        let kms = service.client(for: .user("alice", account: "111122223333"))
        let key = try await kms.createKey(.symmetric)
        let payload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let message = try await kms.encrypt(payload: payload, under: key, context: ["a": "b"])
        #expect(
            try await kms.decrypt(payload: message, under: key, expecting: ["a": "b"]).plaintext.revealed == payload)
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await kms.decrypt(payload: message, under: key, expecting: ["a": "c"]).plaintext.count
        }
        func calls() async throws -> Int {
            try await service.auditEvents().count { $0.contains(#""eventName":"GenerateDataKey""#) }
        }
        let before = try await calls()
        let caching = try kms.envelope(under: key, reusingDataKeysFor: .seconds(600))
        for _ in 0..<5 { _ = try await caching.encrypt(payload) }
        #expect(try await calls() == before + 1)
        #expect(throws: EnvelopeError(.invalidKeyring)) {
            _ = try kms.envelope(under: key, reusingDataKeysFor: .zero)
        }
    }

    @Test func `discovery opens what any key within the filter has sealed`() async throws {
        let kms = try await service().client(for: .user("alice", account: "111122223333"))
        let (one, other) = (try await kms.createKey(.symmetric), try await kms.createKey(.symmetric))
        func discovery(
            partition: String = "aws", _ accounts: Set<String>, _ regions: Set<String>? = nil
        ) -> KMSDiscoveryKeyring {
            KMSDiscoveryKeyring(kms, .init(partition: partition, accounts: accounts, regions: regions))
        }
        let own = discovery(["111122223333"])
        try await KeyringSuite.check(KMSKeyring(kms, one), opening: own, stranger: discovery(["444455556666"]))
        let message = try await Envelope(keyring: KMSKeyring(kms, one)).encrypt([1])
        for keyring in [own, discovery(["444455556666", "111122223333"], ["us-east-1", "eu-west-1"])] {
            #expect(try await Envelope(keyring: keyring).decrypt(message).plaintext.revealed == [1])
        }
        for keyring in [
            discovery([]), discovery(["111122223333"], []), discovery(["111122223333"], ["eu-west-1"]),
            discovery(partition: "aws-cn", ["111122223333"]),
        ] {
            await #expect(throws: EnvelopeError(.noUsableKey)) {
                _ = try await Envelope(keyring: keyring).decrypt(message).plaintext.count
            }
        }
        await #expect(throws: EnvelopeError(.invalidKeyring)) { _ = try await Envelope(keyring: own).encrypt([1]) }
        // A key that is switched off is passed over where another one opens; alone, its refusal is the error.
        let both = try await Envelope(
            keyring: MultiKeyring(generator: KMSKeyring(kms, one), children: [KMSKeyring(kms, other)])
        ).encrypt([2])
        try await kms.disable(KeyIdentifier(one))
        #expect(try await Envelope(keyring: own).decrypt(both).plaintext.revealed == [2])
        await #expect(throws: EnvelopeError(.keyService)) {
            _ = try await Envelope(keyring: own).decrypt(message).plaintext.count
        }
    }

    @Test func `a managed key seals envelopes, and its trail shows it`() async throws {
        let service = try await service()
        let kms = service.client(for: .user("alice", account: "111122223333"))
        let orders = try await kms.createKey(.symmetric)
        let file = Array("a file".utf8)
        let message = try await Envelope(keyring: KMSKeyring(kms, orders)).encrypt(file, context: ["dept": "tax"])
        let opened = try await Envelope(keyring: KMSKeyring(kms, orders)).decrypt(message)
        #expect(opened.plaintext.revealed == file)
        let other = try await kms.createKey(.symmetric)
        await #expect(throws: EnvelopeError(.noUsableKey)) {
            _ = try await Envelope(keyring: KMSKeyring(kms, other)).decrypt(message).plaintext.count
        }
        try await kms.disable(KeyIdentifier(orders))
        await #expect(throws: EnvelopeError(.keyService)) {
            _ = try await Envelope(keyring: KMSKeyring(kms, orders)).decrypt(message).plaintext.count
        }
        let names = try await service.auditEvents().compactMap { line in
            line.firstMatch(of: /"eventName":"(\w+)"/).map { String($0.1) }
        }
        #expect(
            names == ["CreateKey", "GenerateDataKey", "Decrypt", "CreateKey", "DisableKey", "Decrypt"])
    }
}
