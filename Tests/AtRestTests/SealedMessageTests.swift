import AtRest
import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

/// Counts what is read of an array.
private final class CountingSource: RandomAccessSource {
    private let inner: RandomAccessBytes
    private let count = Mutex(0)
    init(_ bytes: [UInt8]) { inner = RandomAccessBytes(bytes) }
    var byteCount: Int { inner.byteCount }
    var bytesRead: Int { count.withLock { $0 } }
    func reset() { count.withLock { $0 = 0 } }
    func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws -> Int {
        let read = try inner.read(at: offset, into: &bytes)
        count.withLock { $0 += read }
        return read
    }
}

@Suite struct SealedMessageTests {
    let keyring: RawAESKeyring

    init() throws { keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32)) }

    @Test(arguments: [0, 1, 9, 10, 11, 20, 95, 100])
    func `every range of a message is what was sealed`(_ count: Int) async throws {
        for suite in [AlgorithmSuite.committing, .aes128GCMSHA256, .aes192GCM] {
            let envelope = Envelope(
                keyring: keyring, suite: suite, framing: .frames(of: 10),
                policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
            let plaintext = [UInt8](0..<UInt8(count))
            let message = try await envelope.open(
                RandomAccessBytes(try await envelope.encrypt(plaintext, context: ["a": "b"])), expecting: ["a": "b"])
            #expect(message.byteCount == count && message.description.context == ["a": "b"])
            for start in 0...count {
                for end in start...count {
                    #expect(try message.read(start..<end).revealed == Array(plaintext[start..<end]))
                }
            }
            for range in [-1..<0, 0..<(count + 1), (count + 1)..<(count + 1), count..<(count + 5)] {
                #expect(throws: EnvelopeError(.outOfRange)) { _ = try message.read(range).count }
                #expect(throws: EnvelopeError(.outOfRange)) { _ = try message.read(0..<Int.max).count }
            }
        }
    }

    @Test func `a range reads its frames and at most two more`() async throws {
        let frame = 4096
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame))
        let plaintext = try SystemRandom().bytes(count: 8 << 20)
        let source = CountingSource(try await envelope.encrypt(plaintext))
        let message = try await envelope.open(source)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            source.reset()
            let start = Int.random(in: 0...(7 << 20), using: &random)
            let range = start..<(start + (1 << 20))
            #expect(try message.read(range).revealed == Array(plaintext[range]))
            #expect(source.bytesRead <= ((1 << 20) / frame + 2) * (frame + 32))
        }
        source.reset()
        #expect(try message.read(5..<6).revealed == [plaintext[5]])
        #expect(source.bytesRead == frame + 32)
    }

    /// A gibibyte on the disk, of which a mebibyte is read.
    @Test func `a mebibyte out of a gibibyte`() async throws {
        let folder = try TemporaryFolder()
        let (frame, total) = (1 << 16, 1 << 30)
        try Data().write(to: folder.url.appendingPathComponent("in"))
        try FileHandle(forWritingTo: folder.url.appendingPathComponent("in")).truncate(atOffset: UInt64(total))
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: frame), cores: 2)
        _ = try await envelope.encryptFile(folder.path("in"), to: folder.path("sealed"))
        let sealed = try RandomAccessFile(path: folder.path("sealed"))
        let counting = FileCount(sealed)
        let message = try await envelope.open(counting)
        #expect(message.byteCount == total)
        let opening = counting.bytesRead
        #expect(opening <= 2 * (frame + 32) + 8192)
        let part = try message.read((total / 2 + 5)..<(total / 2 + 5 + (1 << 20)))
        #expect(part.count == 1 << 20 && part.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == 0 } })
        #expect(counting.bytesRead - opening <= ((1 << 20) / frame + 2) * (frame + 32))
    }

    private final class FileCount: RandomAccessSource {
        private let inner: RandomAccessFile
        private let count = Mutex(0)
        init(_ inner: RandomAccessFile) { self.inner = inner }
        var byteCount: Int { inner.byteCount }
        var bytesRead: Int { count.withLock { $0 } }
        func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws -> Int {
            let read = try inner.read(at: offset, into: &bytes)
            count.withLock { $0 += read }
            return read
        }
    }

    @Test func `what is cut, extended or damaged is refused, at opening or where it is read`() async throws {
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 10))
        let message = try await envelope.encrypt([UInt8](0..<95))
        let header = try Envelope.inspect(message).byteCount
        for count in 0..<message.count {
            await #expect(throws: EnvelopeError(.notAuthentic), "cut at \(count)") {
                _ = try await envelope.open(RandomAccessBytes(Array(message.prefix(count))))
            }
        }
        for extra in 1...50 {
            await #expect(throws: EnvelopeError(.notAuthentic)) {
                _ = try await envelope.open(RandomAccessBytes(message + [UInt8](repeating: 0, count: extra)))
            }
        }
        // Damage in the third frame: the others can be read.
        var damaged = message
        damaged[header + 2 * 42 + 20] ^= 1
        let opened = try await envelope.open(RandomAccessBytes(damaged))
        #expect(try opened.read(0..<20).revealed == [UInt8](0..<20))
        #expect(try opened.read(30..<95).revealed == [UInt8](30..<95))
        var buffer = [UInt8](repeating: 7, count: 30)
        #expect(throws: EnvelopeError(.notAuthentic)) {
            var span = buffer.mutableSpan
            try opened.read(from: 5, into: &span)
        }
        #expect(buffer.allSatisfy { $0 == 0 })
        // A frame in another's place is not authentic there.
        var swapped = message
        swapped.replaceSubrange(header..<(header + 42), with: message[(header + 42)..<(header + 84)])
        let moved = try await envelope.open(RandomAccessBytes(swapped))
        #expect(throws: EnvelopeError(.notAuthentic)) { _ = try moved.read(0..<1).count }
    }

    @Test func `signed messages and single blocks are read as a whole`() async throws {
        for (suite, framing) in [
            (AlgorithmSuite.committingSigned, Framing.standard), (.committing, .singleBlock),
        ] {
            let envelope = Envelope(keyring: keyring, suite: suite, framing: framing)
            let message = try await envelope.encrypt([1])
            await #expect(throws: EnvelopeError(.unsupported)) {
                _ = try await envelope.open(RandomAccessBytes(message))
            }
        }
    }

    @Test func `several tasks read at once`() async throws {
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 1000))
        let plaintext = try SystemRandom().bytes(count: 300_000)
        let message = try await envelope.open(RandomAccessBytes(try await envelope.encrypt(plaintext)))
        let isSame = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let range = (index * 2000)..<(index * 2000 + 50_000)
                    return try message.read(range).revealed == Array(plaintext[range])
                }
            }
            return try await group.reduce(true) { $0 && $1 }
        }
        #expect(isSame)
    }
}

