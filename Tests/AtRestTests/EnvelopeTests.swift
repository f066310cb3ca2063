import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import AtRest

@Suite struct EnvelopeTests {
    /// Every suite, and both ways to divide a body.
    static let forms = AlgorithmSuite.all.flatMap { suite in
        [Framing.frames(of: 16), .frames(of: 4096), .singleBlock].map { (suite, $0) }
    }

    /// An envelope that seals with a suite and opens its messages, whether or not they commit.
    func envelope(_ suite: AlgorithmSuite, _ framing: Framing = .standard) throws -> Envelope {
        Envelope(
            keyring: try keyring(), suite: suite, framing: framing,
            policy: suite.isCommitting ? .requireEncryptRequireDecrypt : .forbidEncryptAllowDecrypt)
    }

    func keyring(_ byte: UInt8 = 7) throws -> RawAESKeyring {
        try RawAESKeyring(
            namespace: "tests", name: "key \(byte)", key: SecretBytes(copying: [UInt8](repeating: byte, count: 32)))
    }

    @Test(arguments: forms) func `any size comes back`(_ suite: AlgorithmSuite, _ framing: Framing) async throws {
        let envelope = try envelope(suite, framing)
        for count in [0, 1, 15, 16, 17, 32, 49, 4095, 4096, 4097, 8192] {
            let plaintext = try SystemRandom().bytes(count: count)
            let message = try await envelope.encrypt(plaintext, context: ["dept": "tax", "á": "b"])
            let opened = try await envelope.decrypt(message, expecting: ["dept": "tax"])
            #expect(opened.plaintext.revealed == plaintext)
            #expect(opened.context.pairs["á"] == "b")
            #expect(opened.suite == suite)
            let header = try Envelope.inspect(message)
            #expect(header.suite == suite && header.framing == framing)
            #expect(header.formatVersion == (suite.isCommitting ? 2 : 1))
            #expect(header.context == opened.context)
        }
    }

