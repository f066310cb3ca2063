import AtRest
import CTwins
import Foundation
import SQLiteRecordStorage

/// The key service and the envelope, over the cryptography that they cannot do without.
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

    static func envelope() async throws -> [Comparison] {
        let keyring = try RawAESKeyring(namespace: "b", name: "k", key: .random(count: 32))
        let twin = twin_gcm_new([UInt8](0..<32))
        let nonce = [UInt8](repeating: 0, count: 12)
        var all: [Comparison] = []
        for (name, frame) in [("4 KiB frames", 4096), ("1 MiB frames", 1 << 20)] {
            let total = 64 << 20
            let plaintext = [UInt8](repeating: 1, count: total)
            let output = Bytes(frame)
            let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame))
            all.append(
                Comparison(
                    suite: "envelope", name: "0478 encrypt 64 MiB, \(name)", peer: "C",
                    ours: {
                        var sink = DiscardingSink()
                        _ = try await envelope.encrypt(plaintext.span, into: &sink)
                    },
                    theirs: {
                        plaintext.withUnsafeBufferPointer { plaintext in
                            for start in stride(from: 0, to: total, by: frame) {
                                let piece = plaintext.baseAddress?.advanced(by: start)
                                precondition(twin_gcm_seal(twin, nonce, piece, frame, &output.bytes, &output.tag) == 1)
                            }
                        }
                    }))
        }
        all += try python(keyring)
        let small = [UInt8](repeating: 1, count: 100)
        let output = Bytes(100)
        let envelope = Envelope(keyring: keyring, suite: .committing)
        all.append(
            Comparison(
                suite: "envelope", name: "0478 encrypt 100 B", peer: "C",
                ours: { _ = try await envelope.encrypt(small) },
                theirs: { precondition(twin_gcm_seal(twin, nonce, small, 100, &output.bytes, &output.tag) == 1) }))
        return all
    }

    /// A message in memory, and a long one in a stream, on both sides.
    private static func python(_ keyring: RawAESKeyring) throws -> [Comparison] {
        var all: [Comparison] = []
        for (name, frame) in [("4 KiB frames", 4096), ("1 MiB frames", 1 << 20)] {
            let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame))
            let (short, long) = ([UInt8](repeating: 1, count: 1 << 20), [UInt8](repeating: 1, count: 64 << 20))
            guard let memory = PythonSDK(frameByteCount: frame, messageByteCount: short.count, isStreaming: false),
                let stream = PythonSDK(frameByteCount: frame, messageByteCount: long.count, isStreaming: true)
            else {
                FileHandle.standardError.write(Data("no Python SDK here: pip install -r .ci/peers.txt\n".utf8))
                return []
            }
            all += [
                Comparison(
                    suite: "envelope", name: "0478 encrypt 1 MiB, \(name)", peer: "aws-encryption-sdk (Python)",
                    ours: { _ = try await envelope.encrypt(short).count }, elsewhere: memory.encrypt),
                Comparison(
                    suite: "envelope", name: "0478 stream 64 MiB, \(name)", peer: "aws-encryption-sdk (Python)",
                    ours: {
                        var source = ArraySource(long)
                        var sink = DiscardingSink()
                        _ = try await envelope.encrypt(from: &source, into: &sink)
                    }, elsewhere: stream.encrypt),
            ]
        }
        return all
    }
}

private final class Bytes {
    var bytes: [UInt8]
    var tag = [UInt8](repeating: 0, count: 16)
    init(_ count: Int) { bytes = [UInt8](repeating: 0, count: count) }
}

/// Takes bytes and forgets them: what is measured is the sealing.
private struct DiscardingSink: TransactionalSink, ~Copyable {
    mutating func write(_ bytes: Span<UInt8>) {}
    mutating func commit() {}
}
