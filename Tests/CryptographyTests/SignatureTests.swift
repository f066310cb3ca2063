import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@Suite struct SignatureTests {
    @Test(.vectors("wycheproof/ecdsa_secp256r1_sha256_test.json")) func `ECDSA holds Wycheproof's vectors`() throws {
        let files: [(String, SignatureAlgorithm)] = [
            ("secp256r1_sha256", .ecdsaSHA256), ("secp256r1_sha512", .ecdsaSHA512), ("secp384r1_sha256", .ecdsaSHA256),
            ("secp384r1_sha384", .ecdsaSHA384), ("secp384r1_sha512", .ecdsaSHA512), ("secp521r1_sha512", .ecdsaSHA512),
            ("secp256k1_sha256", .ecdsaSHA256), ("secp256k1_sha512", .ecdsaSHA512),
        ]
        for (name, algorithm) in files { try check("ecdsa_\(name)_test", algorithm) }
    }

    @Test(.vectors("wycheproof/ed25519_test.json")) func `Ed25519 holds Wycheproof's vectors`() throws {
        try check("ed25519_test", .ed25519)
    }

    @Test(.vectors("wycheproof/rsa_signature_2048_sha256_test.json"))
    func `RSA signatures hold Wycheproof's vectors`() throws {
        for (bits, hash, algorithm) in [
            (2048, 256, SignatureAlgorithm.rsaPKCS1v15SHA256), (2048, 384, .rsaPKCS1v15SHA384),
            (2048, 512, .rsaPKCS1v15SHA512), (3072, 256, .rsaPKCS1v15SHA256), (3072, 384, .rsaPKCS1v15SHA384),
            (3072, 512, .rsaPKCS1v15SHA512), (4096, 256, .rsaPKCS1v15SHA256), (4096, 384, .rsaPKCS1v15SHA384),
            (4096, 512, .rsaPKCS1v15SHA512),
        ] { try check("rsa_signature_\(bits)_sha\(hash)_test", algorithm) }
        for (name, algorithm) in [
            ("2048_sha256_mgf1_0", SignatureAlgorithm.rsaPSS(.sha256, saltByteCount: 0)),
            ("2048_sha256_mgf1_32", .rsaPSSSHA256), ("2048_sha384_mgf1_48", .rsaPSSSHA384),
            ("3072_sha256_mgf1_32", .rsaPSSSHA256), ("4096_sha256_mgf1_32", .rsaPSSSHA256),
            ("4096_sha384_mgf1_48", .rsaPSSSHA384), ("4096_sha512_mgf1_32", .rsaPSS(.sha512, saltByteCount: 32)),
            ("4096_sha512_mgf1_64", .rsaPSSSHA512),
        ] { try check("rsa_pss_\(name)_test", algorithm) }
    }

    /// Every group has one key. "acceptable" is left to the implementation: here an old form of PKCS #1 padding.
    private func check(_ name: String, _ algorithm: SignatureAlgorithm) throws {
        for vector in try Wycheproof(name).cases {
            let key = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: vector.hex("publicKeyDer").span)
            #expect(key.subjectPublicKeyInfo == vector.hex("publicKeyDer"))
            let isValid = try key.isValid(vector.hex("sig").span, for: vector.hex("msg").span, using: algorithm)
            if vector.result != "acceptable" { #expect(isValid == vector.isValid, "\(name) \(vector.id)") }
        }
    }

    @Test(.vectors("nist/asymmetric/ECDSA/FIPS_186-3/SigGen.txt")) func `ECDSA holds NIST's vectors`() throws {
        let curves: [String: EllipticCurve] = ["P-256": .p256, "P-384": .p384, "P-521": .p521]
        var count = 0
        for vector in try NISTVectors("asymmetric/ECDSA/FIPS_186-3/SigGen.txt", first: "Msg").cases {
            let section = vector.section.keys.first { $0.hasPrefix("P-") }?.split(separator: ",").map(String.init) ?? []
            guard section.count == 2, let curve = curves[section[0]] else { continue }
            let algorithms: [String: SignatureAlgorithm] = [
                "SHA-256": .ecdsaSHA256, "SHA-384": .ecdsaSHA384, "SHA-512": .ecdsaSHA512,
            ]
            guard let algorithm = algorithms[section[1]] else { continue }
            let width = curve.coordinateByteCount
            func padded(_ name: String) -> [UInt8] { vector.number(name, count: width) }
            let key = try ECDSA.PublicKey(curve, point: [4] + padded("Qx") + padded("Qy"))
            let own = try ECDSA.PrivateKey(curve, scalar: SecretBytes(copying: padded("d")))
            #expect(try own.publicKey == key)
            let fixed = padded("R") + padded("S")
            let signature = try ECDSA.der(fixedLength: fixed.span, curve)
            #expect(try ECDSA.fixedLength(der: signature.span, curve) == fixed)
            let message = vector.hex("Msg")
            #expect(try key.isValid(signature.span, for: message.span, using: algorithm))
            count += 1
        }
        #expect(count > 100)
    }

    @Test(.vectors("nist/asymmetric/Ed25519/sign.input")) func `Ed25519 signs as its authors' vectors do`() throws {
        let text = String(decoding: try Vectors.data("nist/asymmetric/Ed25519/sign.input"), as: UTF8.self)
        let lines = text.split(separator: "\n")
        for line in lines {
            let parts = line.split(separator: ":", omittingEmptySubsequences: false).map {
                Hexadecimal.decode($0) ?? []
            }
            let key = try Ed25519.PrivateKey(seed: SecretBytes(copying: Array(parts[0].prefix(32))))
            #expect(try key.publicKey.bytes == parts[1])
            let message = parts[2]
            let signature = try key.sign(message.span)
            #expect(signature == Array(parts[3].prefix(64)))
        }
        try Vectors.report("nist/asymmetric/Ed25519/sign.input", lines.count)
    }

    @Test func `every signing key passes the suite`() async throws {
        for curve in EllipticCurve.allCases { try await SignerSuite.check(try ECDSA.PrivateKey(curve)) }
        try await SignerSuite.check(try Ed25519.PrivateKey())
        try await SignerSuite.check(try RSA.PrivateKey(bits: 2048))
    }

    /// RFC 8032, 7.1, test 2, for a clone without vectors.
    @Test func `Ed25519 gives the standard's example`() throws {
        let seed = Hexadecimal.decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb") ?? []
        let signature = try Ed25519.PrivateKey(seed: SecretBytes(copying: seed)).sign([0x72].span)
        #expect(
            Hexadecimal.encode(signature).hasPrefix("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"))
    }

    @Test func `a signature in a caller's buffer needs room for the longest`() throws {
        let key = try ECDSA.PrivateKey(.p521)
        let digest = try HashFunction.sha512.hash([1, 2, 3])
        var buffer = [UInt8](repeating: 0, count: ECDSA.maximumSignatureByteCount)
        var longest = 0
        for _ in 0..<50 {
            let count: Int
            do {
                var span = buffer.mutableSpan
                count = try key.sign(digest, into: &span)
            }
            longest = max(longest, count)
            #expect(try key.publicKey.isValid(Array(buffer.prefix(count)), for: digest))
        }
        #expect(longest <= ECDSA.maximumSignatureByteCount)
        #expect(throws: CryptographyError(.invalidLength)) {
            var short = [UInt8](repeating: 0, count: 72)
            var span = short.mutableSpan
            _ = try key.sign(digest, into: &span)
        }
    }
}
