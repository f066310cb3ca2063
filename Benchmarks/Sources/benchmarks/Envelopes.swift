import AtRest
import CTwins
import Foundation

/// The envelope, over the cryptography that it cannot do without, and over its peers.
enum Envelopes {
    private static let long = 64 << 20
    private static let frames = [("4 KiB frames", 4096), ("1 MiB frames", 1 << 20)]

    static func comparisons() async throws -> [Comparison] {
        let keyring = try RawAESKeyring(namespace: "b", name: "k", key: .random(count: 32))
        return raw(keyring) + cores(keyring) + (try small(keyring)) + (try python(keyring)) + (try age(keyring))
    }

    /// One core, from memory, over the cipher alone; and where messages are signed, over cipher and hash.
    private static func raw(_ keyring: RawAESKeyring) -> [Comparison] {
        let plaintext = [UInt8](repeating: 1, count: long)
        let (twin, hash) = (twin_gcm_new([UInt8](0..<32)), twin_sha384_new())
        let nonce = [UInt8](repeating: 0, count: 12)
        var all: [Comparison] = []
        for (name, frame) in frames {
            let output = Bytes(frame)
            for suite in [AlgorithmSuite.committing, .committingSigned] {
                let envelope = Envelope(keyring: keyring, suite: suite, framing: .frames(of: frame))
                let isSigned = suite.isSigned
                all.append(
                    Comparison(
                        suite: "envelope", name: "\(suite) encrypt 64 MiB, \(name)", peer: "C",
                        ours: {
                            var sink = DiscardingSink()
                            _ = try await envelope.encrypt(plaintext.span, into: &sink)
                        },
                        theirs: {
                            var digest = [UInt8](repeating: 0, count: 48)
                            twin_sha384_begin(hash)
                            plaintext.withUnsafeBufferPointer { plaintext in
                                for start in stride(from: 0, to: long, by: frame) {
                                    let piece = plaintext.baseAddress?.advanced(by: start)
                                    precondition(
                                        twin_gcm_seal(twin, nonce, piece, frame, &output.bytes, &output.tag) == 1)
                                    if isSigned { twin_sha384_update(hash, output.bytes, frame) }
                                }
                            }
                            twin_sha384_end(hash, &digest)
                        }))
            }
        }
        return all
    }

    /// Two cores over one: the time that passes.
    private static func cores(_ keyring: RawAESKeyring) -> [Comparison] {
        let plaintext = [UInt8](repeating: 1, count: 256 << 20)
        let (one, two) = (1, 2)
        func envelope(_ cores: Int) -> Envelope {
            Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 1 << 16), cores: cores)
        }
        let message = Message()
        func seal(_ cores: Int) async throws {
            var sink = DiscardingSink()
            _ = try await envelope(cores).encrypt(plaintext, into: &sink)
        }
        func open(_ cores: Int) async throws {
            if message.bytes.isEmpty { message.bytes = try await envelope(1).encrypt(plaintext) }
            var sink = DiscardingSink()
            _ = try await envelope(cores).decrypt(message.bytes, into: &sink)
        }
        return [
            Comparison(
                suite: "cores", name: "0478 encrypt 256 MiB on two cores", peer: "one core",
                ours: { try await seal(two) },
                theirs: { try await seal(one) }, isWallTime: true),
            Comparison(
                suite: "cores", name: "0478 decrypt 256 MiB on two cores", peer: "one core",
                ours: { try await open(two) },
                theirs: { try await open(one) }, isWallTime: true),
        ]
    }

    /// Messages of 100 bytes.
    private static func small(_ keyring: RawAESKeyring) throws -> [Comparison] {
        let plaintext = [UInt8](repeating: 1, count: 100)
        let (twin, nonce, output) = (twin_gcm_new([UInt8](0..<32)), [UInt8](repeating: 0, count: 12), Bytes(100))
        let caching = try CachingMaterialsManager(DefaultMaterialsManager(keyring), timeToLive: .seconds(3600))
        let plain = Envelope(keyring: keyring, suite: .committing)
        let cached = Envelope(manager: caching, suite: .committing)
        func raw() { precondition(twin_gcm_seal(twin, nonce, plaintext, 100, &output.bytes, &output.tag) == 1) }
        return [
            Comparison(
                suite: "envelope", name: "0478 encrypt 100 B", peer: "C",
                ours: { _ = try await plain.encrypt(plaintext) }, theirs: raw),
            Comparison(
                suite: "envelope", name: "0478 encrypt 100 B, cached key", peer: "C",
                ours: { _ = try await cached.encrypt(plaintext) }, theirs: raw),
        ]
    }

    /// A message in memory, and a long one in a stream, on both sides.
    private static func python(_ keyring: RawAESKeyring) throws -> [Comparison] {
        var all: [Comparison] = []
        let short = [UInt8](repeating: 1, count: 1 << 20)
        let plaintext = [UInt8](repeating: 1, count: long)
        for (name, frame) in frames {
            let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame))
            guard let memory = PythonSDK(frameByteCount: frame, messageByteCount: short.count, isStreaming: false),
                let stream = PythonSDK(frameByteCount: frame, messageByteCount: long, isStreaming: true)
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
                        var source = ArraySource(plaintext)
                        var sink = DiscardingSink()
                        _ = try await envelope.encrypt(from: &source, into: &sink)
                    }, elsewhere: stream.encrypt),
            ]
        }
        return all
    }

    /// Files of 64 MiB; what comes out is forgotten on both sides.
    private static func age(_ keyring: RawAESKeyring) throws -> [Comparison] {
        guard let age = try Age(byteCount: long) else {
            FileHandle.standardError.write(Data("no age here: apt-get install age\n".utf8))
            return []
        }
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 1 << 16))
        let sealed = age.folder.appendingPathComponent("sealed").path
        func seal() async throws {
            var source = try FileSource(path: age.plaintext)
            var sink = DiscardingSink()
            _ = try await envelope.encrypt(from: &source, into: &sink)
        }
        func open() async throws {
            if !FileManager.default.fileExists(atPath: sealed) {
                _ = try await envelope.encryptFile(age.plaintext, to: sealed)
            }
            var source = try FileSource(path: sealed)
            var sink = DiscardingSink()
            _ = try await envelope.decrypt(from: &source, into: &sink)
        }
        return [
            Comparison(
                suite: "envelope", name: "0478 encrypt a file of 64 MiB", peer: "age (Debian)", ours: seal,
                elsewhere: age.encrypt),
            Comparison(
                suite: "envelope", name: "0478 decrypt a file of 64 MiB", peer: "age (Debian)", ours: open,
                elsewhere: age.decrypt),
        ]
    }

    private final class Message { var bytes: [UInt8] = [] }
}

/// Takes bytes and forgets them: what is measured is the sealing.
struct DiscardingSink: TransactionalSink, ~Copyable {
    mutating func write(_ bytes: Span<UInt8>) {}
    mutating func commit() {}
}
