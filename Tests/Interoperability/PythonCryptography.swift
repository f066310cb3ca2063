import Cryptography
import Foundation
import StrongroomTestSupport

/// PyPI cryptography as a peer: it brings an OpenSSL of its own, newer than the system's.
enum PythonCryptography {
    typealias Task = [String: String]

    static let isInstalled: Bool = (try? Subprocess.run("python3", ["-c", "import cryptography"]))?.status == 0

    /// Runs tasks in order; byte strings are hexadecimal. An answer that begins with "error" is a refusal.
    static func run(_ tasks: [Task]) throws -> [String] {
        let result = try Subprocess.run(
            "python3", ["-c", script], input: try JSONSerialization.data(withJSONObject: tasks))
        guard result.status == 0, let answers = try JSONSerialization.jsonObject(with: result.output) as? [String],
            answers.count == tasks.count
        else { throw Failure(description: result.errorText) }
        return answers
    }

    static func bytes(_ task: Task) throws -> [UInt8] {
        let answer = try run([task])[0]
        guard let bytes = Hexadecimal.decode(answer) else { throw Failure(description: answer) }
        return bytes
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    private static let script = """
        import json, sys
        from cryptography.hazmat.primitives import hashes, serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, x25519
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        HASHES = {"sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256(),
                  "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
        CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(),
                  "secp256k1": ec.SECP256K1()}

        def spki(key):
            return key.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo).hex()

        def private(t):
            password = bytes.fromhex(t["passphrase"]) if "passphrase" in t else None
            return s.load_der_private_key(bytes.fromhex(t["pkcs8"]), password)

        def make(t):
            kind = t["kind"]
            if kind in CURVES: return ec.generate_private_key(CURVES[kind])
            if kind == "rsa": return rsa.generate_private_key(65537, 2048)
            return {"ed25519": ed25519.Ed25519PrivateKey, "x25519": x25519.X25519PrivateKey,
                    "ML-DSA-44": mldsa.MLDSA44PrivateKey, "ML-DSA-65": mldsa.MLDSA65PrivateKey,
                    "ML-DSA-87": mldsa.MLDSA87PrivateKey}[kind].generate()

        def encode(t):
            secret = s.BestAvailableEncryption(bytes.fromhex(t["passphrase"])) if "passphrase" in t else s.NoEncryption()
            form = s.PrivateFormat.TraditionalOpenSSL if t.get("form") == "traditional" else s.PrivateFormat.PKCS8
            return make(t).private_bytes(s.Encoding.DER, form, secret).hex()

        def scheme(t):
            if t["scheme"] == "ecdsa": return [ec.ECDSA(HASHES[t["hash"]])]
            if t["scheme"] == "whole": return []
            if t["scheme"] == "pkcs1": return [padding.PKCS1v15(), HASHES[t["hash"]]]
            return [padding.PSS(padding.MGF1(HASHES[t["hash"]]), int(t["salt"])), HASHES[t["hash"]]]

        def verify(t):
            key = s.load_der_public_key(bytes.fromhex(t["spki"]))
            key.verify(bytes.fromhex(t["signature"]), bytes.fromhex(t["message"]), *scheme(t))
            return "valid"

        def oaep(t):
            return padding.OAEP(padding.MGF1(HASHES[t["mask"]]), HASHES[t["hash"]], bytes.fromhex(t["label"]) or None)

        def agree(t):
            key, peer = private(t), s.load_der_public_key(bytes.fromhex(t["spki"]))
            return (key.exchange(ec.ECDH(), peer) if isinstance(peer, ec.EllipticCurvePublicKey) else
                    key.exchange(peer)).hex()

        DO = {
            "make": encode,
            "public": lambda t: spki(private(t).public_key()),
            "reread": lambda t: spki(s.load_der_public_key(bytes.fromhex(t["spki"]))),
            "sign": lambda t: private(t).sign(bytes.fromhex(t["message"]), *scheme(t)).hex(),
            "verify": verify,
            "agree": agree,
            "seal": lambda t: s.load_der_public_key(bytes.fromhex(t["spki"])).encrypt(
                bytes.fromhex(t["message"]), oaep(t)).hex(),
            "open": lambda t: private(t).decrypt(bytes.fromhex(t["message"]), oaep(t)).hex(),
            "open-pkcs1": lambda t: private(t).decrypt(bytes.fromhex(t["message"]), padding.PKCS1v15()).hex(),
        }
        answers = []
        for task in json.load(sys.stdin):
            try: answers.append(DO[task["do"]](task))
            except Exception as error: answers.append("error " + repr(error))
        json.dump(answers, sys.stdout)
        """
}
