import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

/// Keys as PyPI cryptography and the openssl command write them, and as we do.
@Suite(
    .enabled(
        if: PythonCryptography.isInstalled || Requirement.peers.isMandatory, "pip install cryptography"))
struct KeyFormatTests {
    static let passphrase = Array("correct horse".utf8)

    @Test func `PyPI cryptography and we read each other's keys`() throws {
        for curve in EllipticCurve.allCases {
            try check(ECDSA.PrivateKey.self, curve.rawValue) { try ECDSA.PrivateKey(curve) }
            try check(ECDH.PrivateKey.self, curve.rawValue) { try ECDH.PrivateKey(curve) }
        }
        try check(Ed25519.PrivateKey.self, "ed25519") { try Ed25519.PrivateKey() }
        try check(X25519.PrivateKey.self, "x25519") { try X25519.PrivateKey() }
        try check(RSA.PrivateKey.self, "rsa") { try RSA.PrivateKey(bits: 2048) }
        for parameters in MLDSA.ParameterSet.allCases where MLDSA.isAvailable {
            try check(MLDSA.PrivateKey.self, parameters.rawValue) { try MLDSA.PrivateKey(parameters) }
        }
    }

    private func check<Key: AsymmetricPrivateKey>(
        _ type: Key.Type, _ kind: String, _ make: () throws -> Key
    ) throws {
        let phrase = SecretBytes(copying: Self.passphrase)
        let text = Hexadecimal.encode(Self.passphrase)
        // Ours, read by them: plain, and encrypted by both derivations.
        let key = try make()
        let public_ = Hexadecimal.encode(try key.publicKey.subjectPublicKeyInfo)
        let plain = Hexadecimal.encode(try key.pkcs8().revealed)
        let small = PassphraseDerivation.pbkdf2(iterations: 2048)
        let sealed = Hexadecimal.encode(try key.encryptedPKCS8(passphrase: phrase, small))
        let answers = try PythonCryptography.run([
            ["do": "public", "pkcs8": plain], ["do": "public", "pkcs8": sealed, "passphrase": text],
            ["do": "reread", "spki": public_],
            ["do": "make", "kind": kind], ["do": "make", "kind": kind, "passphrase": text],
        ])
        #expect(answers[0] == public_ && answers[1] == public_ && answers[2] == public_, "\(kind) \(answers)")
        // Theirs, read by us, and written again byte for byte.
        let theirs = try #require(Hexadecimal.decode(answers[3]))
        let read = try Key(pkcs8: theirs.span)
        #expect(try read.pkcs8().revealed == theirs, "\(kind)")
        let encrypted = try #require(Hexadecimal.decode(answers[4]))
        let opened = try Key(encryptedPKCS8: encrypted.span, passphrase: phrase)
        #expect(try opened.publicKey.subjectPublicKeyInfo.count > 40)
        let wrong = SecretBytes(copying: [1, 2, 3])
        for _ in 0..<3 {
            #expect(throws: CryptographyError(.authenticationFailure)) {
                _ = try Key(encryptedPKCS8: encrypted.span, passphrase: wrong)
            }
        }
    }

    @Test func `PyPI cryptography and we check each other's signatures`() throws {
        var keys: [(any SynchronousSigner, SecretBytesBox)] = []
        for curve in EllipticCurve.allCases {
            let key = try ECDSA.PrivateKey(curve)
            keys.append((key, SecretBytesBox(try key.pkcs8().revealed)))
        }
        let (edwards, rsa) = (try Ed25519.PrivateKey(), try RSA.PrivateKey(bits: 2048))
        keys.append((edwards, SecretBytesBox(try edwards.pkcs8().revealed)))
        keys.append((rsa, SecretBytesBox(try rsa.pkcs8().revealed)))
        for parameters in MLDSA.ParameterSet.allCases where MLDSA.isAvailable {
            let key = try MLDSA.PrivateKey(parameters)
            keys.append((key, SecretBytesBox(try key.pkcs8().revealed)))
        }
        let message = Array("sign here".utf8)
        for (key, encoded) in keys {
            let info = try key.subjectPublicKeyInfo
            let verifier = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
            for algorithm in key.signatureAlgorithms {
                let signature = try key.sign(message.span, using: algorithm)
                var task = [
                    "spki": Hexadecimal.encode(info), "pkcs8": encoded.hex, "message": Hexadecimal.encode(message),
                    "signature": Hexadecimal.encode(signature), "salt": String(algorithm.saltByteCount),
                    "hash": "sha\((algorithm.function?.digestByteCount ?? 0) * 8)",
                ]
                task["scheme"] =
                    switch algorithm.scheme {
                    case .ecdsa: "ecdsa"
                    case .ed25519, .ed25519ph, .mlDSA, .sm2DSA: "whole"
                    case .rsaPKCS1v15: "pkcs1"
                    case .rsaPSS: "pss"
                    }
                task["do"] = "verify"
                let answer = try PythonCryptography.run([task])
                #expect(answer == ["valid"], "\(algorithm)")
                task["do"] = "sign"
                let theirs = try PythonCryptography.bytes(task)
                let isValid = try verifier.isValid(theirs.span, for: message.span, using: algorithm)
                #expect(isValid, "\(algorithm)")
            }
        }
    }

    @Test func `PyPI cryptography and we agree on secrets`() throws {
        for curve in EllipticCurve.allCases {
            let (key, peer) = (try ECDH.PrivateKey(curve), try ECDH.PrivateKey(curve))
            let theirs = try PythonCryptography.bytes([
                "do": "agree", "pkcs8": Hexadecimal.encode(try key.pkcs8().revealed),
                "spki": Hexadecimal.encode(try peer.publicKey.subjectPublicKeyInfo),
            ])
            #expect(try peer.sharedSecret(with: key.publicKey).revealed == theirs)
        }
        let (key, peer) = (try X25519.PrivateKey(), try X25519.PrivateKey())
        let theirs = try PythonCryptography.bytes([
            "do": "agree", "pkcs8": Hexadecimal.encode(try key.pkcs8().revealed),
            "spki": Hexadecimal.encode(try peer.publicKey.subjectPublicKeyInfo),
        ])
        #expect(try peer.sharedSecret(with: key.publicKey).revealed == theirs)
    }

    @Test func `PyPI cryptography and we open each other's OAEP, for every pair of functions`() throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let functions: [(String, HashFunction)] = [
            ("sha1", .sha1), ("sha224", .sha224), ("sha256", .sha256), ("sha384", .sha384), ("sha512", .sha512),
        ]
        let secret = [UInt8](1...40)
        let encoded = Hexadecimal.encode(try key.pkcs8().revealed)
        let info = Hexadecimal.encode(key.subjectPublicKeyInfo)
        var tasks: [PythonCryptography.Task] = []
        var algorithms: [(EncryptionAlgorithm, [UInt8])] = []
        for (name, function) in functions {
            for (maskName, mask) in functions {
                let label = mask == .sha256 ? Array("label".utf8) : []
                let algorithm = EncryptionAlgorithm.rsaOAEP(function, mask: mask)
                let sealed = try key.publicKey.encrypt(SecretBytes(copying: secret), using: algorithm, label: label)
                let common = [
                    "hash": name, "mask": maskName, "label": Hexadecimal.encode(label), "pkcs8": encoded, "spki": info,
                ]
                tasks.append(common.merging(["do": "open", "message": Hexadecimal.encode(sealed)]) { $1 })
                tasks.append(common.merging(["do": "seal", "message": Hexadecimal.encode(secret)]) { $1 })
                algorithms.append((algorithm, label))
            }
        }
        let answers = try PythonCryptography.run(tasks)
        for (index, (algorithm, label)) in algorithms.enumerated() {
            #expect(answers[2 * index] == Hexadecimal.encode(secret), "\(algorithm)")
            let sealed = try #require(Hexadecimal.decode(answers[2 * index + 1]), "\(answers[2 * index + 1])")
            #expect(try key.decrypt(sealed.span, using: algorithm, label: label).revealed == secret)
        }
    }

    /// OpenSSL since 3.2 makes up the same messages for wrong paddings: the derivation is right to the byte.
    @Test func `implicit rejection gives what newer OpenSSL gives`() throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let legacy = try RSA.LegacyDecryptor(key, allowing: .rsaPKCS1v15)
        let encoded = Hexadecimal.encode(try key.pkcs8().revealed)
        var sealed: [[UInt8]] = []
        for index in 0..<24 {
            var ciphertext = try key.publicKey.encrypt(try .random(count: index * 5), using: .rsaPKCS1v15)
            if index % 3 > 0 { ciphertext[200 + index] ^= 0x40 }
            sealed.append(ciphertext)
        }
        let answers = try PythonCryptography.run(
            sealed.map { ["do": "open-pkcs1", "pkcs8": encoded, "message": Hexadecimal.encode($0)] })
        for (ciphertext, answer) in zip(sealed, answers) {
            let ours = try legacy.decrypt(ciphertext.span, using: .rsaPKCS1v15).revealed
            #expect(Hexadecimal.encode(ours) == answer)
        }
    }

    @Test func `the openssl command and we read each other's keys`() throws {
        let folder = try TemporaryFolder()
        let phrase = SecretBytes(copying: Self.passphrase)
        let key = try ECDSA.PrivateKey(.p384)
        let info = try key.publicKey.subjectPublicKeyInfo
        for derivation in [
            PassphraseDerivation.pbkdf2(), .scrypt(try Scrypt(cost: 16384, blockSize: 8, parallelism: 1)),
        ] {
            let sealed = try key.encryptedPKCS8(passphrase: phrase, derivation)
            try Data(sealed).write(to: folder.url.appendingPathComponent("key.der"))
            let read = try Subprocess.run(
                "openssl",
                [
                    "pkey", "-inform", "DER", "-in", "key.der", "-passin", "pass:correct horse", "-pubout", "-outform",
                    "DER",
                ],
                folder: folder.url)
            #expect(Array(read.output) == info, "\(read.errorText)")
        }
        try Data(try key.sec1().revealed).write(to: folder.url.appendingPathComponent("sec1.der"))
        let traditional = try Subprocess.run(
            "openssl", ["ec", "-inform", "DER", "-in", "sec1.der", "-outform", "DER"], folder: folder.url)
        let sec1 = try key.sec1().revealed
        #expect(Array(traditional.output) == sec1, "\(traditional.errorText)")
        let again = try ECDSA.PrivateKey(sec1: sec1.span).publicKey
        #expect(try again == key.publicKey)
        for options in [["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"], ["-v2", "aes-192-cbc"], ["-scrypt"]] {
            let made = try Subprocess.run(
                "openssl",
                ["pkcs8", "-topk8", "-inform", "DER", "-in", "sec1.der", "-outform", "DER"] + options
                    + ["-passout", "pass:correct horse"], folder: folder.url)
            let bytes = Array(made.output)
            let opened = try ECDSA.PrivateKey(encryptedPKCS8: bytes.span, passphrase: phrase).publicKey
            #expect(try opened == key.publicKey, "\(options)")
        }
    }
}

/// An encoded key for a list.
private final class SecretBytesBox: Sendable {
    let hex: String
    init(_ bytes: [UInt8]) { hex = Hexadecimal.encode(bytes) }
}