@Suite struct RewrappingTests {
    @Test func `a new key opens the message, the old one does not, and the body stays`() async throws {
        let old = try RawAESKeyring(namespace: "n", name: "old", key: .random(count: 32))
        let new = try RawAESKeyring(namespace: "n", name: "new", key: .random(count: 32))
        let plaintext = [UInt8](repeating: 3, count: 10_000)
        for suite in AlgorithmSuite.all where !suite.isSigned && !suite.isCommitting {
            for framing in [Framing.frames(of: 1000), .singleBlock] {
                let policy = CommitmentPolicy.forbidEncryptAllowDecrypt
                let before = Envelope(
                    manager: RequiredContextManager(["tenant"], keyring: old), suite: suite, framing: framing,
                    policy: policy)
                let context: EncryptionContext = ["a": "b", "tenant": "42"]
                let message = try await before.encrypt(plaintext, context: context)
                let moved = try await before.rewrap(message, for: new, expecting: ["tenant": "42"])
                #expect(moved.suffix(10_000) == message.suffix(10_000))
                // Two headers under one key never share a nonce.
                let nonces = try [message, moved].map { bytes in
                    bytes[..<(try Envelope.inspect(bytes).byteCount - 16)].suffix(12)
                }
                #expect(nonces[0] != nonces[1] && nonces[1].first.map { $0 >= 0x80 } == true)
                let after = Envelope(keyring: new, policy: policy)
                #expect(try await after.decrypt(moved, expecting: context).plaintext.revealed == plaintext)
                await #expect(throws: EnvelopeError.self) {
                    _ = try await Envelope(keyring: old, policy: policy).decrypt(moved, expecting: context)
                        .plaintext.count
                }
                // To several readers at once.
                let both = try await after.rewrap(
                    moved, for: MultiKeyring(generator: new, children: [old]), expecting: ["tenant": "42"])
                #expect(try await before.decrypt(both, expecting: context).plaintext.revealed == plaintext)
                await #expect(throws: EnvelopeError.self) {
                    _ = try await before.rewrap(message, for: new, expecting: ["tenant": "43"])
                }
            }
        }
    }

    @Test func `what is not authentic or signed is not re-wrapped`() async throws {
        let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        let committed = try await Envelope(keyring: keyring, suite: .committing).encrypt([1])
        await #expect(throws: EnvelopeError(.unsupported)) {
            _ = try await Envelope(keyring: keyring).rewrap(committed, for: keyring)
        }
        let envelope = Envelope(
            keyring: keyring, suite: .aes256GCMSHA256, policy: .forbidEncryptAllowDecrypt)
        let message = try await envelope.encrypt([1, 2, 3], context: ["a": "b"])
        let header = try Envelope.inspect(message).byteCount
        for index in 0..<header {
            var damaged = message
            damaged[index] ^= 1
            await #expect(throws: EnvelopeError.self) { _ = try await envelope.rewrap(damaged, for: keyring) }
        }
        let signed = try await Envelope(keyring: keyring).encrypt([1])
        await #expect(throws: EnvelopeError(.unsupported)) { _ = try await envelope.rewrap(signed, for: keyring) }
    }

    @Test func `files are re-wrapped in place, and a managed key takes over from another`() async throws {
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)))
        let kms = service.client(for: .root(account: "111122223333"))
        let (one, two) = (try await kms.createKey(.symmetric), try await kms.createKey(.symmetric))
        let folder = try TemporaryFolder()
        try Data(count: 1_000_000).write(to: folder.url.appendingPathComponent("in"))
        let policy = CommitmentPolicy.forbidEncryptAllowDecrypt
        let before = Envelope(keyring: KMSKeyring(kms, one), suite: .aes256GCMSHA256, policy: policy)
        _ = try await before.encryptFile(folder.path("in"), to: folder.path("sealed"))
        try await before.rewrapFile(
            folder.path("sealed"), to: folder.path("sealed"), replacing: true, for: KMSKeyring(kms, two))
        let information = try Envelope.inspectFile(folder.path("sealed")).encryptedDataKeys[0].information
        #expect(String(decoding: information, as: UTF8.self) == two.arn.description)
        try await kms.disable(KeyIdentifier(one))
        _ = try await Envelope(keyring: KMSKeyring(kms, two), policy: policy).compareFile(
            folder.path("sealed"), with: folder.path("in"))
    }
}