    @Test(arguments: AlgorithmSuite.all) func `any flipped bit, any cut and any addition is refused`(
        _ suite: AlgorithmSuite
    ) async throws {
        for framing in [Framing.frames(of: 16), .singleBlock] {
            let envelope = try envelope(suite, framing)
            let message = try await envelope.encrypt([UInt8](0..<40), context: ["a": "b"])
            for index in message.indices {
                for bit in [0, 3, 7] as [UInt8] {
                    var damaged = message
                    damaged[index] ^= 1 << bit
                    await #expect(throws: EnvelopeError.self, "byte \(index), bit \(bit)") {
                        _ = try await envelope.decrypt(damaged).plaintext.count
                    }
                }
                await #expect(throws: EnvelopeError.self, "cut at \(index)") {
                    _ = try await envelope.decrypt(Array(message.prefix(index))).plaintext.count
                }
            }
            await #expect(throws: EnvelopeError(.notAuthentic)) {
                _ = try await envelope.decrypt(message + [0]).plaintext.count
            }
        }
    }

    @Test func `the policy decides which suites are written and read`() async throws {
        let keyring = try keyring()
        for policy in CommitmentPolicy.allCases {
            #expect(policy.defaultSuite.isCommitting == (policy != .forbidEncryptAllowDecrypt))
            for suite in AlgorithmSuite.all {
                let message = try await envelope(suite).encrypt([1])
                let bound = Envelope(keyring: keyring, suite: suite, policy: policy)
                if suite.isCommitting == (policy != .forbidEncryptAllowDecrypt) {
                    #expect(try await bound.decrypt(bound.encrypt([1])).plaintext.revealed == [1])
                } else {
                    await #expect(throws: EnvelopeError(.commitmentPolicy)) { _ = try await bound.encrypt([1]) }
                }
                if suite.isCommitting || policy != .requireEncryptRequireDecrypt {
                    #expect(try await bound.decrypt(message).plaintext.revealed == [1])
                } else {
                    await #expect(throws: EnvelopeError(.commitmentPolicy)) {
                        _ = try await bound.decrypt(message).plaintext.count
                    }
                }
            }
        }
    }

    @Test func `frames cannot be reordered, repeated or left out`() async throws {
        let envelope = Envelope(keyring: try keyring(), suite: .committing, framing: .frames(of: 8))
        let message = try await envelope.encrypt([UInt8](0..<30))
        // Four frames: three of 40 bytes and a final one of 4 + 4 + 12 + 4 + 6 + 16.
        let start = message.count - 46 - 120
        let frames = (0..<3).map { Array(message[(start + $0 * 40)..<(start + $0 * 40 + 40)]) }
        let (head, tail) = (Array(message[..<start]), Array(message[(start + 120)...]))
        for order in [[1, 0, 2], [0, 0, 1, 2], [0, 2], [0, 1], [2, 1, 0], [0, 1, 2, 2]] {
            await #expect(throws: EnvelopeError(.notAuthentic)) {
                _ = try await envelope.decrypt(head + order.flatMap { frames[$0] } + tail).plaintext.count
            }
        }
        let whole = try await envelope.decrypt(head + frames.flatMap { $0 } + tail)
        #expect(whole.plaintext.count == 30)
    }

    /// The sealed data keys do not bind the suite. Somebody who may open a signed message has its data key, and could make
    /// an unsigned one of it with the same sealed keys and the same context: it names a signer, and so is refused.
    @Test func `a signed message cannot be passed off as an unsigned one`() async throws {
        let keyring = try keyring()
        for suite in [AlgorithmSuite.committing, .committingSigned] {
            let message = try await Envelope(keyring: keyring, suite: suite).encrypt([1, 2, 3], context: ["a": "b"])
            let forged = try await forge(unsigned: [9, 9, 9], from: message, keyring)
            if suite.isSigned {
                await #expect(throws: EnvelopeError(.notAuthentic)) {
                    _ = try await Envelope(keyring: keyring).decrypt(forged).plaintext.count
                }
            } else {
                // What makes the difference is the signer's name in the context, and nothing else.
                let opened = try await Envelope(keyring: keyring).decrypt(forged)
                #expect(opened.plaintext.revealed == [9, 9, 9])
            }
        }
    }

    /// A message of one frame in the unsigned suite, with the sealed data keys and the context of another message.
    private func forge(
        unsigned plaintext: [UInt8], from message: [UInt8], _ keyring: RawAESKeyring
    ) async throws -> [UInt8] {
        var needed = 0
        let original = try #require(try ReadHeader(message.span, limits: MessageLimits(), needed: &needed)).header
        var materials = DecryptionMaterials(suite: original.suite, context: original.context)
        try await keyring.openDataKey(original.dataKeys, in: &materials)
        let header = MessageHeader(
            suite: .committing, messageID: original.messageID, context: original.context, dataKeys: original.dataKeys,
            frameByteCount: 4096)
        let keys = try MessageKeys(try #require(materials.dataKey), header)
        var forged = try keys.start(header, with: .none)
        _ = try BodyCipher(keys, header).seal(plaintext.span, from: 1, isLast: true, into: &forged)
        return forged
    }

    @Test func `limits hold before anything is read`() async throws {
        let envelope = Envelope(keyring: try keyring(), suite: .committing)
        await #expect(throws: EnvelopeError(.contextMismatch)) {
            _ = try await envelope.decrypt(try await envelope.encrypt([1]), expecting: ["a": "b"]).plaintext.count
        }
        await #expect(throws: EnvelopeError(.limitExceeded)) {
            _ = try await envelope.encrypt([1], context: ["aws-crypto-x": "y"])
        }
        #expect(throws: EnvelopeError(.invalidKeyring)) {
            _ = try RawAESKeyring(namespace: "aws-kms", name: "x", key: .random(count: 32))
        }
        var small = MessageLimits()
        small.frameByteCount = 100
        let strict = Envelope(keyring: try keyring(), limits: small)
        await #expect(throws: EnvelopeError(.limitExceeded)) {
            _ = try await strict.decrypt(try await envelope.encrypt([1])).plaintext.count
        }
    }

    @Test func `an unsigned message is released frame by frame, a signed one is not`() async throws {
        let plaintext = [UInt8](0..<100)
        var released: [Int] = []
        var source = ArraySource(
            try await Envelope(keyring: keyring(), suite: .committing, framing: .frames(of: 30)).encrypt(plaintext))
        _ = try await Envelope(keyring: keyring()).decryptUnsigned(from: &source) { released.append($0.count) }
        #expect(released.reduce(0, +) == 100)
        var signed = ArraySource(try await Envelope(keyring: keyring()).encrypt(plaintext))
        do {
            _ = try await Envelope(keyring: keyring()).decryptUnsigned(from: &signed) { _ in Issue.record("released") }
            Issue.record("a signed message was released")
        } catch {
            #expect(error as? EnvelopeError == EnvelopeError(.unsupported))
        }
    }

    @Test func `files are whole or not at all`() async throws {
        let folder = try TemporaryFolder()
        let plaintext = try SystemRandom().bytes(count: 1_000_001)
        try Data(plaintext).write(to: folder.url.appendingPathComponent("in"))
        let envelope = Envelope(keyring: try keyring(), framing: .frames(of: 65536))
        do {
            var source = try FileSource(path: folder.path("in"))
            var sink = try AtomicFileSink(path: folder.path("sealed"), replacing: false)
            _ = try await envelope.encrypt(from: &source, into: &sink, context: ["name": "in"])
        }
        do {
            var source = try FileSource(path: folder.path("sealed"))
            var sink = try AtomicFileSink(path: folder.path("out"), replacing: false)
            let description = try await envelope.decrypt(from: &source, into: &sink)
            #expect(description.byteCount == plaintext.count)
        }
        #expect(try Data(contentsOf: folder.url.appendingPathComponent("out")) == Data(plaintext))
        var sealed = try Data(contentsOf: folder.url.appendingPathComponent("sealed"))
        sealed[sealed.count - 5] ^= 1
        try sealed.write(to: folder.url.appendingPathComponent("sealed"))
        do {
            var source = try FileSource(path: folder.path("sealed"))
            var sink = try AtomicFileSink(path: folder.path("damaged"), replacing: false)
            _ = try await envelope.decrypt(from: &source, into: &sink)
            Issue.record("a damaged file was opened")
        } catch {
            #expect(error == EnvelopeError(.notAuthentic))
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["in", "out", "sealed"])
        do {
            _ = try AtomicFileSink(path: folder.path("out"), replacing: false)
            Issue.record("an existing file was taken")
        } catch {
            #expect(error == EnvelopeError(.stream))
        }
    }
}
