import AtRest
import Cryptography
import Foundation
import KeyManagement
import RecordStorage

/// What the targets work with: keys that are the same in every run, so that a found input can be run again.
enum Fixtures {
    static let rootKey = [UInt8](repeating: 1, count: 32)
    static let account = "111122223333"

    static let keyring: RawAESKeyring = {
        let key = SecretBytes(copying: [UInt8](repeating: 2, count: 32))
        guard let keyring = try? RawAESKeyring(namespace: "fuzz", name: "key", key: key) else { fatalError() }
        return keyring
    }()
    static let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 32))

    /// Opens whatever suite a message has, and seals in one block without commitment.
    static let older = Envelope(
        keyring: keyring, suite: .aes256GCM, framing: .singleBlock, policy: .forbidEncryptAllowDecrypt)

    /// The headers of messages whose bodies the fuzzer writes: version 2 in frames, version 1 in one block.
    nonisolated(unsafe) static var messageHeads: [[UInt8]] = []
    nonisolated(unsafe) static var service: KeyManagementService?
    static let store = ForgetfulStore()
    nonisolated(unsafe) static var importKey: KeyIdentifier = "none"
    nonisolated(unsafe) static var importParameters: ImportParameters?
    nonisolated(unsafe) static var wrapped: [UInt8] = []

    static let recipient: RSA.PrivateKey = {
        guard let key = try? RSA.PrivateKey(bits: 2048) else { fatalError() }
        return key
    }()

    static let signingKey: ECDSA.PrivateKey = {
        let scalar = SecretBytes(copying: [UInt8](repeating: 3, count: 32))
        guard let key = try? ECDSA.PrivateKey(.p256, scalar: scalar) else { fatalError() }
        return key
    }()
    static let verificationKey = { () -> ECDSA.PublicKey in
        guard let key = try? signingKey.publicKey else { fatalError() }
        return key
    }()
    static let digest = { () -> Digest in
        guard let digest = try? HashFunction.sha256.hash([1, 2, 3]) else { fatalError() }
        return digest
    }()

    static func prepare() async throws {
        let root = try KeyFileRoot(key: SecretBytes(copying: rootKey))
        let service = try await KeyManagementService(
            store: store, rootOfTrust: root, audit: .buffered(lossWindow: .seconds(3600)))
        self.service = service
        AWSInputs.prepare(service)
        _ = try await client().createKey(.symmetric, alias: "alias/a")
        let key = KeyIdentifier(try await client().createKeyForImport(.ecdsa(.p256)))
        let parameters = try await client().importParameters(
            for: key, wrapping: .rsaAESKeyWrapSHA256, keySize: .bits2048)
        (importKey, importParameters) = (key, parameters)
        wrapped = try parameters.wrap(signingKey.pkcs8())
        // Without the last frame: end mark, number, nonce, length, tag; and without the block: nonce, length, tag.
        messageHeads = [
            try await envelope.encrypt([]).dropLast(4 + 4 + 12 + 4 + 16),
            try await older.encrypt([]).dropLast(12 + 8 + 16),
        ]
    }

    static func client() -> KeyManagementClient {
        guard let service else { fatalError("prepare first") }
        return service.client(for: .root(account: account))
    }

    /// Opens a store one of whose records has been replaced: which one is the first byte, by what is the rest.
    static func open(damagedBy bytes: [UInt8]) async throws {
        guard let choice = bytes.first else { return }
        let copy = MemoryRecordStore()
        let records = try store.records(prefix: "").filter { !$0.name.description.hasPrefix("audit") }
        for (index, record) in records.enumerated() {
            let isChosen = index == Int(choice) % records.count
            let value = isChosen ? Array(bytes.dropFirst()) : record.value
            for _ in 1..<record.version { try copy.commit([.put(record.name, [], expecting: .anything)]) }
            try copy.commit([.put(record.name, value, expecting: .anything)])
        }
        _ = try await KeyManagementService(store: copy, rootOfTrust: KeyFileRoot(key: SecretBytes(copying: rootKey)))
        fatalError("a store with a foreign record opened")
    }
}
