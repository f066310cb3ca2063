import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct KeyDerivationTests {
    /// RFC 5869, appendix A.1.
    @Test func `HKDF gives the standard's example`() throws {
        let hkdf = HKDF(.sha256)
        let key = SecretBytes(copying: [UInt8](repeating: 0x0b, count: 22))
        let salt = [UInt8](0x00...0x0c)
        let info = [UInt8](0xf0...0xf9)
        let material = try hkdf.derive(from: key, salt: salt.span, info: info.span, count: 42)
        #expect(
            Hexadecimal.encode(material.bytes)
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        #expect(throws: CryptographyError(.invalidLength)) {
            _ = try hkdf.derive(from: SecretBytes(copying: [1]), info: info.span, count: 255 * 32 + 1)
        }
    }

    @Test(.vectors("wycheproof/hkdf_sha256_test.json")) func `HKDF holds Wycheproof's vectors`() throws {
        for (function, name) in [
            (HashFunction.sha1, "sha1"), (.sha256, "sha256"), (.sha384, "sha384"), (.sha512, "sha512"),
        ] {
            for vector in try Wycheproof("hkdf_\(name)_test").cases {
                let derived: [UInt8]?
                do {
                    let material = try HKDF(function).derive(
                        from: SecretBytes(copying: vector.hex("ikm")), salt: vector.hex("salt").span,
                        info: vector.hex("info").span, count: vector.int("size"))
                    derived = Hexadecimal.decode(Hexadecimal.encode(material.bytes))
                } catch {
                    derived = nil
                }
                #expect(derived == (vector.isValid ? vector.hex("okm") : nil), "case \(vector.id)")
            }
        }
    }

    @Test(.vectors("nist/KDF/nist-800-108-KBKDF-CTR.txt")) func `the counter KDF holds NIST's vectors`() throws {
        let functions: [String: HashFunction] = [
            "HMAC_SHA1": .sha1, "HMAC_SHA224": .sha224, "HMAC_SHA256": .sha256, "HMAC_SHA384": .sha384,
            "HMAC_SHA512": .sha512,
        ]
        var count = 0
        for vector in try NISTVectors("KDF/nist-800-108-KBKDF-CTR.txt", first: "COUNT").cases {
            guard let function = functions[vector.section["PRF"] ?? ""],
                vector.section["CTRLOCATION"] == "BEFORE_FIXED", vector.section["RLEN"] == "32_BITS"
            else { continue }
            let kdf = try CounterKDF(function, key: SecretBytes(copying: vector.hex("KI")))
            let material = try kdf.derive(fixedInput: vector.hex("FixedInputData").span, count: vector.int("L") / 8)
            #expect(Hexadecimal.encode(material.bytes) == vector.fields["KO"])
            count += 1
        }
        #expect(count == 200)
    }

    /// From PyPI cryptography's KBKDFHMAC (counter mode, 4-byte counter and length, before the fixed input).
    @Test func `the counter KDF lays out label, context and length`() throws {
        let kdf = try CounterKDF(.sha256, key: SecretBytes(copying: [UInt8](repeating: 0x0b, count: 32)))
        let material = try kdf.derive(label: Array("label".utf8).span, context: Array("context".utf8).span, count: 40)
        #expect(
            Hexadecimal.encode(material.bytes)
                == "6a965f5d05abd624c61b7189340864da6dbc8d7d5760e5667e11a3edae0a39b5d1700ab39696bdd8")
    }

    @Test(.vectors("nist/KDF/scrypt.txt")) func `scrypt holds RFC 7914's vectors`() throws {
        for vector in try NISTVectors("KDF/scrypt.txt", first: "COUNT").cases {
            func number(_ name: String) -> UInt64 { UInt64(vector.int(name)) }
            let cost = try Scrypt(cost: number("N"), blockSize: number("r"), parallelism: number("p"))
            let salt = Array((vector.fields["SALT"] ?? "").utf8)
            let derived = try cost.derive(
                from: SecretBytes(copying: Array((vector.fields["PASSWORD"] ?? "").utf8)), salt: salt.span,
                count: vector.int("LENGTH"))
            #expect(derived.revealed == vector.hex("DERIVED_KEY"))
        }
    }
}
