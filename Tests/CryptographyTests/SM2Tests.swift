import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct SM2Tests {
    @Test func `keys sign and decrypt`() async throws {
        let key = try SM2.PrivateKey()
        try await SignerSuite.check(key)
        let publicKey = try key.publicKey
        try await DecryptorSuite.check(key) { secret, algorithm throws(CryptographyError) in
            try publicKey.encrypt(SecretBytes(copying: secret), using: algorithm)
        }
        for count in [0, 1025] {
            #expect(throws: CryptographyError(.invalidLength)) {
                _ = try publicKey.encrypt(SecretBytes(copying: [UInt8](repeating: 1, count: count)))
            }
        }
        let again = try SM2.PrivateKey(pkcs8: key.pkcs8())
        #expect(try again.publicKey == publicKey && again.scalar().revealed == key.scalar().revealed)
        #expect(try KeyAlgorithm(subjectPublicKeyInfo: publicKey.subjectPublicKeyInfo.span) == .sm2)
        // Nobody takes one kind's key for the other's.
        let encoded = try key.pkcs8().revealed
        let curve = try ECDSA.PrivateKey(.p256).pkcs8().revealed
        #expect(throws: CryptographyError(.unsupported)) { _ = try ECDSA.PrivateKey(pkcs8: encoded.span) }
        #expect(throws: CryptographyError(.unsupported)) { _ = try SM2.PrivateKey(pkcs8: curve.span) }
        var off = publicKey.uncompressedPoint
        off[40] ^= 1
        #expect(throws: CryptographyError(.invalidKey)) { _ = try SM2.PublicKey(point: off) }
    }

    @Test(.timeLimit(.minutes(1))) func `a private number that never signs is refused`() throws {
        // The order less 1, and less 2 (GB/T 32918.5, 2).
        let order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d541"
        let never = try #require(Hexadecimal.decode(order + "22"))
        #expect(throws: CryptographyError(.invalidKey)) {
            _ = try SM2.PrivateKey(scalar: SecretBytes(copying: never))
        }
        let last = try SM2.PrivateKey(scalar: SecretBytes(copying: try #require(Hexadecimal.decode(order + "21"))))
        let message: [UInt8] = [1]
        let signature = try last.sign(message.span)
        #expect(try last.publicKey.isValid(signature.span, for: message.span))
    }

    @Test func `the standard's examples hold`() throws {
        // GB/T 32905, A.1.
        let digest = try HashFunction.sm3.hash(Array("abc".utf8)).array
        #expect(Hexadecimal.encode(digest) == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
        // GB/T 32918.5, A.2.
        let scalar = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
        let point =
            "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
            + "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
        let (r, s) = (
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
            "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
        )
        let key = try SM2.PrivateKey(scalar: SecretBytes(copying: try #require(Hexadecimal.decode(scalar))))
        let publicKey = try key.publicKey
        #expect(Hexadecimal.encode(publicKey.uncompressedPoint) == "04" + point)
        let signature = try #require(Hexadecimal.decode("30460221" + "00" + r + "0221" + "00" + s))
        let message = Array("message digest".utf8)
        #expect(try publicKey.isValid(signature.span, for: message.span))
        // e of the same example: the hash of the identity's hash and the message.
        let e = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
        let bytes = try #require(Hexadecimal.decode(e))
        let identified = try Digest(bytes.span)
        #expect(try publicKey.isValid(signature.span, forIdentified: identified))
        let made = try key.sign(identified: identified)
        #expect(try publicKey.isValid(made.span, for: message.span))
        let short = try HashFunction.sha224.hash(message)
        #expect(throws: CryptographyError(.invalidLength)) { _ = try key.sign(identified: short) }
    }
}
