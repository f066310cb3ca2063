import Cryptography
import Foundation
import KeyManagement

/// An authority of security modules, as AWS's Nitro is one: a root, and a module below it that signs documents.
struct AttestationAuthority {
    let root: Certificate
    let leaf: Certificate
    let key: ECDSA.PrivateKey

    init(_ curve: EllipticCurve = .p384, profile: CertificateProfile = .codeSigning, at time: Date = .now) async throws
    {
        let (authority, module) = (try ECDSA.PrivateKey(.p384), try ECDSA.PrivateKey(curve))
        let rootKey = try authority.publicKey.subjectPublicKeyInfo
        let top = try Self.template(rootKey, of: "CN=module authority", .root(), below: nil, time)
        let below = try Self.template(
            try module.publicKey.subjectPublicKeyInfo, of: "CN=module", profile, below: rootKey, time)
        root = try await top.certificate(signedBy: authority)
        leaf = try await below.certificate(signedBy: authority)
        key = module
    }

    private static func template(
        _ key: [UInt8], of subject: DistinguishedName, _ profile: CertificateProfile, below issuer: [UInt8]?,
        _ time: Date
    ) throws -> CertificateTemplate {
        let validity = try Validity(
            notBefore: time.addingTimeInterval(-3600), notAfter: time.addingTimeInterval(86400 * 400))
        let name = try issuer.map { try SubjectKeyIdentifier(hashing: $0).bytes }
        return try CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: key, issuer: "CN=module authority", validity: validity,
            extensions: profile.extensions(for: key, issuerKeyIdentifier: name, subject: subject))
    }

    /// A document of an enclave.
    func document(
        for publicKey: [UInt8]?, registers: [Int: [UInt8]], changing: (inout [(String, Item)]) -> Void = { _ in }
    ) throws -> [UInt8] {
        var fields: [(String, Item)] = [
            ("module_id", .text("i-1-enc1")), ("digest", .text("SHA384")), ("timestamp", .number(1_700_000_000_000)),
            ("pcrs", .map(registers.sorted { $0.key < $1.key }.map { (.number($0), .bytes($1)) })),
            ("certificate", .bytes(leaf.derEncoded)), ("cabundle", .list([.bytes(root.derEncoded)])),
            ("public_key", publicKey.map { .bytes($0) } ?? .null), ("user_data", .null), ("nonce", .null),
        ]
        changing(&fields)
        return try sign(Item.map(fields.map { (.text($0), $1) }).encoded)
    }

    /// A COSE_Sign1 of a payload.
    func sign(_ payload: [UInt8], algorithm: Int = -35) throws -> [UInt8] {
        let header = Item.map([(.number(1), .number(algorithm))]).encoded
        let signed = Item.list([.text("Signature1"), .bytes(header), .bytes([]), .bytes(payload)]).encoded
        let encoded = try key.sign(HashFunction.sha384.hash(signed))
        let signature = try ECDSA.fixedLength(der: encoded.span, key.curve)
        return Item.list([.bytes(header), .map([]), .bytes(payload), .bytes(signature)]).encoded
    }

    /// What CBOR has, to be written.
    indirect enum Item {
        case number(Int)
        case bytes([UInt8])
        case text(String)
        case list([Item])
        case map([(Item, Item)])
        case null

        var encoded: [UInt8] {
            switch self {
            case .number(let value): value < 0 ? head(1, -1 - value) : head(0, value)
            case .bytes(let bytes): head(2, bytes.count) + bytes
            case .text(let text): head(3, text.utf8.count) + Array(text.utf8)
            case .list(let items): head(4, items.count) + items.flatMap(\.encoded)
            case .map(let pairs): head(5, pairs.count) + pairs.flatMap { $0.encoded + $1.encoded }
            case .null: [0xF6]
            }
        }

        private func head(_ type: UInt8, _ value: Int) -> [UInt8] {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
            return switch value {
            case ..<24: [type << 5 | UInt8(value)]
            case ..<0x100: [type << 5 | 24] + bytes[7...]
            case ..<0x10000: [type << 5 | 25] + bytes[6...]
            default: [type << 5 | 27] + bytes
            }
        }
    }
}
