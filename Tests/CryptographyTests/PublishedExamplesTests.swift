import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

/// One example of each standard, for a clone without vectors.
@Suite struct PublishedExamplesTests {
    func hex(_ digits: String) -> [UInt8] { Hexadecimal.decode(digits) ?? [] }
    func secret(_ digits: String) -> SecretBytes { SecretBytes(copying: hex(digits)) }

    /// SP 800-38A, F.2.5.
    @Test func `CBC gives the standard's example`() throws {
        let key = secret("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
        let (plaintext, vector) = (hex("6bc1bee22e409f96e93d7e117393172a"), [UInt8](0..<16))
        let sealed = try UnauthenticatedAES.CBC(key: key).encrypt(
            plaintext.span, initializationVector: vector.span, isPadding: false)
        #expect(Hexadecimal.encode(sealed) == "f58c4c04d6e5f1ba779eabfb5f7bfbd6")
    }

    /// IEEE 1619, vector 2.
    @Test func `XTS gives the standard's example`() throws {
        let key = secret(String(repeating: "11", count: 16) + String(repeating: "22", count: 16))
        let (unit, tweak) = ([UInt8](repeating: 0x44, count: 32), hex("33333333330000000000000000000000"))
        let sealed = try UnauthenticatedAES.XTS(key: key).encrypt(unit.span, tweak: tweak.span)
        #expect(Hexadecimal.encode(sealed) == "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0")
    }

    /// SP 800-38B, D.1.
    @Test func `CMAC gives the standard's example`() throws {
        let message = hex("6bc1bee22e409f96e93d7e117393172a")
        let tag = try CMAC(key: secret("2b7e151628aed2a6abf7158809cf4f3c")).authenticate(message.span)
        #expect(tag.description == "070a16b46b4d4144f79bdd9dd04a287c")
    }

    /// RFC 8439, 2.8.2.
    @Test func `ChaCha20-Poly1305 gives the standard's example`() throws {
        let sealed = hex(
            "070000004041424344454647d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282"
                + "fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831"
                + "d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")
        let key = SecretBytes(copying: [UInt8](0x80...0x9f))
        let opened = try ChaCha20Poly1305(key: key).open(sealed, authenticating: hex("50515253c0c1c2c3c4c5c6c7"))
        #expect(String(decoding: opened.revealed, as: UTF8.self).hasPrefix("Ladies and Gentlemen of the class of '99"))
    }

    /// RFC 7914, section 11 and 12.
    @Test func `PBKDF2 and scrypt give the standard's examples`() throws {
        let (salt, none) = (Array("salt".utf8), [UInt8]())
        let derived = try PBKDF2(.sha256, iterations: 1).derive(
            from: SecretBytes(copying: Array("passwd".utf8)), salt: salt.span, count: 64)
        #expect(
            Hexadecimal.encode(derived.bytes).hasPrefix("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c2"))
        let slow = try Scrypt(cost: 16, blockSize: 1, parallelism: 1).derive(
            from: SecretBytes(copying: none), salt: none.span, count: 64)
        #expect(
            Hexadecimal.encode(slow.bytes).hasPrefix("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede2"))
    }

    /// NIST's CAVP, ANS X9.63, SHA-256.
    @Test func `the X9.63 KDF gives a published example`() throws {
        let info = hex("75eef81aa3041e33b80971203d2c0c52")
        let derived = try X963KDF(.sha256).derive(
            from: secret("22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d"), sharedInfo: info.span, count: 16)
        #expect(Hexadecimal.encode(derived.bytes) == "c498af77161cc59f2962b9a713e2b215")
    }

    /// RFC 6979, A.2.5; and a signature on secp256k1 by PyPI cryptography.
    @Test func `ECDSA verifies the standard's example`() throws {
        let point = hex(
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c"
                + "2d7e9f5177a3c294d4462299")
        let fixed = hex(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9"
                + "aff4064dc4ab2f843acda8")
        let digest = try HashFunction.sha256.hash(Array("sample".utf8))
        let signature = try ECDSA.der(fixedLength: fixed.span, .p256)
        #expect(try ECDSA.PublicKey(.p256, point: point).isValid(signature, for: digest))
        let key = try ECDSA.PrivateKey(
            .secp256k1, scalar: secret("0a79aa13e97dfcefe82a66c233a123b1bddd6e0de3e8cb7d351644a67ce7a54a"))
        let compressed = "025f65a319a12510c95c37ed82042dac3c175ed8b9a167d2a86a53d33bf1712fba"
        #expect(try Hexadecimal.encode(key.publicKey.compressedPoint) == compressed)
        let other = hex(
            "30450220228b8840dea4fb2f415a310e9973fc924501483b9acdd8108b35d1b364a6ea1d022100e28209e200041687ba8fcbdfcd21"
                + "0ea4d9dafd6ff6edb485aead673f0c1f8ac2")
        #expect(try ECDSA.PublicKey(.secp256k1, point: hex(compressed)).isValid(other, for: digest))
    }

    /// RFC 5903, 8.1, and RFC 7748, 5.2.
    @Test func `ECDH and X25519 give the standards' examples`() throws {
        let key = try ECDH.PrivateKey(
            .p256, scalar: secret("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433"))
        let peer = hex(
            "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046"
                + "ada30f8353e74f33039872ab")
        let shared = try key.sharedSecret(with: ECDH.PublicKey(.p256, point: peer))
        #expect(
            Hexadecimal.encode(shared.bytes) == "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de")
        let other = try X25519.PrivateKey(
            scalar: secret("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"))
        let point = hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
        let second = try other.sharedSecret(with: X25519.PublicKey(point.span))
        #expect(
            Hexadecimal.encode(second.bytes) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    }

    /// By PyPI cryptography, over the text "sample".
    @Test func `RSA verifies and decrypts what another library made`() throws {
        let encoded = try #require(Data(base64Encoded: Self.rsaKey))
        let key = try RSA.PrivateKey(pkcs8: SecretBytes(copying: Array(encoded)))
        let message = Array("sample".utf8)
        for (digits, algorithm) in [
            (Self.pkcs1Signature, SignatureAlgorithm.rsaPKCS1v15SHA256), (Self.pssSignature, .rsaPSSSHA256),
        ] {
            let signature = hex(digits)
            let isValid = try key.publicKey.isValid(signature.span, for: message.span, using: algorithm)
            #expect(isValid, "\(algorithm)")
        }
        #expect(Hexadecimal.encode(try key.sign(message.span, using: .rsaPKCS1v15SHA256)) == Self.pkcs1Signature)
        let ciphertext = hex(Self.oaepCiphertext)
        #expect(try key.decrypt(ciphertext.span, using: .rsaOAEPSHA256).revealed == message)
    }

    static let rsaKey =
        "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQDOtzxAvbX0OAbtuu7GVNbIAuMk+SIxDUP58vPQJykN6mA6hWpb5tTI"
        + "d8XpA3rEDxfFM7OJnp8cp/ti6B11aVCPci6qCeNLGniIvGy8TZe0/ty49dXj8SgexHEu/SFH4XTiSt4rEmr6revbAHe2YNQDBHSSf7ay"
        + "7nOYiqqSuiki1w0M0BWDtoeUSAwOING4+xcwtyEYzS05hlJ9/LKG94FHP6d5Tnn+kGmKv7og3HRKZBKjIzjfa41sXWQnVezTCZ9yZ0fj"
        + "wxmiZsJ2lEhGhU6o1exGg0BfU49CgHvR06elqjrjrwL/ir1v6YDmVn4jHhfPwaG5teyAqVTQywbtHsTNAgMBAAECggEAZEBCNOWsgjHP"
        + "zmhrl30aouqfjVVTqzVTQ7t7WfY791c07vy4HbTfeg94SG7bEY1+SjGuPy5R3RxsksWeT8xQ+Rh3oBhmhoxia3HyTApXajx2AC+dWUwh"
        + "2HYNrCuwAcPKI1sKzxnCDyvc6BucczMXbxUwkcHlcXaqUg7h9YHaJF4HAR3DG33Z5xke+yy2F0raYrd9iNW7iji6b5lIjCY4DoQ3M9W1"
        + "/Fsb0MpAbJqaAAdYYrZi4pzfSZXUf8NBOz4ocIHWoyfx9UH0SFWPExdlOBSGfNMW+/Qf01rvC8viuCljRCMQa6R2mVffFQkP3OoxJ48H"
        + "VDmJ0sd+YdXeSSeb0wKBgQDmrVykWlQH/MNawYhVaVH9lQu3vX5i48H/lK95+7eVZK5jNYngJwpBf+vnEutglCuFYhCf2WAcPF714OlT"
        + "XEOra+qv+4tKrvh/8JiIkHgUdM6Yd7lekOsTBlyy5KgIDFwImO+xKySjnV1TA3EiKlZ3vC0tAEEw4LP2rRIa0SXDnwKBgQDlaH52esef"
        + "mMherH+7Y9E/CGDH1liX/JwKxcy46sDy39rb2pnkuE7ffgSrT4ucE82kIex5nHCuDC2537L95DTexKi7GOQBJyY5YyMMJ7aAixd54OgU"
        + "c9zYqAgbPMw0q8ke5YUTv32EcgPD0UNz4sIjvsv9EqkbW6VQFPC6FSbAEwKBgBRmmJ7gbjYWoKBSJWCIY/vtRpAFbjwIsIuN9sbvABly"
        + "Qgn8Hil4ymtoiNBy1+Y+tGqjdZzteJaGsE9GiNwaeNGcRbEyqer89nU6LgNF45jLi8noLLi0UFXqZiBcIJA1p54LCIe+rQrbS/mfgE3p"
        + "OKR2O/iS4TEVblUOkV9Vx+U5AoGAHyaAPZBQePBjDM/5jDVynU+C7L/DSegIPEI9mUJvLsuMyVu2l+Ma+qf+9FAZ0fiybL4agSzn9Ao9"
        + "T0b75BPPxgwIKVeo5istuo8mnCjsVCoO5wLOILDW5Shz6VbpF6HX7nUWC+dtoMVmk3lf4mWBHR90TYnyIn/gQ66EPZBPsbcCgYBqPxGy"
        + "K4TTKe/CknKAMHCQBGunXDmHkoDdRNj7aHkZ7ii296Rw07eWTvQvzlZcM7XbAxQ+ZNbfiYaA2zFXoW/IOt9ryj9OYpXki1batMNCJyXJ"
        + "3NOwczDgTO/pg/7Zut6H6elmyyahfSyhjxqJKGISUrLfOW9hZN+D2O3NJ9RrOQ=="
    static let pkcs1Signature =
        "ad9f9d3b2cfd6b08b36ed9b8d7c1e8710846eb84eeafabcb722ce1c0cb14cd515fb9ecd22f9d0a9a2692747a09be0ed42c7bf6c7"
        + "58b4a3fcd8f5607015f6c012d3781709a97aa0ed8280234ad5a1c8e221838489848e0ca70480991f2116cd3a9c24388d84ab7986"
        + "cd46c25a67cbfa1cda450d9b12948ea0efbb5d7ac66342c2e63b3a93ca0f4990857fdff406605b4e2e8b09cb703085b7f5ac4ee4"
        + "92f3ea6ddc9bf7af9f878cdcf3cfea45ca4f5ab9bce2f0842534fdb15dd07176a55987c2212ce0910fa26917d48679d6219d10be"
        + "a60b425647e4c374de5b053c08e0a3455182dd4979876caddc9c6fce20ea907a5723be5dee4118a789af3ee4f0986694"
    static let pssSignature =
        "7d1cc53a0d6c333392345b7fed1ed06347a1bfbfb8ab84c0000c916aba437adb4a73ec15756765f2252550ea6188da1c0c017163"
        + "4e45c02eb8bd5f1a930e7825afe77fa4141db05acb7b74e39082d77ee497443c6b63f8044e5c484142e53d42199743a75e4db343"
        + "e350925ff0c650d222135270342c5cd95e8d2d4d54196d4b7dfcc7543eed060065344fad5df89c990acfc7d5e7b34104c1c9a153"
        + "864be1f377eab8e6222735ab27902a6c2ae50095e3015dbdb78246696ebc2776edd72e9643119e3d04c65d8b0a5fcf6a4830112e"
        + "2dc340617b428080d224a7f2c49b96dffc3e18887ea00e900844da0575e3ebf4184b42101b89639243033913d9008f1f"
    static let oaepCiphertext =
        "5cbea7dcce155e8ebb6ca9eeece6538a002222a7fc2a4236309cca9b7f16f84ca3b677afe147a95ad2b1669db440d1f2083acf9c"
        + "a2e94c8591bc6158b140140a4a2f9ae7f386d9cc2e36a29636fb31678635b30210893ff0c9e37fd970f81170d618916777057ad8"
        + "89320380786562a31ecbc2b3007f9b2e7608629f4e17d5c98b76c4674baf0285a71941035e6194b2d96ad0d77708b7c39a15bdf9"
        + "ea0187201eefe8ebf21b7d3f1a98de45d136c203316d43309307d5bc84bc08c104a3912a2c89a05236627aae0c43b3902a2ea1a7"
        + "f0e18c2ddaddef30de2a7b07aeebe6ff7de7830df77244c9d4becc068cef67398c49be368582ad6773138ed4747911ec"
}
