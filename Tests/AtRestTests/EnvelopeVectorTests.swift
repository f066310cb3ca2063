import AtRest
import Foundation
import StrongroomTestSupport
import Testing

/// Gives every message the same data key.
struct GivenKeyring: Keyring {
    let dataKey: [UInt8]
    func sealDataKey(in materials: inout EncryptionMaterials) async throws {}
    func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        materials.setDataKey(SecretBytes(copying: dataKey))
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
