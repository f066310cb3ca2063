import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

@testable import AtRest

/// A keyring that counts how often it is asked, and takes its time.
final class CountingKeyring: Keyring {
    private let inner: RawAESKeyring
    private let counts = Mutex((sealed: 0, opened: 0))
    private let delay: Duration

    init(delay: Duration = .zero) throws {
        inner = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        self.delay = delay
    }

    var sealed: Int { counts.withLock { $0.sealed } }
    var opened: Int { counts.withLock { $0.opened } }

    func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        counts.withLock { $0.sealed += 1 }
        if delay > .zero { try await Task.sleep(for: delay) }
        try await inner.sealDataKey(in: &materials)
    }

    func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        counts.withLock { $0.opened += 1 }
        try await inner.openDataKey(keys, in: &materials)
    }
}

@Suite struct RequiredContextTests {
    @Test(arguments: AlgorithmSuite.all)
    func `held-out pairs are not in the message, and needed to open it`(_ suite: AlgorithmSuite) async throws {
        let keyring = try CountingKeyring()
        let policy: CommitmentPolicy =
            suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt
        let manager = RequiredContextManager(["tenant"], keyring: keyring)
        let envelope = Envelope(manager: manager, suite: suite, policy: policy)
        let message = try await envelope.encrypt([7], context: ["tenant": "Miller & Co", "dept": "tax"])
        let header = try Envelope.inspect(message)
        #expect(header.context.pairs["tenant"] == nil && header.context.pairs["dept"] == "tax")
        #expect(message.firstRange(of: Array("Miller".utf8)) == nil)
        let opened = try await envelope.decrypt(message, expecting: ["tenant": "Miller & Co"])
        #expect(opened.plaintext.revealed == [7] && opened.context.pairs["tenant"] == "Miller & Co")
        // The default manager opens it too, for whoever states the pair.
        let plain = Envelope(keyring: keyring, policy: policy)
        let again = try await plain.decrypt(message, expecting: ["tenant": "Miller & Co", "dept": "tax"])
        #expect(again.plaintext.revealed == [7])
        for expected in [EncryptionContext.none, ["dept": "tax"]] {
            await #expect(throws: EnvelopeError(.contextMismatch)) {
                _ = try await envelope.decrypt(message, expecting: expected).plaintext.count
            }
            await #expect(throws: EnvelopeError(.noUsableKey)) {
                _ = try await plain.decrypt(message, expecting: expected).plaintext.count
            }
        }
        for expected in [
            ["tenant": "Miller"], ["tenant": "Miller & Co", "more": "x"], ["tenant": "Miller & Co", "dept": "sales"],
            ["tenant": "Miller & Co", "aws-crypto-x": "y"],
        ] as [EncryptionContext] {
            await #expect(throws: EnvelopeError(.contextMismatch)) {
                _ = try await envelope.decrypt(message, expecting: expected).plaintext.count
            }
        }
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await envelope.encrypt([7], context: ["dept": "tax"])
        }
    }

    /// RSA does not bind the context to the data key: then it is the header's tag that does.
    @Test func `the header binds what is held out, whatever the keyring does`() async throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let keyring = try RawRSAKeyring(
            namespace: "n", name: "k", algorithm: .rsaOAEPSHA256, publicKey: key.publicKey, decryptor: key)
        for suite in AlgorithmSuite.all {
            let policy: CommitmentPolicy =
                suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt
            let envelope = Envelope(
                manager: RequiredContextManager(["tenant"], keyring: keyring), suite: suite, policy: policy)
            let message = try await envelope.encrypt([7], context: ["tenant": "1"])
            #expect(try await envelope.decrypt(message, expecting: ["tenant": "1"]).plaintext.revealed == [7])
            await #expect(throws: EnvelopeError(.notAuthentic)) {
                _ = try await envelope.decrypt(message, expecting: ["tenant": "2"]).plaintext.count
            }
        }
    }
}

@Suite struct CachingTests {
    let clock = MovableClock()

    func caching(
        _ keyring: any Keyring, cache: MaterialsCache = MaterialsCache(), messages: UInt64 = 1 << 32,
        bytes: UInt64 = 1 << 40, partition: String? = nil
    ) throws -> CachingMaterialsManager {
        try CachingMaterialsManager(
            DefaultMaterialsManager(keyring), cache: cache, timeToLive: .seconds(60), messageLimit: messages,
            byteLimit: bytes, partition: partition, clock: clock)
    }

