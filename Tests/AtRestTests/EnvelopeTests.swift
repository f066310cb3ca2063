import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import AtRest

@Suite struct EnvelopeTests {
    static let suites = [AlgorithmSuite.committing, .committingSigned]

    func keyring(_ byte: UInt8 = 7) throws -> RawAESKeyring {
        try RawAESKeyring(
            namespace: "tests", name: "key \(byte)", key: SecretBytes(copying: [UInt8](repeating: byte, count: 32)))
    }

    @Test(arguments: suites) func `any size comes back`(_ suite: AlgorithmSuite) async throws {
        for frame in [1, 16, 100, 4096] {
            let envelope = Envelope(keyring: try keyring(), suite: suite, frameByteCount: frame)
            for count in [0, 1, frame - 1, frame, frame + 1, frame * 2, frame * 3 + 1, 5000] where count < frame * 600 {
                let plaintext = try SystemRandom().bytes(count: count)
                let message = try await envelope.encrypt(plaintext, context: ["dept": "tax", "á": "b"])
                let opened = try await envelope.decrypt(message, expecting: ["dept": "tax"])
                #expect(opened.plaintext.revealed == plaintext)
                #expect(opened.context.pairs["á"] == "b")
                #expect(opened.suite == suite)
            }
        }
    }

    @Test(arguments: suites) func `any flipped bit, any cut and any addition is refused`(_ suite: AlgorithmSuite)
        async throws
    {
        let envelope = Envelope(keyring: try keyring(), suite: suite, frameByteCount: 16)
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

    @Test func `frames cannot be reordered, repeated or left out`() async throws {
        let envelope = Envelope(keyring: try keyring(), suite: .committing, frameByteCount: 8)
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
        for suite in Self.suites {
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
        var source = ArraySource(message)
        let original = try MessageReader(&source, limits: MessageLimits()).header
        var materials = DecryptionMaterials(suite: original.suite, context: original.context)
        try await keyring.openDataKey(original.dataKeys, in: &materials)
        let header = MessageHeader(
            suite: .committing, messageID: original.messageID, context: original.context, dataKeys: original.dataKeys,
            frameByteCount: 4096)
        guard let dataKey = materials.takeDataKey() else { throw EnvelopeError(.noUsableKey) }
        let keys = try MessageKeys(dataKey, header)
        var forged = try header.bytes + keys.commitment.revealed
        forged += try keys.headerTag(forged)
        var (ciphertext, tag) = ([UInt8](repeating: 0, count: 3), [UInt8](repeating: 0, count: 16))
        do {
            var ciphertextSpan = ciphertext.mutableSpan
            var tagSpan = tag.mutableSpan
            try keys.frames(of: header).seal(
                plaintext.span, sequence: 1, isFinal: true, ciphertext: &ciphertextSpan, tag: &tagSpan)
        }
        forged += [255, 255, 255, 255, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 11) + [1, 0, 0, 0, 3]
        return forged + ciphertext + tag
    }

    @Test func `a managed key seals envelopes, and its trail shows it`() async throws {
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)))
        let kms = service.client(for: .user("alice", account: "111122223333"))
        let orders = try await kms.createKey(.symmetric)
        let file = Array("a file".utf8)
        let message = try await Envelope(keyring: KMSKeyring(kms, orders)).encrypt(file, context: ["dept": "tax"])
        let opened = try await Envelope(keyring: KMSKeyring(kms, orders)).decrypt(message)
        #expect(opened.plaintext.revealed == file)
        let other = try await kms.createKey(.symmetric)
        await #expect(throws: EnvelopeError(.noUsableKey)) {
            _ = try await Envelope(keyring: KMSKeyring(kms, other)).decrypt(message).plaintext.count
        }
        try await kms.disable(KeyIdentifier(orders))
        await #expect(throws: EnvelopeError(.keyService)) {
            _ = try await Envelope(keyring: KMSKeyring(kms, orders)).decrypt(message).plaintext.count
        }
        let names = try await service.auditEvents().compactMap { line in
            line.firstMatch(of: /"eventName":"(\w+)"/).map { String($0.1) }
        }
        #expect(
            names == ["CreateKey", "GenerateDataKey", "Decrypt", "CreateKey", "DisableKey", "Decrypt"])
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
            try await Envelope(keyring: keyring(), suite: .committing, frameByteCount: 30).encrypt(plaintext))
        _ = try await Envelope(keyring: keyring()).decryptUnsigned(from: &source) { released.append($0.count) }
        #expect(released == [30, 30, 30, 10])
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
        let envelope = Envelope(keyring: try keyring(), frameByteCount: 65536)
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

/// Gives every message the same data key.
struct GivenKeyring: Keyring {
    let dataKey: [UInt8]
    func sealDataKey(in materials: inout EncryptionMaterials) async throws {}
    func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        try materials.setDataKey(SecretBytes(copying: dataKey))
    }
}

@Suite struct EnvelopeVectorTests {
    struct File: Decodable {
        struct Case: Decodable {
            let ciphertext: Data
            let comment: String
            let status: Bool
            let dataKey: Data
            let frames: [String]?

            enum CodingKeys: String, CodingKey {
                case ciphertext, comment, status
                case dataKey = "decrypted-dek"
                case frames = "plaintext-frames"
            }
        }
        let tests: [Case]
    }

    @Test(.vectors("esdk/commitment.json"))
    func `AWS's committing messages open, and those with a wrong commitment do not`()
        async throws
    {
        let file = try JSONDecoder().decode(File.self, from: try Vectors.data("esdk/commitment.json"))
        try Vectors.report("esdk/commitment.json", file.tests.count)
        #expect(file.tests.count == 46)
        for test in file.tests {
            let envelope = Envelope(keyring: GivenKeyring(dataKey: Array(test.dataKey)))
            do {
                let opened = try await envelope.decrypt(Array(test.ciphertext))
                #expect(test.status, "\(test.comment)")
                #expect(
                    String(decoding: opened.plaintext.revealed, as: UTF8.self) == test.frames?.joined(),
                    "\(test.comment)")
            } catch {
                #expect(!test.status, "\(test.comment): \(error)")
                #expect(error == EnvelopeError(.notAuthentic))
            }
        }
    }
}
