import AccessPolicy
import AtRest
import CTwins
import Foundation
import SQLiteRecordStorage

/// The key service, over the cryptography that it cannot do without.
enum Services {
    static func keyManagement() async throws -> [Comparison] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("benchmark-\(UUID().uuidString).db")
            .path
        let service = try await KeyManagementService(
            store: SQLiteRecordStore(path: path), rootOfTrust: KeyFileRoot(key: .random(count: 32)),
            audit: .buffered(lossWindow: .milliseconds(500)))
        let client = service.client(for: .user("alice", account: "111122223333"))
        // As a team would have it: others have grants, and nobody seals for tenants that there are not, or signs in another way.
        let policy = try PolicyDocument(
            """
            {"Version": "2012-10-17", "Statement": [
              {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
              {"Sid": "Tenants", "Effect": "Deny", "Principal": "*", "Resource": "*",
               "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
               "Condition": {"StringNotEquals": {"kms:EncryptionContext:tenant": ["41", "42"]}}},
              {"Sid": "Algorithms", "Effect": "Deny", "Principal": "*", "Action": "kms:Sign", "Resource": "*", "Condition":
               {"StringNotEquals": {"kms:SigningAlgorithm": ["ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256"]}}}]}
            """)
        func granted<Purpose>(
            _ specification: KeySpecification<Purpose>, _ operations: Set<GrantOperation>
        ) async throws -> Key<Purpose> {
            let key = try await client.createKey(specification, policy: policy)
            for name in ["bob", "carol", "dave"] {
                _ = try await client.createGrant(
                    on: KeyIdentifier(key), to: .user(name, account: "111122223333"), allowing: operations)
            }
            return key
        }
        let key = try await granted(.symmetric, [.encrypt, .decrypt])
        let plaintext = [UInt8](repeating: 1, count: 1024)
        let sealed = try await client.encrypt(plaintext, under: key, context: ["tenant": "42"])
        let keyBytes = [UInt8](0..<32)
        let twin = twin_gcm_new(keyBytes)
        let nonce = [UInt8](repeating: 0, count: 12)
        let output = Bytes(1024)
        func raw() { precondition(twin_gcm_seal(twin, nonce, plaintext, 1024, &output.bytes, &output.tag) == 1) }
        let digest = try HashFunction.sha256.hash([1, 2, 3])
        let (curveKey, rsaKey) = (
            try await granted(.ecdsa(.p256), [.sign]), try await granted(.rsa(.bits2048), [.sign])
        )
        let (rawCurve, rawRSA) = (try ECDSA.PrivateKey(.p256), try RSA.PrivateKey(bits: 2048))
        @Sendable func encrypt(_ count: Int) async throws {
            for _ in 0..<count { _ = try await client.encrypt(plaintext, under: key, context: ["tenant": "42"]) }
        }
        return [
            Comparison(
                suite: "kms", name: "sign P-256", peer: "the same alone",
                ours: { _ = try await client.sign(digest: digest, with: curveKey, using: .ecdsaSHA256) },
                theirs: { _ = try rawCurve.sign(digest: digest, using: .ecdsaSHA256) }),
            Comparison(
                suite: "kms", name: "sign RSA-2048", peer: "the same alone",
                ours: { _ = try await client.sign(digest: digest, with: rsaKey, using: .rsaPKCS1v15SHA256) },
                theirs: { _ = try rawRSA.sign(digest: digest, using: .rsaPKCS1v15SHA256) }),
            Comparison(
                suite: "kms", name: "encrypt 1 KiB, two threads", peer: "one thread", operations: 2 * 1000,
                ours: {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<2 { group.addTask { try await encrypt(1000) } }
                        try await group.waitForAll()
                    }
                }, theirs: { try await encrypt(2000) }, isWallTime: true),
            Comparison(
                suite: "kms", name: "encrypt 1 KiB", peer: "C",
                ours: { _ = try await client.encrypt(plaintext, under: key, context: ["tenant": "42"]) }, theirs: raw),
            Comparison(
                suite: "kms", name: "decrypt 1 KiB", peer: "C",
                ours: { _ = try await client.decrypt(sealed, context: ["tenant": "42"]).count }, theirs: raw),
            Comparison(
                suite: "kms", name: "generateDataKey", peer: "C",
                ours: { _ = try await client.generateDataKey(under: key, context: ["tenant": "42"]).ciphertext },
                theirs: raw),
        ]
    }
}

/// The twin's buffers.
final class Bytes {
    var bytes: [UInt8]
    var tag = [UInt8](repeating: 0, count: 16)
    init(_ count: Int) { bytes = [UInt8](repeating: 0, count: count) }
}
