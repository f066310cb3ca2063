import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct CipherTests {
    /// RFC 3394, 4.6, and RFC 5649, 6.
    @Test func `key wrapping gives the standards' examples`() throws {
        let key = SecretBytes(copying: [UInt8](0..<32))
        let secret = SecretBytes(
            copying: Hexadecimal.decode("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f") ?? [])
        let wrapped = try AESKeyWrap(.plain, key: key).wrap(secret)
        #expect(
            Hexadecimal.encode(wrapped)
                == "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
        let kwp = try AESKeyWrap(
            .padded,
            key: SecretBytes(copying: Hexadecimal.decode("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8") ?? []))
        let short = SecretBytes(copying: Hexadecimal.decode("466f7250617369") ?? [])
        #expect(Hexadecimal.encode(try kwp.wrap(short)) == "afbeb0f07dfbf5419200f2ccb50bb24f")
        let again = try kwp.wrap(short)
        let unwrapped = try kwp.unwrap(again.span).revealed
        #expect(unwrapped == Array("ForPasi".utf8))
    }

    @Test(.vectors("wycheproof/aes_wrap_test.json", "wycheproof/aes_kwp_test.json"))
    func `key wrapping holds Wycheproof's vectors`() throws {
        for (form, name) in [(AESKeyWrap.Form.plain, "aes_wrap_test"), (.padded, "aes_kwp_test")] {
            for vector in try Wycheproof(name).cases {
                let wrapping = try AESKeyWrap(form, key: SecretBytes(copying: vector.hex("key")))
                let message = vector.hex("msg")
                let opened: [UInt8]?
                do { opened = try wrapping.unwrap(vector.hex("ct").span).revealed } catch { opened = nil }
                // "acceptable" marks short keys that RFC 3394 allows and SP 800-38F does not.
                if vector.isValid { #expect(opened == message, "case \(vector.id)") }
                if vector.result == "invalid" { #expect(opened == nil, "case \(vector.id)") }
                if vector.isValid {
                    #expect(try wrapping.wrap(SecretBytes(copying: message)) == vector.hex("ct"), "case \(vector.id)")
                }
            }
        }
    }

    @Test(.vectors("nist/keywrap/kwtestvectors/KW_AE_128.txt")) func `key wrapping holds NIST's vectors`() throws {
        for (form, name) in [(AESKeyWrap.Form.plain, "KW"), (.padded, "KWP")] {
            for bits in [128, 192, 256] {
                for vector in try NISTVectors("keywrap/kwtestvectors/\(name)_AE_\(bits).txt", first: "COUNT").cases {
                    let wrapping = try AESKeyWrap(form, key: SecretBytes(copying: vector.hex("K")))
                    #expect(try wrapping.wrap(SecretBytes(copying: vector.hex("P"))) == vector.hex("C"))
                }
                for vector in try NISTVectors("keywrap/kwtestvectors/\(name)_AD_\(bits).txt", first: "COUNT").cases {
                    let wrapping = try AESKeyWrap(form, key: SecretBytes(copying: vector.hex("K")))
                    let opened: [UInt8]?
                    do { opened = try wrapping.unwrap(vector.hex("C").span).revealed } catch { opened = nil }
                    #expect(opened == (vector.fields["FAIL"] == nil ? vector.hex("P") : nil))
                }
            }
        }
    }

    @Test(.vectors("wycheproof/aes_cbc_pkcs5_test.json")) func `CBC holds Wycheproof's vectors`() throws {
        for vector in try Wycheproof("aes_cbc_pkcs5_test").cases {
            let cipher = try UnauthenticatedAES.CBC(key: SecretBytes(copying: vector.hex("key")))
            let (vectorIV, message) = (vector.hex("iv"), vector.hex("msg"))
            let opened: [UInt8]?
            do {
                opened = try cipher.decrypt(vector.hex("ct").span, initializationVector: vectorIV.span).revealed
            } catch { opened = nil }
            #expect(opened == (vector.isValid ? message : nil), "case \(vector.id)")
            if vector.isValid {
                #expect(try cipher.encrypt(message.span, initializationVector: vectorIV.span) == vector.hex("ct"))
            }
        }
    }

    @Test(.vectors("wycheproof/aes_xts_test.json")) func `XTS holds Wycheproof's vectors`() throws {
        for vector in try Wycheproof("aes_xts_test").cases
        where vector.hex("msg").count >= 16 && vector.int("keySize") != 384 {
            // Two keys of 192 bits are in the file and not in SP 800-38E.
            let cipher: UnauthenticatedAES.XTS
            do {
                cipher = try UnauthenticatedAES.XTS(key: SecretBytes(copying: vector.hex("key")))
            } catch {
                #expect(!vector.isValid, "case \(vector.id)")
                continue
            }
            // The tweaks in the file are cut of their trailing zeros.
            let tweak = vector.hex("iv") + [UInt8](repeating: 0, count: 16 - vector.hex("iv").count)
            let sealed = try cipher.encrypt(vector.hex("msg").span, tweak: tweak.span)
            #expect((sealed == vector.hex("ct")) == vector.isValid, "case \(vector.id)")
            #expect(try cipher.decrypt(sealed.span, tweak: tweak.span).revealed == vector.hex("msg"))
        }
        #expect(throws: CryptographyError(.invalidKey)) {
            _ = try UnauthenticatedAES.XTS(key: SecretBytes(copying: [UInt8](repeating: 1, count: 64)))
        }
    }

    /// SP 800-38A, F.5.5.
    @Test func `CTR gives the standard's example`() throws {
        let key = SecretBytes(
            copying: Hexadecimal.decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4") ?? [])
        let counter = Hexadecimal.decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff") ?? []
        let plaintext = Hexadecimal.decode("6bc1bee22e409f96e93d7e117393172a") ?? []
        let cipher = try UnauthenticatedAES.CTR(key: key)
        let sealed = try cipher.apply(to: plaintext.span, initialCounter: counter.span)
        #expect(Hexadecimal.encode(sealed) == "601ec313775789a5b7a7f504bbf3d228")
        #expect(try cipher.apply(to: sealed.span, initialCounter: counter.span) == plaintext)
    }

    @Test(.vectors("wycheproof/aes_cmac_test.json", "nist/CMAC/nist-800-38b-aes128.txt"))
    func `CMAC holds Wycheproof's and NIST's vectors`() async throws {
        for vector in try Wycheproof("aes_cmac_test").cases {
            let cmac: CMAC
            do { cmac = try CMAC(key: SecretBytes(copying: vector.hex("key"))) } catch {
                #expect(!vector.isValid, "case \(vector.id)")
                continue
            }
            let tag = try cmac.authenticate(vector.hex("msg").span).array
            let expected = vector.hex("tag")
            #expect((Array(tag.prefix(expected.count)) == expected) == vector.isValid, "case \(vector.id)")
        }
        for bits in [128, 192, 256] {
            for vector in try NISTVectors("CMAC/nist-800-38b-aes\(bits).txt", first: "COUNT").cases {
                let cmac = try CMAC(key: SecretBytes(copying: vector.hex("KEY")))
                #expect(try cmac.authenticate(vector.hex("MESSAGE").span).array == vector.hex("OUTPUT"))
            }
        }
    }

    @Test(.vectors("wycheproof/pbkdf2_hmacsha256_test.json")) func `PBKDF2 holds Wycheproof's vectors`() throws {
        for (function, name) in [(HashFunction.sha1, "sha1"), (.sha256, "sha256"), (.sha512, "sha512")] {
            for vector in try Wycheproof("pbkdf2_hmac\(name)_test").cases where vector.int("iterationCount") <= 100_000
            {
                let derived = try PBKDF2(function, iterations: vector.int("iterationCount")).derive(
                    from: SecretBytes(copying: vector.hex("password")), salt: vector.hex("salt").span,
                    count: vector.int("dkLen"))
                #expect((derived.revealed == vector.hex("dk")) == vector.isValid, "case \(vector.id)")
            }
        }
    }

    @Test(.vectors("nist/KDF/ansx963_2001.txt")) func `the X9.63 KDF holds NIST's vectors`() throws {
        let functions: [String: HashFunction] = [
            "SHA-1": .sha1, "SHA-224": .sha224, "SHA-256": .sha256, "SHA-384": .sha384, "SHA-512": .sha512,
        ]
        var count = 0
        for vector in try NISTVectors("KDF/ansx963_2001.txt", first: "COUNT").cases {
            guard let name = vector.section.keys.first(where: { $0.hasPrefix("SHA") }), let function = functions[name]
            else { continue }
            let expected = vector.hex("key_data")
            let derived = try X963KDF(function).derive(
                from: SecretBytes(copying: vector.hex("Z")), sharedInfo: vector.hex("SharedInfo").span,
                count: expected.count)
            #expect(derived.revealed == expected)
            count += 1
        }
        #expect(count > 0)
    }

    @Test(.vectors("wycheproof/aes_siv_cmac_test.json", "nist/ciphers/AES/SIV/openssl.txt"))
    func `AES-SIV holds Wycheproof's vectors and RFC 5297's`() throws {
        for vector in try Wycheproof("aes_siv_cmac_test").cases {
            let siv = try AESSIV(key: SecretBytes(copying: vector.hex("key")))
            let (message, sealed, data) = (vector.hex("msg"), vector.hex("ct"), [vector.hex("aad")])
            let opened: [UInt8]?
            do { opened = try siv.open(sealed.span, authenticating: data).revealed } catch { opened = nil }
            #expect(opened == (vector.isValid ? message : nil), "case \(vector.id)")
            if vector.isValid { #expect(try siv.seal(message.span, authenticating: data) == sealed) }
        }
        for vector in try NISTVectors("ciphers/AES/SIV/openssl.txt", first: "COUNT").cases {
            let data = ["AAD", "AAD2", "AAD3"].filter { vector.fields[$0] != nil }.map { vector.hex($0) }
            let siv = try AESSIV(key: SecretBytes(copying: vector.hex("Key")))
            let message = vector.hex("Plaintext")
            let sealed = try siv.seal(message.span, authenticating: data)
            #expect(sealed == vector.hex("Tag") + vector.hex("Ciphertext"))
            let opened = try siv.open(sealed.span, authenticating: data).revealed
            #expect(opened == message)
        }
    }

    /// RFC 5297, A.1, for a clone without vectors; the empty message, which OpenSSL's own AES-SIV cannot seal; and the
    /// difference between no data and empty data.
    @Test func `AES-SIV gives the standard's example, and tells nothing from emptiness`() throws {
        let key = Hexadecimal.decode("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff") ?? []
        let siv = try AESSIV(key: SecretBytes(copying: key))
        let message = Hexadecimal.decode("112233445566778899aabbccddee") ?? []
        let data = [[UInt8](0x10...0x27)]
        let sealed = try siv.seal(message.span, authenticating: data)
        #expect(Hexadecimal.encode(sealed) == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")
        let (without, empty) = (try siv.seal(Span()), try siv.seal(Span(), authenticating: [[]]))
        #expect(without != empty && without.count == 16)
        let opened = try siv.open(without.span).revealed
        #expect(opened.isEmpty)
        #expect(throws: CryptographyError(.authenticationFailure)) { _ = try siv.open(empty.span) }
    }
}
