import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

/// Whatever PyPI hypothesis asks, we answer as PyPI cryptography does.
@Suite(
    .enabled(
        if: Oracle.isInstalled || Requirement.peers.isMandatory, "pip install cryptography hypothesis"))
struct OracleTests {
    static let cases = ProcessInfo.processInfo.environment["STRONGROOM_ORACLE_CASES"] ?? "2000"
    static let seed = ProcessInfo.processInfo.environment["PROPERTY_SEED"] ?? "20260101"

    @Test func `an outside oracle finds no difference`() throws {
        let peer = try LinePeer("python3", ["-c", Oracle.script, Self.cases, Self.seed])
        var count = 0
        while let line = peer.receive() {
            let question = try JSONDecoder().decode(Question.self, from: Data(line.utf8))
            let answer = (try? question.answer()).map { Hexadecimal.encode($0) } ?? "error"
            try peer.send(answer)
            count += 1
        }
        #expect(peer.finish() == 0, "a difference: see standard error")
        print("\(count) questions of the oracle answered")
        #expect(count >= Int(Self.cases) ?? 0)
    }
}

/// One question, byte strings in hexadecimal digits.
private struct Question: Decodable {
    let `do`: String
    var hash, mask, kind, form, count: String?
    var key, salt, info, label, context, secret, wrapped, message, spki, pkcs8, sec1: String?

    private struct Unclear: Error {}

    private func bytes(_ text: String?) throws -> [UInt8] {
        guard let text, let bytes = Hexadecimal.decode(text) else { throw Unclear() }
        return bytes
    }

    private func function(_ name: String?) throws -> HashFunction {
        switch name {
        case "sha1": .sha1
        case "sha224": .sha224
        case "sha256": .sha256
        case "sha384": .sha384
        case "sha512": .sha512
        case "sha3_256": .sha3_256
        default: throw Unclear()
        }
    }

    func answer() throws -> [UInt8] {
        switch `do` {
        case "hkdf", "expand", "kbkdf": try derived()
        case "wrap":
            try AESKeyWrap(form == "plain" ? .plain : .padded, key: SecretBytes(copying: bytes(key)))
                .wrap(SecretBytes(copying: bytes(secret)))
        case "unwrap": try unwrapped()
        case "seal":
            try RSA.PublicKey(subjectPublicKeyInfo: bytes(spki)).encrypt(
                SecretBytes(copying: bytes(message)), using: .rsaOAEP(function(hash), mask: function(mask)),
                label: bytes(label))
        case "open": try opened()
        case "sec1": try rewritten()
        default:
            switch kind {
            case "ed25519": try keys(Ed25519.PrivateKey.self, Ed25519.PublicKey.self)
            case "x25519": try keys(X25519.PrivateKey.self, X25519.PublicKey.self)
            case "rsa": try keys(RSA.PrivateKey.self, RSA.PublicKey.self)
            default: try keys(ECDSA.PrivateKey.self, ECDSA.PublicKey.self)
            }
        }
    }

    private func derived() throws -> [UInt8] {
        guard let count = count.flatMap({ Int($0) }) else { throw Unclear() }
        let (function, key) = (try function(hash), try bytes(key))
        switch `do` {
        case "hkdf":
            let (salt, info) = (try bytes(salt), try bytes(info))
            return try HKDF(function).derive(
                from: SecretBytes(copying: key), salt: salt.span, info: info.span, count: count
            ).revealed
        case "expand":
            let info = try bytes(info)
            return try HKDF(function).expand(SecretBytes(copying: key), info: info.span, count: count).revealed
        default:
            let (label, context) = (try bytes(label), try bytes(context))
            return try CounterKDF(function, key: SecretBytes(copying: key)).derive(
                label: label.span, context: context.span, count: count
            ).revealed
        }
    }

    private func opened() throws -> [UInt8] {
        let key = try RSA.PrivateKey(pkcs8: SecretBytes(copying: bytes(pkcs8)))
        let sealed = try bytes(message)
        return try key.decrypt(sealed.span, using: .rsaOAEP(function(hash), mask: function(mask)), label: bytes(label))
            .revealed
    }

    private func rewritten() throws -> [UInt8] {
        let read = try bytes(sec1)
        return try ECDSA.PrivateKey(sec1: read.span).sec1().revealed
    }

    private func unwrapped() throws -> [UInt8] {
        let wrapped = try bytes(wrapped)
        return try AESKeyWrap(form == "plain" ? .plain : .padded, key: SecretBytes(copying: bytes(key)))
            .unwrap(wrapped.span).revealed
    }

    private func keys<Private: AsymmetricPrivateKey, Public: AsymmetricPublicKey>(
        _: Private.Type, _: Public.Type
    ) throws -> [UInt8] {
        switch `do` {
        case "private": try Private(pkcs8: SecretBytes(copying: bytes(pkcs8))).pkcs8().revealed
        case "public": try Private(pkcs8: SecretBytes(copying: bytes(pkcs8))).publicKey.subjectPublicKeyInfo
        case "reread": try Public(subjectPublicKeyInfo: bytes(spki)).subjectPublicKeyInfo
        default: throw Unclear()
        }
    }
}
