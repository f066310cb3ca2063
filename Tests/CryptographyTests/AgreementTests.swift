import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct AgreementTests {
    @Test(.vectors("wycheproof/ecdh_secp256r1_test.json")) func `ECDH holds Wycheproof's vectors`() throws {
        for (name, curve) in [("secp256r1", EllipticCurve.p256), ("secp384r1", .p384), ("secp521r1", .p521)] {
            for vector in try Wycheproof("ecdh_\(name)_test").cases {
                // The private numbers are written as integers: too long by a zero, or too short.
                let digits = vector.hex("private").drop { $0 == 0 }
                let scalar = [UInt8](repeating: 0, count: curve.coordinateByteCount - digits.count) + digits
                let key = try ECDH.PrivateKey(curve, scalar: SecretBytes(copying: scalar))
                let shared: [UInt8]?
                do {
                    shared = try key.sharedSecret(withPublicKey: vector.hex("public").span).revealed
                } catch { shared = nil }
                switch vector.result {
                case "valid": #expect(shared == vector.hex("shared"), "\(name) \(vector.id)")
                case "invalid": #expect(shared == nil, "\(name) \(vector.id)")
                default: #expect(shared == nil || shared == vector.hex("shared"), "\(name) \(vector.id)")
                }
            }
        }
    }

    @Test(.vectors("wycheproof/x25519_test.json")) func `X25519 holds Wycheproof's vectors`() throws {
        for vector in try Wycheproof("x25519_test").cases {
            let key = try X25519.PrivateKey(scalar: SecretBytes(copying: vector.hex("private")))
            let shared: [UInt8]?
            do {
                shared = try key.sharedSecret(with: X25519.PublicKey(vector.hex("public").span)).revealed
            } catch { shared = nil }
            let isZero = vector.flags.contains("ZeroSharedSecret")
            #expect(shared == (isZero ? nil : vector.hex("shared")), "case \(vector.id)")
        }
    }

    @Test(.vectors("nist/asymmetric/X25519/rfc7748.txt")) func `X25519 gives RFC 7748's examples`() throws {
        for vector in try NISTVectors("asymmetric/X25519/rfc7748.txt", first: "COUNT").cases {
            // Iterated cases start with the base point as scalar; every case here is a single multiplication.
            guard vector.fields["INPUT_U"] != nil, vector.int("COUNT") <= 2 else { continue }
            let key = try X25519.PrivateKey(scalar: SecretBytes(copying: vector.hex("INPUT_SCALAR")))
            let shared = try key.sharedSecret(with: X25519.PublicKey(vector.hex("INPUT_U").span)).revealed
            #expect(shared == vector.hex("OUTPUT_U"))
        }
    }

    @Test(.vectors("nist/asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax"))
    func `ECDH holds NIST's vectors`() throws {
        let curves: [String: EllipticCurve] = ["EC": .p256, "ED": .p384, "EE": .p521]
        var checked = 0
        let file = "asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax"
        for vector in try NISTVectors(file, first: "COUNT").cases {
            // The header lists all parameter sets as sections of their own.
            let name = vector.section.keys.first { $0.contains(" - SHA") }.map { String($0.prefix(2)) } ?? ""
            guard let curve = curves[name] else { continue }
            let width = curve.coordinateByteCount
            func padded(_ name: String) -> [UInt8] { vector.number(name, count: width) }
            // "Z changed" alters the expected secret only; the rest spoils a key.
            guard vector.fields["Result"]?.hasPrefix("P") == true else { continue }
            let key = try ECDH.PrivateKey(curve, scalar: SecretBytes(copying: padded("dsIUT")))
            let peer = try ECDH.PublicKey(curve, point: [4] + padded("QsCAVSx") + padded("QsCAVSy"))
            let digest: HashFunction = curve.function
            let secret = try key.sharedSecret(with: peer)
            #expect(try digest.hash(secret.revealed).array == vector.hex("CAVSHashZZ"))
            checked += 1
        }
        #expect(checked == 54)
    }

    @Test func `every agreement key passes the suite`() async throws {
        for curve in EllipticCurve.allCases {
            try await KeyAgreementSuite.check(try ECDH.PrivateKey(curve), peer: try ECDH.PrivateKey(curve))
        }
        try await KeyAgreementSuite.check(try X25519.PrivateKey(), peer: try X25519.PrivateKey())
    }

    @Test func `keys of different curves share nothing`() throws {
        let other = try ECDH.PrivateKey(.p384).publicKey
        #expect(throws: CryptographyError(.invalidKey)) {
            _ = try ECDH.PrivateKey(.p256).sharedSecret(with: other)
        }
    }
}
