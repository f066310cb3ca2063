import Foundation
import KeyManagement

/// Documents of a module that is trusted: what is fuzzed may be the document, or what its module signs.
enum AttestationInputs {
    static let now = CertificateInputs.now
    nonisolated(unsafe) private static var module: (key: ECDSA.PrivateKey, certificate: Certificate)?

    static func prepare() async throws {
        let key = try ECDSA.PrivateKey(.p384)
        let info = try key.publicKey.subjectPublicKeyInfo
        let extensions = try CertificateProfile.codeSigning.extensions(
            for: info, issuerKeyIdentifier: nil, subject: "CN=module")
        let template = try CertificateTemplate(
            subject: "CN=module", subjectPublicKeyInfo: info, issuer: "CN=module",
            validity: Validity(from: now.addingTimeInterval(-3600), for: .seconds(86400)), extensions: extensions)
        module = (key, try await template.certificate(signedBy: key))
    }

    static var roots: [Certificate] { module.map { [$0.certificate] } ?? [] }

    /// The fields of a document, in CBOR.
    static func payload(_ publicKey: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0xA7]
        func text(_ text: String) { bytes += [0x60 | UInt8(text.utf8.count)] + Array(text.utf8) }
        func blob(_ blob: [UInt8]) { bytes += [0x59, UInt8(blob.count >> 8), UInt8(blob.count & 0xFF)] + blob }
        text("module_id")
        text("i-1")
        text("digest")
        text("SHA384")
        text("timestamp")
        bytes += [0x1A, 1, 2, 3, 4]
        text("pcrs")
        bytes += [0xA1, 0]
        blob([UInt8](repeating: 1, count: 48))
        text("certificate")
        blob(module?.certificate.derEncoded ?? [])
        text("cabundle")
        bytes += [0x80]
        text("public_key")
        blob(publicKey)
        return bytes
    }

    /// COSE_Sign1 of a payload.
    static func sign(_ payload: [UInt8]) throws -> [UInt8] {
        guard let module else { return [] }
        let header: [UInt8] = [0xA1, 1, 0x38, 0x22]
        let count = [UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        let signed = [0x84, 0x6A] + Array("Signature1".utf8) + [0x44] + header + [0x40, 0x59] + count + payload
        let encoded = try module.key.sign(HashFunction.sha384.hash(signed))
        let signature = try ECDSA.fixedLength(der: encoded.span, .p384)
        return [0x84, 0x44] + header + [0xA0, 0x59] + count + payload + [0x58, 96] + signature
    }
}
