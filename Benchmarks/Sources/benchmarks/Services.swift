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
        let key = try await client.createKey(.symmetric)
        let plaintext = [UInt8](repeating: 1, count: 1024)
        let sealed = try await client.encrypt(plaintext, under: key, context: ["tenant": "42"])
        let keyBytes = [UInt8](0..<32)
        let twin = twin_gcm_new(keyBytes)
        let nonce = [UInt8](repeating: 0, count: 12)
        let output = Bytes(1024)
        func raw() { precondition(twin_gcm_seal(twin, nonce, plaintext, 1024, &output.bytes, &output.tag) == 1) }
        return [
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
