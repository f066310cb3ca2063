import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct RSAEncryptionTests {
    @Test(.vectors("wycheproof/rsa_oaep_2048_sha1_mgf1sha1_test.json")) func `OAEP holds Wycheproof's vectors`() throws
    {
        for (name, algorithm) in [
            ("2048_sha1_mgf1sha1", EncryptionAlgorithm.rsaOAEPSHA1),
            ("2048_sha256_mgf1sha1", .rsaOAEP(.sha256, mask: .sha1)), ("2048_sha256_mgf1sha256", .rsaOAEPSHA256),
            ("3072_sha256_mgf1sha1", .rsaOAEP(.sha256, mask: .sha1)), ("3072_sha256_mgf1sha256", .rsaOAEPSHA256),
            ("4096_sha256_mgf1sha1", .rsaOAEP(.sha256, mask: .sha1)), ("4096_sha256_mgf1sha256", .rsaOAEPSHA256),
        ] {
            var keys: [String: RSA.PrivateKey] = [:]
            for vector in try Wycheproof("rsa_oaep_\(name)_test").cases {
                let encoded =
                    vector.string("privateKeyPkcs8").isEmpty
                    ? ((vector.group["privateKey"] as? [String: Any])?["privateKeyPkcs8"] as? String ?? "")
                    : vector.string("privateKeyPkcs8")
                let key: RSA.PrivateKey
                if let known = keys[encoded] {
                    key = known
                } else {
                    key = try RSA.PrivateKey(pkcs8: SecretBytes(copying: Hexadecimal.decode(encoded) ?? []))
                    keys[encoded] = key
                }
                let opened: [UInt8]?
                do {
                    opened = try key.decrypt(vector.hex("ct").span, using: algorithm, label: vector.hex("label"))
                        .revealed
                } catch {
                    #expect(error == CryptographyError(.authenticationFailure))
                    opened = nil
                }
                #expect(opened == (vector.isValid ? vector.hex("msg") : nil), "\(name) \(vector.id)")
            }
        }
    }

    @Test func `OAEP round trips for every pair of functions and every length that fits`() throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let functions: [HashFunction] = [.sha1, .sha224, .sha256, .sha384, .sha512]
        for function in functions {
            for mask in functions {
                let algorithm = EncryptionAlgorithm.rsaOAEP(function, mask: mask)
                let longest = key.publicKey.maximumPlaintextByteCount(algorithm)
                for count in [0, 1, 32, longest] {
                    let secret = try SecretBytes.random(count: count)
                    let sealed = try key.publicKey.encrypt(secret, using: algorithm, label: [7])
                    #expect(try key.decrypt(sealed.span, using: algorithm, label: [7]).revealed == secret.revealed)
                    #expect(throws: CryptographyError(.authenticationFailure)) {
                        _ = try key.decrypt(sealed.span, using: algorithm, label: [8])
                    }
                }
                #expect(throws: CryptographyError(.invalidLength)) {
                    _ = try key.publicKey.encrypt(try .random(count: longest + 1), using: algorithm)
                }
            }
        }
    }

    @Test func `every decrypting key passes the suite`() async throws {
        let key = try RSA.PrivateKey(bits: 2048)
        try await DecryptorSuite.check(key) { secret, algorithm throws(CryptographyError) in
            try key.publicKey.encrypt(SecretBytes(copying: secret), using: algorithm)
        }
    }

    @Test func `PKCS 1 decryption is off, and where it is on answers every ciphertext`() throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let secret = try SecretBytes.random(count: 48)
        let sealed = try key.publicKey.encrypt(secret, using: .rsaPKCS1v15)
        #expect(throws: CryptographyError(.unsupported)) { _ = try key.decrypt(sealed.span, using: .rsaPKCS1v15) }
        let legacy = try RSA.LegacyDecryptor(key, allowing: .rsaPKCS1v15)
        #expect(try legacy.decrypt(sealed.span, using: .rsaPKCS1v15).revealed == secret.revealed)
        var lengths: Set<Int> = []
        for index in 0..<32 {
            var damaged = sealed
            damaged[255 - index] ^= 0x10
            let answer = try legacy.decrypt(damaged.span, using: .rsaPKCS1v15).revealed
            #expect(answer != secret.revealed)
            // The same ciphertext, the same answer: otherwise asking twice would tell.
            #expect(try legacy.decrypt(damaged.span, using: .rsaPKCS1v15).revealed == answer)
            lengths.insert(answer.count)
        }
        #expect(lengths.count > 8)
        let short = Array(sealed.dropLast())
        #expect(throws: CryptographyError(.authenticationFailure)) {
            _ = try legacy.decrypt(short.span, using: .rsaPKCS1v15)
        }
    }

    @Test func `keys out of bounds are refused`() throws {
        let key = try RSA.PrivateKey(bits: 2048).publicKey
        let (good, usual) = (key.modulus, key.exponent)
        for exponent in [[1], [2], [0], [], [4, 0], [UInt8](repeating: 1, count: 9)] as [[UInt8]] {
            #expect(throws: CryptographyError(.invalidKey)) {
                _ = try RSA.PublicKey(modulus: good.span, exponent: exponent.span)
            }
        }
        for modulus in [[], [3], Array(good.dropFirst(2)), good + good + [1]] {
            #expect(throws: CryptographyError(.invalidKey)) {
                _ = try RSA.PublicKey(modulus: modulus.span, exponent: usual.span)
            }
        }
        #expect(throws: CryptographyError(.invalidKey)) { _ = try RSA.PrivateKey(bits: 1024) }
    }
}
