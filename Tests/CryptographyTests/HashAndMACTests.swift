import Cryptography
import StrongroomTestSupport
import Testing

@Suite struct HashAndMACTests {
    static let functions: [(HashFunction, String)] = [
        (.sha1, "SHA1/SHA1"), (.sha224, "SHA2/SHA224"), (.sha256, "SHA2/SHA256"), (.sha384, "SHA2/SHA384"),
        (.sha512, "SHA2/SHA512"), (.sha512_256, "SHA2/SHA512_256"), (.sha3_224, "SHA3/SHA3_224"),
        (.sha3_256, "SHA3/SHA3_256"), (.sha3_384, "SHA3/SHA3_384"), (.sha3_512, "SHA3/SHA3_512"),
    ]

    /// The digests of "abc" that FIPS 180-4 and FIPS 202 publish.
    @Test func `each function gives the standard's example`() throws {
        let expected = [
            "a9993e36", "23097d22", "ba7816bf", "cb00753f", "ddaf35a1", "53048e26", "e642824c", "3a985da7",
            "ec01498288516fc9",
            "b751850b1a57168a",
        ]
        for ((function, _), prefix) in zip(Self.functions, expected) {
            #expect(try function.hash(Array("abc".utf8)).description.hasPrefix(prefix), "\(function)")
        }
    }

    @Test(.vectors("nist/hashes/SHA2/SHA256ShortMsg.rsp")) func `hash functions hold NIST's vectors`() throws {
        for (function, name) in Self.functions {
            for kind in ["ShortMsg", "LongMsg"] {
                for vector in try NISTVectors("hashes/\(name)\(kind).rsp", first: "Len").cases {
                    let message = vector.int("Len") == 0 ? [] : vector.hex("Msg")
                    #expect(try function.hash(message).array == vector.hex("MD"))
                }
            }
        }
    }

    @Test func `pieces hash as the whole, and a copy goes on alone`() throws {
        let message = try SystemRandom().bytes(count: 1000)
        var context = try HashContext(.sha384)
        for start in stride(from: 0, to: 1000, by: 77) {
            try context.update(message.span.extracting(start..<min(start + 77, 1000)))
        }
        var copy = try context.copy()
        try copy.update([1].span)
        #expect(try context.finish() == HashFunction.sha384.hash(message))
        #expect(try copy.finish() == HashFunction.sha384.hash(message + [1]))
        #expect(try context.finish() == HashFunction.sha384.hash([]))
    }

    /// RFC 4231, test case 2.
    @Test func `HMAC gives the standard's example`() throws {
        let hmac = try HMAC(.sha256, key: SecretBytes(copying: Array("Jefe".utf8)))
        let tag = try hmac.authenticate(Array("what do ya want for nothing?".utf8))
        #expect(tag.description == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test(.vectors("wycheproof/hmac_sha256_test.json")) func `HMAC holds Wycheproof's vectors`() throws {
        for (function, name) in [
            (HashFunction.sha1, "sha1"), (.sha224, "sha224"), (.sha256, "sha256"), (.sha384, "sha384"),
            (.sha512, "sha512"),
        ] {
            for vector in try Wycheproof("hmac_\(name)_test").cases {
                let hmac = try HMAC(function, key: SecretBytes(copying: vector.hex("key")))
                let tag = try hmac.authenticate(vector.hex("msg"))
                let expected = vector.hex("tag")
                // Truncated tags are in the files; ours are whole, and a cut one is no tag.
                #expect((Array(tag.array.prefix(expected.count)) == expected) == vector.isValid, "case \(vector.id)")
                let isWhole = expected.count == function.digestByteCount
                #expect(
                    try hmac.isValid(expected.span, for: vector.hex("msg").span) == (vector.isValid && isWhole),
                    "case \(vector.id)")
            }
        }
    }

    @Test func `an empty key is a key`() throws {
        // RFC 2104 pads it to a block of zeros. From Python's hmac.new(b"", b"", "sha256").
        let tag = try HMAC(.sha256, key: SecretBytes(copying: [])).authenticate([])
        #expect(tag.description == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `every authenticator passes the suite`() async throws {
        for function in [HashFunction.sha1, .sha256, .sha384, .sha512, .sha3_256] {
            try await MessageAuthenticatorSuite.check(try HMAC(function, key: .random(count: 32)))
        }
        for count in [16, 24, 32] { try await MessageAuthenticatorSuite.check(try CMAC(key: .random(count: count))) }
    }
}
