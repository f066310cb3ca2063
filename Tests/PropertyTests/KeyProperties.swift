import Cryptography
import StrongroomPropertyTesting
import StrongroomTestSupport
import SwiftASN1
import Testing

@Suite struct KeyProperties {
    /// Whether the bytes are elements of DER, down to the primitive ones.
    static func isDER(_ bytes: Span<UInt8>) -> Bool {
        var reader = DERReader(bytes)
        while !reader.isAtEnd {
            guard let tag = reader.nextTag, tag.rawValue & 0x1F != 0x1F else { return false }
            do throws(CryptographyError) {
                let content = try reader.take(tag)
                if tag.rawValue & 0x20 != 0, !isDER(content) { return false }
            } catch { return false }
        }
        return true
    }

    @Test func `the DER reader and swift-asn1 agree on what is DER`() async throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let phrase = SecretBytes(copying: [1])
        let samples = [
            try key.pkcs8().revealed, key.subjectPublicKeyInfo, try ECDSA.PrivateKey(.p521).pkcs8().revealed,
            try ECDSA.PrivateKey(.p256).encryptedPKCS8(passphrase: phrase, .pbkdf2(iterations: 1)),
        ]
        for sample in samples {
            let isSampleDER = Self.isDER(sample.span)
            #expect(isSampleDER)
            await forAll(Generator.damaged(sample), count: 500) { bytes in
                let isTheirs = (try? DER.parse(bytes)) != nil
                // One element, as theirs is asked for; tags of several bytes are theirs only.
                var reader = DERReader(bytes.span)
                let isOne = reader.nextTag.map { (try? reader.take($0)) != nil && reader.isAtEnd } ?? false
                let isOurs = isOne && Self.isDER(bytes.span)
                try require(!isOurs || isTheirs, "ours alone takes it")
                let hasLongTags = bytes.contains { $0 & 0x1F == 0x1F }
                try require(!isTheirs || isOurs || hasLongTags, "theirs alone takes it")
            }
        }
    }

    @Test func `integers and object identifiers are written as swift-asn1 writes them`() async throws {
        await forAll(Generator.bytes(.int(in: 0...40)), count: 500) { bytes in
            var writer = DERWriter()
            writer.appendUnsigned(bytes.span)
            let ours = writer.array()
            var serializer = DER.Serializer()
            let digits = bytes.drop { $0 == 0 }
            // Theirs wants the magnitude in two's complement.
            try serializer.serialize(ArraySlice((digits.first ?? 0x80) >= 0x80 ? [0] + digits : Array(digits)))
            try require(ours == serializer.serializedBytes, "an INTEGER")
            var reader = DERReader(ours.span)
            let read = try reader.takeUnsigned()
            try require(read.indices.map { read[$0] } == (digits.isEmpty ? [0] : Array(digits)), "read back")
        }
        for (ours, text) in [
            (DERObjectIdentifier(1, 2, 840, 113549, 1, 1, 1), "1.2.840.113549.1.1.1"),
            (DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 1, 42), "2.16.840.1.101.3.4.1.42"),
            (DERObjectIdentifier(1, 3, 6, 1, 4, 1, 11591, 4, 11), "1.3.6.1.4.1.11591.4.11"),
        ] {
            var serializer = DER.Serializer()
            try ASN1ObjectIdentifier(dotRepresentation: text).serialize(into: &serializer)
            var writer = DERWriter()
            writer.append(ours)
            let bytes = writer.array()
            #expect(bytes == serializer.serializedBytes && ours.description == text)
        }
    }

    @Test func `a damaged key is refused, or is a key that is written as it was read`() async throws {
        let edwards = try Ed25519.PrivateKey().pkcs8().revealed
        let curve = try ECDSA.PrivateKey(.p256).pkcs8().revealed
        let info = try ECDSA.PrivateKey(.secp256k1).publicKey.subjectPublicKeyInfo
        let rsa = try RSA.PrivateKey(bits: 2048)
        let (rsaKey, rsaInfo) = (try rsa.pkcs8().revealed, rsa.subjectPublicKeyInfo)
        try await readsTotally(Ed25519.PrivateKey.self, edwards)
        try await readsTotally(ECDSA.PrivateKey.self, curve)
        try await readsTotally(RSA.PrivateKey.self, rsaKey)
        for sample in [info, rsaInfo] {
            await forAll(Generator.damaged(sample), count: 500) { bytes in
                guard let key = try? KeyAlgorithm.verificationKey(subjectPublicKeyInfo: bytes.span) else { return }
                // A compressed point is written uncompressed; anything else as it came.
                let again = key.subjectPublicKeyInfo
                try require(again == bytes || again.count > bytes.count, "another encoding of the same key")
            }
        }
    }

    private func readsTotally<Key: AsymmetricPrivateKey>(_ type: Key.Type, _ sample: [UInt8]) async throws {
        let read = try Key(pkcs8: sample.span).pkcs8().revealed
        #expect(read == sample)
        await forAll(Generator.damaged(sample), count: 500) { bytes in
            let key: Key
            do { key = try Key(pkcs8: bytes.span) } catch { return }
            // Attributes and public keys that may stand beside are not kept: never longer than what was read.
            try require(try key.pkcs8().count <= bytes.count + 80, "another encoding of the same key")
        }
    }

    @Test func `a damaged encrypted key is refused in one way or as malformed`() async throws {
        let phrase = Array("phrase".utf8)
        let sealed = try ECDSA.PrivateKey(.p256).encryptedPKCS8(
            passphrase: SecretBytes(copying: phrase), .pbkdf2(iterations: 2))
        await forAll(Generator.damaged(sealed), count: 500) { bytes in
            do throws(CryptographyError) {
                _ = try ECDSA.PrivateKey(encryptedPKCS8: bytes.span, passphrase: SecretBytes(copying: phrase))
            } catch {
                let codes: [CryptographyError.Code] = [
                    .authenticationFailure, .invalidEncoding, .unsupported, .invalidKey, .invalidLength,
                ]
                try require(codes.contains(error.code), "\(error)")
            }
        }
    }

    @Test func `signatures change form and back`() async throws {
        for curve in EllipticCurve.allCases {
            await forAll(Generator.bytes(.int(in: 2 * curve.coordinateByteCount...2 * curve.coordinateByteCount))) {
                let der = try ECDSA.der(fixedLength: $0.span, curve)
                try require(try ECDSA.fixedLength(der: der.span, curve) == $0, "back")
            }
        }
        let der = try ECDSA.der(fixedLength: [UInt8](repeating: 0x81, count: 64).span, .p256)
        await forAll(Generator.damaged(der), count: 500) { bytes in
            guard let fixed = try? ECDSA.fixedLength(der: bytes.span, .p256) else { return }
            try require(try ECDSA.der(fixedLength: fixed.span, .p256) == bytes, "a second encoding of one signature")
        }
    }
}
