import Cryptography
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct CiphertextBlobTests {
    /// The vector of Documentation/Formats/CiphertextBlob.md, made with PyPI cryptography from the format's text.
    @Test func `the blob is the documented one, whoever keeps the key`() async throws {
        let expected =
            "c50101aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            + "aaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbccccccccccccccccccccccccee"
            + "ef3e62e6116257fdd39cd65298bd869261f4127138a2defdad068064fd1ab23b"
            + "8861b4958757ba8e596827775ac7355f4d5c92b7be07d3444b"
        let id = try #require(MaterialID([UInt8](repeating: 0xAA, count: 32)))
        let material = SecretBytes(copying: [UInt8](0..<32))
        let keys = [
            try BackingKey(id: id, material: material),
            BackingKey(id: id, keptBy: try HMAC(.sha256, key: material)),
        ]
        var unique: InlineArray<28, UInt8> = .init(repeating: 0xBB)
        for index in 16..<28 { unique[index] = 0xCC }
        for key in keys {
            let sealed = try await key.seal(Array("strongroom".utf8).span, context: ["tenant": "42"], unique: unique)
            #expect(Hexadecimal.encode(sealed.bytes) == expected)
            let opened = try await key.open(Ciphertext(Hexadecimal.decode(expected) ?? []), context: ["tenant": "42"])
            #expect(opened.revealed == Array("strongroom".utf8))
        }
    }

    @Test func `the canonical context does not depend on order, and tells pairs apart`() {
        let context: EncryptionContext = ["b": "1", "a": "2", "é": "3"]
        #expect(context.canonicalBytes == EncryptionContext(["é": "3", "a": "2", "b": "1"]).canonicalBytes)
        let others: [EncryptionContext] = [["a": "21", "b": ""], ["a2": "", "b": "1"], ["a": "2b1"], [:]]
        #expect(Set(others.map(\.canonicalBytes)).count == others.count)
    }
}
