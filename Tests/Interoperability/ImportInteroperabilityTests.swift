import Cryptography
import Foundation
import KeyManagement
import StrongroomTestSupport
import Testing

/// Keys that PyPI cryptography has made and wrapped become managed keys, and both sides do the same with them.
@Suite(.enabled(if: PythonCryptography.isInstalled || Requirement.peers.isMandatory, "pip install cryptography"))
struct ImportInteroperabilityTests {
    /// What the peer made.
    struct Made: Decodable {
        let wrapped: String
        let secret: String
        let spki: String?
    }

    let client: KeyManagementClient

    init() async throws {
        client = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32))
        ).client(for: .user("alice", account: "111122223333"))
    }

    @Test(
        arguments: zip(
            RSAKeySize.allCases, [ImportWrapping.rsaAESKeyWrapSHA256, .rsaAESKeyWrapSHA1, .rsaAESKeyWrapSHA256]))
    func `RSA keys of a peer's`(_ wrappingSize: RSAKeySize, _ wrapping: ImportWrapping) async throws {
        let key = try await client.createKeyForImport(.rsaOAEP(.bits2048))
        let made = try await bring("rsa", to: KeyIdentifier(key), wrapping, wrappingSize)
        for (algorithm, name) in [(EncryptionAlgorithm.rsaOAEPSHA256, "sha256"), (.rsaOAEPSHA1, "sha1")] {
            let ours = try await client.encrypt([1, 2, 3], under: key, using: algorithm)
            let opened = try PythonCryptography.bytes([
                "do": "open", "pkcs8": made.secret, "message": Hexadecimal.encode(ours), "hash": name, "mask": name,
                "label": "",
            ])
            #expect(opened == [1, 2, 3])
            let theirs = try PythonCryptography.bytes([
                "do": "seal", "spki": made.spki ?? "", "message": "040506", "hash": name, "mask": name, "label": "",
            ])
            #expect(try await client.decrypt(theirs, with: key, using: algorithm).revealed == [4, 5, 6])
        }
    }

    @Test(arguments: ImportWrapping.allCases.filter { $0 != .sm2PKE })
    func `curve keys of a peer's`(_ wrapping: ImportWrapping) async throws {
        for (kind, specification, algorithm) in [
            ("P-384", KeySpecification<Signing>.ecdsa(.p384), SignatureAlgorithm.ecdsaSHA384),
            ("ed25519", .ed25519, .ed25519),
        ] {
            let key = try await client.createKeyForImport(specification)
            let made = try await bring(kind, to: KeyIdentifier(key), wrapping, .bits3072)
            let signature = try await client.sign([7], with: key, using: algorithm)
            let answer = try PythonCryptography.run([
                [
                    "do": "verify", "spki": made.spki ?? "", "signature": Hexadecimal.encode(signature),
                    "message": "07",
                    "scheme": kind == "ed25519" ? "whole" : "ecdsa", "hash": "sha384",
                ]
            ])
            #expect(answer == ["valid"])
        }
    }

    @Test(arguments: [ImportWrapping.rsaOAEPSHA256, .rsaOAEPSHA1])
    func `raw keys of a peer's`(_ wrapping: ImportWrapping) async throws {
        let key = try await client.createKeyForImport(.hmac(.sha256))
        let made = try await bring("raw", to: KeyIdentifier(key), wrapping, .bits2048)
        let secret = SecretBytes(copying: Hexadecimal.decode(made.secret) ?? [])
        let theirs = try HMAC(.sha256, key: secret).authenticate([UInt8](arrayLiteral: 1).span).array
        #expect(try await client.generateMAC(for: [1], with: key) == theirs)
    }

    private func bring(
        _ kind: String, to key: KeyIdentifier, _ wrapping: ImportWrapping, _ size: RSAKeySize
    ) async throws -> Made {
        let parameters = try await client.importParameters(for: key, wrapping: wrapping, keySize: size)
        let task = [
            "kind": kind, "spki": Hexadecimal.encode(parameters.wrappingKey), "wrapping": wrapping.rawValue,
        ]
        let result = try Subprocess.run(
            "python3", ["-c", Self.script], input: try JSONSerialization.data(withJSONObject: task))
        try #require(result.status == 0, "\(result.errorText)")
        let made = try JSONDecoder().decode(Made.self, from: result.output)
        let wrapped = try #require(Hexadecimal.decode(made.wrapped))
        try await client.importKeyMaterial(wrapped, parameters.token, into: key, expiring: .never)
        return made
    }

    private static let script = """
        import json, os, sys
        from cryptography.hazmat.primitives import hashes, serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

        task = json.load(sys.stdin)
        made = {"rsa": lambda: rsa.generate_private_key(65537, 2048), "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
                "ed25519": ed25519.Ed25519PrivateKey.generate, "raw": lambda: None}[task["kind"]]()
        secret = os.urandom(32) if made is None else made.private_bytes(
            s.Encoding.DER, s.PrivateFormat.PKCS8, s.NoEncryption())
        wrapping = s.load_der_public_key(bytes.fromhex(task["spki"]))
        sha = hashes.SHA1() if task["wrapping"].endswith("_1") else hashes.SHA256()
        oaep = padding.OAEP(padding.MGF1(sha), sha, None)
        if task["wrapping"].startswith("RSA_AES"):
            between = os.urandom(32)
            wrapped = wrapping.encrypt(between, oaep) + aes_key_wrap_with_padding(between, secret)
        else:
            wrapped = wrapping.encrypt(secret, oaep)
        spki = made and made.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo).hex()
        json.dump({"wrapped": wrapped.hex(), "secret": secret.hex(), "spki": spki}, sys.stdout)
        """
}
