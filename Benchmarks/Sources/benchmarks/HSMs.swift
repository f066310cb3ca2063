import CTwins
import Dispatch
import Foundation
import HSMEmulation
import SQLiteRecordStorage

/// A session of the emulated HSM, on disk and with its audit trail, over raw OpenSSL and beside SoftHSM2.
enum HSMs {
    private static let repeats = 50

    static func comparisons() throws -> [Comparison] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("benchmark-\(UUID().uuidString).db")
            .path
        func password() -> SecretBytes { SecretBytes(copying: Array("password".utf8)) }
        let partition = try HSMDevice(store: SQLiteRecordStore(path: path))
            .createPartition("benchmark", administrator: "admin", password: password())
        try partition.administer("admin", password: password()).createUser("user", password: password())
        let session = try partition.logIn("user", password: password())
        let signing = try session.generateKey(.ecdsa(.p256))
        let sealing = try session.generateKey(.aes())
        let digest = try HashFunction.sha256.hash([1, 2, 3])
        let bytes = digest.array
        let plaintext = [UInt8](repeating: 5, count: 1024)
        let nonce = [UInt8](repeating: 9, count: 12)
        let (twin, twinGCM) = (twin_p256_new(), twin_gcm_new([UInt8](0..<32)))
        let (output, buffers, theirs) = (Bytes(80), Bytes(1024), Bytes(1040))

        @Sendable func sign() throws {
            for _ in 0..<repeats { _ = try signing.sign(digest: digest, using: .ecdsaSHA256) }
        }
        func seal() throws {
            for _ in 0..<repeats { try buffers.seal(sealing, plaintext) }
        }
        var all = [
            Comparison(
                suite: "hsm", name: "P-256 sign", peer: "C", operations: repeats, ours: sign,
                theirs: {
                    for _ in 0..<repeats {
                        var count = 80
                        _ = twin_p256_sign(twin, bytes, &output.bytes, &count)
                    }
                }),
            Comparison(
                suite: "hsm", name: "P-256 sign, two threads", peer: "one thread", operations: 2 * 1000,
                ours: { DispatchQueue.concurrentPerform(iterations: 2) { _ in for _ in 0..<20 { try? sign() } } },
                theirs: { for _ in 0..<40 { try sign() } }, isWallTime: true),
            Comparison(
                suite: "hsm", name: "AES-256-GCM seal 1 KiB", peer: "C", operations: repeats, ours: seal,
                theirs: {
                    for _ in 0..<repeats {
                        _ = twin_gcm_seal(twinGCM, nonce, plaintext, 1024, &theirs.bytes, &theirs.tag)
                    }
                }),
        ]
        guard let softHSM = twin_softhsm_new() else {
            print("no SoftHSM2 here: apt-get install softhsm2 libp11-kit-dev")
            return all
        }
        all += [
            Comparison(
                suite: "hsm", name: "P-256 sign", peer: "SoftHSM2", operations: repeats, ours: sign,
                theirs: {
                    for _ in 0..<repeats { precondition(twin_softhsm_sign(softHSM, bytes, &output.bytes) == 1) }
                }),
            Comparison(
                suite: "hsm", name: "AES-256-GCM seal 1 KiB", peer: "SoftHSM2", operations: repeats, ours: seal,
                theirs: {
                    for _ in 0..<repeats {
                        precondition(twin_softhsm_seal(softHSM, nonce, plaintext, 1024, &theirs.bytes) == 1)
                    }
                }),
        ]
        return all
    }
}

extension Bytes {
    fileprivate func seal(_ key: HSMKey<HSMSealing>, _ plaintext: [UInt8]) throws {
        var nonce: InlineArray<12, UInt8> = .init(repeating: 0)
        var nonceSpan = nonce.mutableSpan
        // Class members cannot lend their span; the arrays are taken out meanwhile.
        var (output, tag): ([UInt8], [UInt8]) = ([], [])
        swap(&output, &bytes)
        swap(&tag, &self.tag)
        defer {
            swap(&output, &bytes)
            swap(&tag, &self.tag)
        }
        var ciphertext = output.mutableSpan
        var tagSpan = tag.mutableSpan
        try key.seal(plaintext.span, drawing: &nonceSpan, ciphertext: &ciphertext, tag: &tagSpan)
    }
}
