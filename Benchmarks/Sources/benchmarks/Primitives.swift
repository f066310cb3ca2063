import CTwins
import Crypto
import Cryptography
import Foundation

/// Ours against the C twin on the same libcrypto, and against swift-crypto. Operations are repeated inside a closure, so
/// that calling it costs nothing that shows.
enum Primitives {
    private static let repeats = 100

    static func comparisons() throws -> [Comparison] {
        let keyBytes = [UInt8](0..<32)
        let nonce = [UInt8](repeating: 9, count: 12)
        let gcm = try AESGCM(key: SecretBytes(copying: keyBytes))
        let twin = twin_gcm_new(keyBytes)
        let cryptoKey = SymmetricKey(data: keyBytes)
        var all: [Comparison] = []
        for (name, count) in [("16 B", 16), ("1 KiB", 1024), ("16 KiB", 16384), ("1 MiB", 1 << 20)] {
            let repeats = count > 100_000 ? 1 : repeats
            let plaintext = [UInt8](repeating: 5, count: count)
            let buffers = Buffers(count)
            let twinBuffers = Buffers(count)
            func seal() throws {
                for _ in 0..<repeats { try buffers.seal(gcm, plaintext, nonce) }
            }
            all.append(
                Comparison(
                    suite: "primitives", name: "AES-256-GCM seal \(name)", peer: "C", operations: repeats, ours: seal,
                    theirs: {
                        for _ in 0..<repeats {
                            precondition(
                                twin_gcm_seal(twin, nonce, plaintext, count, &twinBuffers.output, &twinBuffers.tag) == 1
                            )
                        }
                    }))
            try buffers.seal(gcm, plaintext, nonce)
            let (sealed, tag) = (buffers.output, buffers.tag)
            all.append(
                Comparison(
                    suite: "primitives", name: "AES-256-GCM open \(name)", peer: "C", operations: repeats,
                    ours: { for _ in 0..<repeats { try buffers.open(gcm, sealed, tag, nonce) } },
                    theirs: {
                        for _ in 0..<repeats {
                            precondition(twin_gcm_open(twin, nonce, sealed, count, &twinBuffers.output, tag) == 1)
                        }
                    }))
            guard count <= 1024 else { continue }
            let cryptoNonce = try AES.GCM.Nonce(data: nonce)
            all.append(
                Comparison(
                    suite: "primitives", name: "AES-256-GCM seal \(name)", peer: "swift-crypto", operations: repeats,
                    ours: seal,
                    theirs: {
                        for _ in 0..<repeats { _ = try AES.GCM.seal(plaintext, using: cryptoKey, nonce: cryptoNonce) }
                    }))
        }
        return try all + hashes(keyBytes, cryptoKey) + signatures()
    }

    private static func hashes(_ keyBytes: [UInt8], _ cryptoKey: SymmetricKey) throws -> [Comparison] {
        let message = [UInt8](repeating: 5, count: 64)
        let hmac = try Cryptography.HMAC(.sha256, key: SecretBytes(copying: keyBytes))
        let (twinHash, twinHMAC) = (twin_sha256_new(), twin_hmac_new(keyBytes, 32))
        let output = Buffers(32)
        func tag() throws { for _ in 0..<repeats { _ = try hmac.authenticate(message.span) } }
        return [
            Comparison(
                suite: "primitives", name: "SHA-256 64 B", peer: "C", operations: repeats,
                ours: {
                    var context = try HashContext(.sha256)
                    var digest: InlineArray<32, UInt8> = .init(repeating: 0)
                    for _ in 0..<repeats {
                        try context.update(message.span)
                        var span = digest.mutableSpan
                        try context.finish(into: &span)
                    }
                },
                theirs: { for _ in 0..<repeats { _ = twin_sha256_hash(twinHash, message, 64, &output.output) } }),
            Comparison(
                suite: "primitives", name: "HMAC-SHA-256 64 B", peer: "C", operations: repeats, ours: tag,
                theirs: { for _ in 0..<repeats { _ = twin_hmac_tag(twinHMAC, message, 64, &output.output) } }),
            Comparison(
                suite: "primitives", name: "HMAC-SHA-256 64 B", peer: "swift-crypto", operations: repeats, ours: tag,
                theirs: {
                    for _ in 0..<repeats {
                        _ = Crypto.HMAC<SHA256>.authenticationCode(for: message, using: cryptoKey)
                    }
                }),
        ]
    }

    private static func signatures() throws -> [Comparison] {
        let digest = try HashFunction.sha256.hash([1, 2, 3])
        let bytes = digest.array
        let key = try ECDSA.PrivateKey(.p256)
        let publicKey = try ECDSA.PublicKey(.p256, point: key.publicKey.uncompressedPoint)
        let signature = try key.sign(digest)
        let twin = twin_p256_new()
        let output = Buffers(ECDSA.maximumSignatureByteCount)
        var count = 80
        precondition(twin_p256_sign(twin, bytes, &output.output, &count) == 1)
        let (twinSignature, twinCount) = (Array(output.output), count)
        return [
            Comparison(
                suite: "primitives", name: "P-256 sign", peer: "C", ours: { try output.sign(key, digest) },
                theirs: {
                    var count = 80
                    _ = twin_p256_sign(twin, bytes, &output.output, &count)
                }),
            Comparison(
                suite: "primitives", name: "P-256 verify", peer: "C",
                ours: {
                    let isValid = try publicKey.isValid(signature, for: digest)
                    precondition(isValid)
                },
                theirs: { precondition(twin_p256_verify(twin, bytes, twinSignature, twinCount) == 1) }),
        ]
    }
}

/// The caller's buffers.
private final class Buffers {
    var output: [UInt8]
    var tag = [UInt8](repeating: 0, count: 16)

    init(_ count: Int) { output = [UInt8](repeating: 0, count: count) }

    func seal(_ cipher: AESGCM, _ plaintext: [UInt8], _ nonce: [UInt8]) throws {
        var (output, tag): ([UInt8], [UInt8]) = ([], [])
        swap(&output, &self.output)
        swap(&tag, &self.tag)
        defer {
            swap(&output, &self.output)
            swap(&tag, &self.tag)
        }
        var out = output.mutableSpan
        var tagOut = tag.mutableSpan
        try cipher.seal(
            plaintext.span, authenticating: Span(), uniqueNonce: nonce.span, ciphertext: &out, tag: &tagOut)
    }

    func sign(_ key: ECDSA.PrivateKey, _ digest: Cryptography.Digest) throws {
        var output: [UInt8] = []
        swap(&output, &self.output)
        defer { swap(&output, &self.output) }
        var out = output.mutableSpan
        _ = try key.sign(digest, into: &out)
    }

    func open(_ cipher: AESGCM, _ sealed: [UInt8], _ tag: [UInt8], _ nonce: [UInt8]) throws {
        var output: [UInt8] = []
        swap(&output, &self.output)
        defer { swap(&output, &self.output) }
        var out = output.mutableSpan
        try cipher.open(sealed.span, tag: tag.span, authenticating: Span(), nonce: nonce.span, plaintext: &out)
    }
}