    @Test func `a data key serves until its time, its messages or its bytes are used up`() async throws {
        let keyring = try CountingKeyring()
        let envelope = Envelope(manager: try caching(keyring), suite: .committing)
        var messages: [[UInt8]] = []
        for _ in 0..<10 { messages.append(try await envelope.encrypt([1, 2, 3])) }
        #expect(keyring.sealed == 1)
        // One data key, but each message has an identifier and so a key of its own.
        #expect(Set(try messages.map { try Envelope.inspect($0).messageID }).count == 10)
        for message in messages { #expect(try await envelope.decrypt(message).plaintext.revealed == [1, 2, 3]) }
        #expect(keyring.opened == 1)
        clock.advance(.seconds(59))
        _ = try await envelope.encrypt([1])
        #expect(keyring.sealed == 1)
        clock.advance(.seconds(1))
        _ = try await envelope.encrypt([1])
        _ = try await envelope.decrypt(messages[0]).plaintext.count
        #expect(keyring.sealed == 2 && keyring.opened == 2)
        let few = try CountingKeyring()
        let counted = Envelope(manager: try caching(few, messages: 3), suite: .committing)
        for _ in 0..<10 { _ = try await counted.encrypt([1]) }
        #expect(few.sealed == 4)
        let small = try CountingKeyring()
        let bounded = Envelope(manager: try caching(small, bytes: 100), suite: .committing)
        for _ in 0..<10 { _ = try await bounded.encrypt([UInt8](repeating: 1, count: 40)) }
        #expect(small.sealed == 5)
        // Longer than a data key may serve at all: past the cache.
        _ = try await bounded.encrypt([UInt8](repeating: 1, count: 101))
        #expect(small.sealed == 6)
    }

    @Test func `what differs in anything shares nothing`() async throws {
        let (keyring, cache) = (try CountingKeyring(), MaterialsCache())
        func envelope(_ suite: AlgorithmSuite = .committing, partition: String? = "p") throws -> Envelope {
            Envelope(
                manager: try caching(keyring, cache: cache, partition: partition), suite: suite,
                policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
        }
        _ = try await envelope().encrypt([1], context: ["a": "b"])
        _ = try await envelope().encrypt([1], context: ["a": "b"])
        #expect(keyring.sealed == 1)
        _ = try await envelope().encrypt([1], context: ["a": "c"])
        _ = try await envelope(.committingSigned).encrypt([1], context: ["a": "b"])
        _ = try await envelope(partition: "q").encrypt([1], context: ["a": "b"])
        _ = try await envelope(partition: nil).encrypt([1], context: ["a": "b"])
        _ = try await envelope(partition: nil).encrypt([1], context: ["a": "b"])
        #expect(keyring.sealed == 6)
        // Held out or not is a difference; and so is what the caller expects when opening.
        let required = Envelope(
            manager: RequiredContextManager(["a"], try caching(keyring, cache: cache, partition: "p")),
            suite: .committing)
        let message = try await required.encrypt([1], context: ["a": "b"])
        #expect(keyring.sealed == 7)
        _ = try await required.decrypt(message, expecting: ["a": "b"]).plaintext.count
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await required.decrypt(message, expecting: ["a": "c"]).plaintext.count
        }
        // Suites whose data key is the message's key must not share it.
        let before = keyring.sealed
        for _ in 0..<3 { _ = try await envelope(.aes256GCM).encrypt([1]) }
        #expect(keyring.sealed == before + 3)
        // A stream that does not know its length cannot be accounted for.
        for _ in 0..<2 {
            var sink = ArraySink()
            try await envelope().encrypt(chunks: AsyncStream<[UInt8]>.of([[1]]), into: &sink, context: ["a": "b"])
        }
        #expect(keyring.sealed == before + 5)
    }

    @Test func `signed messages share their signing key with their data key, and verify`() async throws {
        let keyring = try CountingKeyring()
        let envelope = Envelope(manager: try caching(keyring))
        let messages = [try await envelope.encrypt([1]), try await envelope.encrypt([2])]
        #expect(keyring.sealed == 1)
        for (index, message) in messages.enumerated() {
            #expect(try await envelope.decrypt(message).plaintext.revealed == [UInt8(index + 1)])
        }
    }

    @Test func `many callers at once fetch once, and no data key serves more than it may`() async throws {
        let keyring = try CountingKeyring(delay: .milliseconds(30))
        let envelope = Envelope(manager: try caching(keyring, messages: 25), suite: .committing)
        let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try Envelope.inspect(try await envelope.encrypt([1])).encryptedDataKeys[0].ciphertext
                }
            }
            return try await group.reduce(into: [[UInt8]: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(keyring.sealed == 8)
        #expect(keys.count == 8 && keys.values.allSatisfy { $0 == 25 })
    }

    @Test func `an error reaches everybody who waits, and is not kept`() async throws {
        struct Failing: Keyring {
            let isBroken: @Sendable () -> Bool
            let inner: CountingKeyring
            func sealDataKey(in materials: inout EncryptionMaterials) async throws {
                try await Task.sleep(for: .milliseconds(20))
                if isBroken() { throw EnvelopeError(.keyService, "down") }
                try await inner.sealDataKey(in: &materials)
            }
            func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {}
        }
        let (clock, inner) = (clock, try CountingKeyring())
        let keyring = Failing(isBroken: { clock.uptime == .zero }, inner: inner)
        let envelope = Envelope(manager: try caching(keyring), suite: .committing)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 { group.addTask { (try? await envelope.encrypt([1])) == nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 10)
        clock.advance(.seconds(1))
        _ = try await envelope.encrypt([1])
        #expect(inner.sealed == 1)
    }

    @Test func `the least recently used leave a full cache`() async throws {
        let (keyring, cache) = (try CountingKeyring(), MaterialsCache(capacity: 2))
        let envelope = Envelope(manager: try caching(keyring, cache: cache), suite: .committing)
        func seal(_ name: String) async throws { _ = try await envelope.encrypt([1], context: ["name": name]) }
        for name in ["a", "b", "a", "c", "a"] { try await seal(name) }
        #expect(keyring.sealed == 3 && cache.count == 2)
        try await seal("b")
        #expect(keyring.sealed == 4)
        cache.removeAll()
        try await seal("a")
        #expect(keyring.sealed == 5)
    }

    @Test func `what was being fetched when a cache was emptied is not kept`() async throws {
        struct Emptying: Keyring {
            let inner: CountingKeyring
            let cache: MaterialsCache
            func sealDataKey(in materials: inout EncryptionMaterials) async throws {
                try await inner.sealDataKey(in: &materials)
                cache.removeAll()
            }
            func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
                try await inner.openDataKey(keys, in: &materials)
            }
        }
        let (keyring, cache) = (try CountingKeyring(), MaterialsCache())
        let manager = try CachingMaterialsManager(
            DefaultMaterialsManager(Emptying(inner: keyring, cache: cache)), cache: cache, timeToLive: .seconds(600))
        let envelope = Envelope(manager: manager, suite: .committing)
        for _ in 0..<2 { _ = try await envelope.encrypt([1]) }
        #expect(keyring.sealed == 2 && cache.count == 0)
    }

    @Test func `a context is what its bytes are`() async throws {
        let envelope = Envelope(keyring: try CountingKeyring(), suite: .committing)
        let message = try await envelope.encrypt([1], context: ["name": "Ame\u{301}lie"])
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await envelope.decrypt(message, expecting: ["name": "Am\u{e9}lie"]).plaintext.count
        }
        let keyring = try CountingKeyring()
        let caching = Envelope(
            manager: try CachingMaterialsManager(DefaultMaterialsManager(keyring), timeToLive: .seconds(600)),
            suite: .committing)
        for name in ["Ame\u{301}lie", "Am\u{e9}lie"] {
            let message = try await caching.encrypt([1], context: ["name": name])
            #expect(try Envelope.inspect(message).context.pairs["name"]?.utf8.elementsEqual(name.utf8) == true)
        }
        #expect(keyring.sealed == 2)
    }

    @Test func `limits out of bounds are refused`() throws {
        let inner = DefaultMaterialsManager(try CountingKeyring())
        for (time, messages, bytes) in [
            (Duration.zero, UInt64(1), UInt64(1)), (.seconds(1), 0, 1), (.seconds(1), 1 << 33, 1), (.seconds(1), 1, 0),
        ] {
            #expect(throws: EnvelopeError(.invalidKeyring)) {
                _ = try CachingMaterialsManager(inner, timeToLive: time, messageLimit: messages, byteLimit: bytes)
            }
        }
    }
}

extension AsyncStream where Element == [UInt8] {
    /// A stream of these chunks.
    static func of(_ chunks: [[UInt8]]) -> AsyncStream {
        AsyncStream { continuation in
            for chunk in chunks { continuation.yield(chunk) }
            continuation.finish()
        }
    }
}
