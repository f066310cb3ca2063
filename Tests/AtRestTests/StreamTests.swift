import AtRest
import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

/// An array as a source that may say another length than it has.
private struct ClaimingSource: ByteSource, ~Copyable {
    private var inner: ArraySource
    let expectedByteCount: Int?

    init(_ bytes: [UInt8], claiming count: Int? = nil) {
        inner = ArraySource(bytes)
        expectedByteCount = count
    }

    mutating func read(into target: inout MutableSpan<UInt8>) throws -> Int { inner.read(into: &target) }
}

/// A sink that fails after some bytes.
private struct FailingSink: TransactionalSink {
    var room: Int
    struct Full: Error {}
    mutating func write(_ bytes: Span<UInt8>) throws {
        room -= bytes.count
        if room < 0 { throw Full() }
    }
    mutating func commit() throws { Issue.record("committed") }
}

@Suite struct StreamTests {
    let keyring: RawAESKeyring
    static let suites = [AlgorithmSuite.committing, .committingSigned]
    static let framings = [Framing.frames(of: 7), .frames(of: 4096), .frames(of: 300_000), .singleBlock]

    init() throws { keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32)) }

    @Test(arguments: suites, framings)
    func `every entry point seals and opens the same`(_ suite: AlgorithmSuite, _ framing: Framing) async throws {
        let envelope = Envelope(keyring: keyring, suite: suite, framing: framing)
        let largest = framing == .frames(of: 7) ? 5000 : 1_000_000
        for count in [0, 1, 7, 4096, 262_144, 300_000, 600_001, 1_000_000] where count <= largest {
            let plaintext = try SystemRandom().bytes(count: count)
            var messages = [try await envelope.encrypt(plaintext)]
            for claim in [nil, count, count + 10] {
                var source = ClaimingSource(plaintext, claiming: claim)
                var sink = ArraySink()
                let description = try await envelope.encrypt(from: &source, into: &sink)
                #expect(description.byteCount == count && description.framing == framing)
                messages.append(sink.bytes)
            }
            var spanned = ArraySink()
            let span = plaintext.span
            _ = try await envelope.encrypt(span, into: &spanned)
            messages.append(spanned.bytes)
            for message in messages {
                #expect(message.count == messages[0].count || suite.isSigned)
                #expect(try await envelope.decrypt(message).plaintext.revealed == plaintext)
                var source = ClaimingSource(message)
                var sink = ArraySink()
                #expect(try await envelope.decrypt(from: &source, into: &sink).byteCount == count)
                #expect(sink.bytes == plaintext)
                guard !suite.isSigned else { continue }
                var again = ArraySource(message)
                var released = [UInt8]()
                _ = try await envelope.decryptUnsigned(from: &again) { bytes in
                    for index in bytes.indices { released.append(bytes[index]) }
                }
                #expect(released == plaintext)
            }
        }
    }

    @Test(arguments: suites) func `chunks of any length give the same`(_ suite: AlgorithmSuite) async throws {
        let plaintext = try SystemRandom().bytes(count: 3000)
        for framing in [Framing.frames(of: 1), .frames(of: 100), .frames(of: 4096), .singleBlock] {
            let envelope = Envelope(keyring: keyring, suite: suite, framing: framing)
            for length in [1, 3, 99, 100, 101, 1000, 3000] {
                let pieces = Self.cut(plaintext, length)
                var message: [UInt8] = []
                for try await chunk in envelope.encrypt(chunks: AsyncStream<[UInt8]>.of(pieces)) {
                    #expect(!chunk.isEmpty)
                    message += chunk
                }
                #expect(try await envelope.decrypt(message).plaintext.revealed == plaintext)
                var sink = ArraySink()
                let parts = AsyncStream<[UInt8]>.of(Self.cut(message, length))
                _ = try await envelope.decrypt(chunks: parts, into: &sink)
                #expect(sink.bytes == plaintext)
                var opened: [UInt8] = []
                let again = AsyncStream<[UInt8]>.of(Self.cut(message, length))
                do {
                    for try await chunk in envelope.decryptUnsigned(chunks: again) { opened += chunk }
                    #expect(opened == plaintext && !suite.isSigned)
                } catch {
                    #expect(error == EnvelopeError(.unsupported) && suite.isSigned && opened.isEmpty)
                }
            }
        }
    }

    @Test func `a cut stream of chunks ends in an error, after what was authentic`() async throws {
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 10))
        let message = try await envelope.encrypt([UInt8](0..<95))
        for end in stride(from: 0, to: message.count, by: 3) {
            var opened: [UInt8] = []
            do {
                let chunks = AsyncStream<[UInt8]>.of(Self.cut(Array(message.prefix(end)), 13))
                for try await chunk in envelope.decryptUnsigned(chunks: chunks) { opened += chunk }
                Issue.record("a cut message ended well")
            } catch { #expect(error == EnvelopeError(.notAuthentic)) }
            #expect(opened == [UInt8](0..<UInt8(opened.count)))
        }
    }

    /// A reader that stops drawing stops the writer: nothing is drawn from the source beyond what was asked for.
    @Test func `chunks are drawn one by one`() async throws {
        let drawn = Mutex(0)
        let source = AsyncStream<[UInt8]> {
            drawn.withLock { $0 += 1 }
            return [UInt8](repeating: 1, count: 1000)
        }
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 1000))
        var iterator = envelope.encrypt(chunks: source).makeAsyncIterator()
        for _ in 0..<5 { _ = try await iterator.next() }
        #expect(drawn.withLock { $0 } <= 6)
    }

    @Test func `a cancelled task stops, and leaves nothing`() async throws {
        let folder = try TemporaryFolder()
        try Data(count: 50_000_000).write(to: folder.url.appendingPathComponent("in"))
        let envelope = Envelope(keyring: keyring, suite: .committing)
        for cores in [1, 2] {
            let bound = Envelope(keyring: keyring, suite: .committing, cores: cores)
            let task = Task {
                try await bound.encryptFile(folder.path("in"), to: folder.path("out")) { _ in
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
            }
            await #expect(throws: EnvelopeError(.cancelled)) { _ = try await task.value }
        }
        let endless = AsyncStream<[UInt8]> { [UInt8](repeating: 1, count: 100) }
        let reading = Task {
            for try await _ in envelope.encrypt(chunks: endless) {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            }
        }
        // A stream that ends when it is cancelled ends the message; one that goes on is left.
        _ = await reading.result
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["in"])
    }

    @Test func `progress grows to the whole`() async throws {
        let plaintext = [UInt8](repeating: 1, count: 5_000_000)
        for cores in [1, 2] {
            let envelope = Envelope(keyring: keyring, suite: .committing, cores: cores)
            var seen: [Int] = []
            var sink = ArraySink()
            _ = try await envelope.encrypt(plaintext, into: &sink) { seen.append($0) }
            #expect(seen == seen.sorted() && seen.last == plaintext.count && seen.count > 3)
            seen = []
            var source = ArraySource(sink.bytes)
            var out = ArraySink()
            _ = try await envelope.decrypt(from: &source, into: &out) { seen.append($0) }
            #expect(seen == seen.sorted() && seen.last == plaintext.count && seen.count > 3)
        }
    }

    @Test func `a source that gives more than it said, and a sink that fails, are errors`() async throws {
        let plaintext = [UInt8](repeating: 1, count: 6_000_000)
        for cores in [1, 2] {
            let envelope = Envelope(keyring: keyring, suite: .committing, cores: cores)
            for claim in [0, 100, 5_999_999] {
                var source = ClaimingSource(plaintext, claiming: claim)
                var sink = ArraySink()
                do {
                    _ = try await envelope.encrypt(from: &source, into: &sink)
                    Issue.record("more was taken than was said")
                } catch { #expect(error == EnvelopeError(.stream)) }
                #expect(sink.bytes.isEmpty)
            }
            let message = try await envelope.encrypt(plaintext)
            for room in [0, 100, 3_000_000] {
                var source = ArraySource(plaintext)
                var sink = FailingSink(room: room)
                do {
                    _ = try await envelope.encrypt(from: &source, into: &sink)
                    Issue.record("a full sink was taken for written")
                } catch { #expect(error == EnvelopeError(.stream)) }
                var opening = FailingSink(room: room)
                do {
                    _ = try await envelope.decrypt(message, into: &opening)
                    Issue.record("a full sink was taken for written")
                } catch { #expect(error == EnvelopeError(.stream)) }
            }
        }
    }

    static func cut(_ bytes: [UInt8], _ length: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: length).map { Array(bytes[$0..<min($0 + length, bytes.count)]) }
    }
}

@Suite struct CoresTests {
    static let sizes = [4 << 20, (4 << 20) + 1, 6_999_999]

    @Test(arguments: [AlgorithmSuite.committing, .committingSigned, .aes128GCM])
    func `several cores make and read the same messages as one`(_ suite: AlgorithmSuite) async throws {
        let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        let policy: CommitmentPolicy =
            suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt
        for frame in [1 << 16, 3_000_000] {
            let one = Envelope(keyring: keyring, suite: suite, framing: .frames(of: frame), policy: policy)
            let many = Envelope(keyring: keyring, suite: suite, framing: .frames(of: frame), policy: policy, cores: 3)
            for count in Self.sizes {
                let plaintext = try SystemRandom().bytes(count: count)
                var source = ArraySource(plaintext)
                var streamed = ArraySink()
                _ = try await many.encrypt(from: &source, into: &streamed)
                let messages = [
                    try await one.encrypt(plaintext), try await many.encrypt(plaintext), streamed.bytes,
                ]
                for message in messages {
                    for envelope in [one, many] {
                        #expect(try await envelope.decrypt(message).plaintext.revealed == plaintext)
                        var source = ArraySource(message)
                        var sink = ArraySink()
                        _ = try await envelope.decrypt(from: &source, into: &sink)
                        #expect(sink.bytes == plaintext)
                    }
                }
            }
        }
    }

    @Test func `a message that is one long final frame is read on several cores`() async throws {
        let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 5 << 20), cores: 2)
        for count in [(5 << 20) - 9, (5 << 20) - 1, 5 << 20] {
            let plaintext = [UInt8](repeating: 3, count: count)
            var source = ArraySource(try await envelope.encrypt(plaintext))
            var sink = ArraySink()
            _ = try await envelope.decrypt(from: &source, into: &sink)
            #expect(sink.bytes == plaintext)
        }
    }

    /// A final frame is longer than a regular one: where one begins at the end of what is read first, all that came is more
    /// than a regular frame and still none that is whole.
    @Test func `a final frame anywhere in a long message is refused, and no more`() async throws {
        let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        let envelope = Envelope(keyring: keyring, suite: .committing, framing: .frames(of: 16), cores: 2)
        for length in 0..<48 {
            let context: EncryptionContext = ["p": String(repeating: "x", count: length + 1)]
            let message = try await envelope.encrypt([UInt8](repeating: 9, count: 4096), context: context)
            let header = try Envelope.inspect(message).byteCount
            for unit in 1...2 {
                let place = header + ((4096 - header) / 48 - unit) * 48
                var hostile = Array(message[..<place])
                hostile += [255, 255, 255, 255, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 12) + [0, 0, 0, 16]
                hostile += [UInt8](repeating: 7, count: (4 << 20) + 5000)
                var source = ArraySource(hostile)
                var sink = ArraySink()
                await #expect(throws: EnvelopeError(.notAuthentic)) {
                    _ = try await envelope.decrypt(from: &source, into: &sink)
                }
            }
        }
    }

    @Test func `damage anywhere in a long message is refused on several cores`() async throws {
        let keyring = try RawAESKeyring(namespace: "n", name: "k", key: .random(count: 32))
        for suite in [AlgorithmSuite.committing, .committingSigned] {
            let envelope = Envelope(keyring: keyring, suite: suite, framing: .frames(of: 65536), cores: 2)
            let message = try await envelope.encrypt([UInt8](repeating: 9, count: 6_000_000))
            var random = SystemRandomNumberGenerator()
            for _ in 0..<40 {
                var damaged = message
                let place = Int.random(in: 0..<message.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: damaged[place] ^= 0x20
                case 1: damaged.removeSubrange(place..<min(place + 70_000, message.count))
                default: damaged.insert(contentsOf: damaged[..<min(place, 50_000)], at: place)
                }
                guard damaged != message else { continue }
                await #expect(throws: EnvelopeError.self) { _ = try await envelope.decrypt(damaged).plaintext.count }
                var source = ArraySource(damaged)
                var sink = ArraySink()
                do {
                    _ = try await envelope.decrypt(from: &source, into: &sink)
                    Issue.record("a damaged message was opened")
                } catch {}
                #expect(sink.bytes.isEmpty)
            }
        }
    }
}
