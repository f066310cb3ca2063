import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

/// What needs an OpenSSL of 3.5 or later.
@Suite(
    .enabled(
        if: MLDSA.isAvailable || Requirement.openSSL35.isMandatory, "the linked OpenSSL is older than 3.5"))
struct MLDSATests {
    @Test(arguments: MLDSA.ParameterSet.allCases) func `keys sign`(_ parameters: MLDSA.ParameterSet) async throws {
        let key = try MLDSA.PrivateKey(parameters)
        try await SignerSuite.check(key)
        let again = try MLDSA.PrivateKey(parameters, seed: try key.seed())
        #expect(try again.publicKey == key.publicKey && again.pkcs8().revealed == key.pkcs8().revealed)
        #expect(try MLDSA.PrivateKey(parameters).publicKey != key.publicKey)
        let message = Array("a message".utf8)
        #expect(try key.sign(message.span) != key.sign(message.span), "hedged")
        // Of a long message only the representative goes to the signer.
        let encoded = try key.publicKey.bytes
        let publicKey = try MLDSA.PublicKey(parameters, encoded.span)
        let representative = try publicKey.representative(of: message.span)
        let signature = try key.sign(representative: representative.span)
        #expect(try publicKey.isValid(signature.span, for: message.span))
        #expect(try publicKey.isValid(signature.span, forRepresentative: representative.span))
        let plain = try key.sign(message.span)
        #expect(try publicKey.isValid(plain.span, forRepresentative: representative.span))
        #expect(try !publicKey.isValid(signature.span, forRepresentative: message.span))
        #expect(throws: CryptographyError(.invalidLength)) { _ = try key.sign(representative: message.span) }
        #expect(throws: CryptographyError(.invalidLength)) {
            _ = try MLDSA.MessageRepresentative(for: publicKey, signatureContext: [UInt8](repeating: 0, count: 256))
        }
    }

    @Test func `a private key is read from its seed, and from nothing that belongs to another`() throws {
        let key = try MLDSA.PrivateKey(.mldsa44, seed: SecretBytes(copying: [UInt8](repeating: 42, count: 32)))
        let encoded = try key.pkcs8().revealed
        #expect(encoded.count == 54)
        #expect(try KeyAlgorithm(pkcs8: encoded.span) == .mlDSA(.mldsa44))
        for cut in 0..<encoded.count {
            let part = Array(encoded.prefix(cut))
            #expect(throws: (any Error).self) { _ = try MLDSA.PrivateKey(pkcs8: part.span) }
        }
        // The identifier's last byte names the parameters.
        var other = encoded
        other[17] = 18
        #expect(try MLDSA.PrivateKey(pkcs8: other.span).parameters == .mldsa65)
        #expect(throws: CryptographyError(.invalidKey)) {
            _ = try MLDSA.PrivateKey(.mldsa44, seed: SecretBytes(copying: [1, 2, 3]))
        }
        let bytes = try key.publicKey.bytes
        #expect(throws: CryptographyError(.invalidKey)) { _ = try MLDSA.PublicKey(.mldsa87, bytes.span) }
    }

    @Test(.vectors("nist/asymmetric/MLDSA/kat_MLDSA_44_det_pure.rsp"), arguments: MLDSA.ParameterSet.allCases)
    func `the known answers of the reference implementation hold`(_ parameters: MLDSA.ParameterSet) throws {
        let size = parameters.rawValue.suffix(2)
        for vector in try NISTVectors("asymmetric/MLDSA/kat_MLDSA_\(size)_det_pure.rsp", first: "count").cases {
            let key = try MLDSA.PrivateKey(parameters, seed: SecretBytes(copying: vector.hex("xi")))
            let publicKey = try key.publicKey
            #expect(publicKey.bytes == vector.hex("pk"))
            let mu = try Self.representative(of: vector.hex("msg"), for: publicKey, in: vector.hex("ctx"))
            let signature = Array(vector.hex("sm").prefix(parameters.signatureByteCount))
            #expect(try publicKey.isValid(signature.span, forRepresentative: mu.span))
            let own = try key.sign(representative: mu.span)
            #expect(try publicKey.isValid(own.span, forRepresentative: mu.span))
            // Seed and expanded key together, as OpenSSL writes them.
            let both = try Self.both(parameters, seed: vector.hex("xi"), expanded: vector.hex("sk"))
            #expect(try MLDSA.PrivateKey(pkcs8: both.span).publicKey == publicKey)
            let wrong = try Self.both(parameters, seed: vector.hex("seed").suffix(32), expanded: vector.hex("sk"))
            #expect(throws: CryptographyError(.invalidKey)) { _ = try MLDSA.PrivateKey(pkcs8: wrong.span) }
        }
    }

    private static func representative(
        of message: [UInt8], for key: MLDSA.PublicKey, in context: [UInt8]
    ) throws -> [UInt8] {
        var representative = try MLDSA.MessageRepresentative(for: key, signatureContext: context)
        try representative.update(message.span)
        return try representative.finish()
    }

    /// The form of RFC 9881, section 6, that has both.
    private static func both(
        _ parameters: MLDSA.ParameterSet, seed: some Sequence<UInt8>, expanded: [UInt8]
    ) throws -> [UInt8] {
        func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
        let identifier: UInt8 = parameters == .mldsa44 ? 17 : parameters == .mldsa65 ? 18 : 19
        let algorithm: [UInt8] = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, identifier]
        let key = element(0x30, [4, 32] + seed + element(4, expanded))
        return element(0x30, [2, 1, 0] + algorithm + element(4, key))
    }

    @Test func `Ed25519ph signs what its signer has hashed`() throws {
        // RFC 8032, 7.3.
        let seed = try #require(
            Hexadecimal.decode("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"))
        let expected =
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
            + "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
        let key = try Ed25519.PrivateKey(seed: SecretBytes(copying: seed))
        let message = Array("abc".utf8)
        let signature = try key.sign(message.span, using: .ed25519ph)
        #expect(Hexadecimal.encode(signature) == expected)
        let publicKey = try key.publicKey
        #expect(try publicKey.isValid(signature.span, for: message.span, using: .ed25519ph))
        #expect(try !publicKey.isValid(signature.span, for: message.span))
        let plain = try key.sign(message.span)
        #expect(try !publicKey.isValid(plain.span, for: message.span, using: .ed25519ph))
    }
}

/// What an older OpenSSL has not is refused, and not done in another way.
@Suite(.enabled(if: !MLDSA.isAvailable, "the linked OpenSSL has everything")) struct OlderOpenSSLTests {
    @Test func `algorithms that are not there are refused`() throws {
        #expect(throws: CryptographyError(.unsupported)) { _ = try MLDSA.PrivateKey(.mldsa44) }
        let key = [UInt8](repeating: 0, count: MLDSA.ParameterSet.mldsa44.publicKeyByteCount)
        #expect(throws: CryptographyError(.unsupported)) { _ = try MLDSA.PublicKey(.mldsa44, key.span) }
        guard !Ed25519.isPrehashAvailable else { return }
        let edwards = try Ed25519.PrivateKey()
        #expect(throws: CryptographyError(.unsupported)) { _ = try edwards.sign(key.span, using: .ed25519ph) }
        #expect(throws: CryptographyError(.unsupported)) {
            _ = try edwards.publicKey.isValid(Span(), for: key.span, using: .ed25519ph)
        }
    }
}
