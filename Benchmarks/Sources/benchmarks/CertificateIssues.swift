import CTwins
import Certificates
import Foundation

/// Certificates issued, and chains read and validated, over the signatures that this cannot do without, and beside OpenSSL's
/// X.509 and swift-certificates.
enum CertificateIssues {
    private static let repeats = 20

    static func comparisons() async throws -> [Comparison] {
        let (rootKey, middleKey, leafKey) = (
            try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256)
        )
        let validity = try Validity(from: Date().addingTimeInterval(-3600), for: .days(90))
        func template(
            _ profile: CertificateProfile, _ subject: DistinguishedName, _ key: ECDSA.PrivateKey,
            _ issuer: DistinguishedName, _ issuerKey: ECDSA.PrivateKey?, _ names: [GeneralName] = []
        ) throws -> CertificateTemplate {
            let info = try key.publicKey.subjectPublicKeyInfo
            return try CertificateTemplate(
                subject: subject, subjectPublicKeyInfo: info, issuer: issuer, validity: validity,
                extensions: profile.extensions(
                    for: info,
                    issuerKeyIdentifier: issuerKey.map {
                        try SubjectKeyIdentifier(hashing: $0.publicKey.subjectPublicKeyInfo).bytes
                    }, names: names, subject: subject))
        }
        let root = try await template(.root(), "CN=Root", rootKey, "CN=Root", nil).certificate(signedBy: rootKey)
        let middle = try await template(.intermediate(), "CN=Middle", middleKey, "CN=Root", rootKey)
            .certificate(signedBy: rootKey)
        let leaf = try await template(
            .server, "CN=leaf", leafKey, "CN=Middle", middleKey, [.dns("www.example.com")]
        ).certificate(signedBy: middleKey)
        let chain = [leaf, middle, root].map(\.derEncoded)
        let info = leaf.subjectPublicKeyInfo
        let issuerIdentifier = try SubjectKeyIdentifier(hashing: middle.subjectPublicKeyInfo).bytes
        let (twinSigner, twin) = (twin_p256_new(), twin_x509_new(chain[2], chain[2].count))
        let (digest, output) = ([UInt8](repeating: 7, count: 32), Bytes(80))
        var signatureCount = 80
        precondition(twin_p256_sign(twinSigner, digest, &output.bytes, &signatureCount) == 1)
        let (signature, count) = (output.bytes, signatureCount)

        let subject: DistinguishedName = "CN=leaf"
        func issue() async throws {
            for _ in 0..<repeats {
                let extensions = try CertificateProfile.server.extensions(
                    for: info, issuerKeyIdentifier: issuerIdentifier, names: [.dns("www.example.com")], subject: subject
                )
                let template = try CertificateTemplate(
                    subject: subject, subjectPublicKeyInfo: info, issuer: middle.subject, validity: validity,
                    extensions: extensions)
                _ = try await template.certificate(signedBy: middleKey)
            }
        }
        let requirement = PathRequirement.server("www.example.com", at: Date())
        func validate() throws {
            for _ in 0..<repeats {
                let read = try chain.map { try Certificate(derEncoded: $0) }
                let validator = PathValidator(trusting: [read[2]])
                precondition(validator.validate(read[0], with: [read[1]], for: requirement).path != nil)
            }
        }
        func read() throws { for _ in 0..<repeats { for bytes in chain { _ = try Certificate(derEncoded: bytes) } } }
        func rawVerify() {
            for _ in 0..<2 * repeats { precondition(twin_p256_verify(twinSigner, digest, signature, count) == 1) }
        }
        let peer = try SwiftCertificates()
        let theirs = try await peer.chain()
        return [
            Comparison(
                suite: "certificates", name: "issue, P-256", peer: "a signature in C", operations: repeats, ours: issue,
                theirs: {
                    for _ in 0..<repeats {
                        var count = 80
                        _ = twin_p256_sign(twinSigner, digest, &output.bytes, &count)
                    }
                }),
            Comparison(
                suite: "certificates", name: "issue, P-256", peer: "OpenSSL X509", operations: repeats, ours: issue,
                theirs: { for _ in 0..<repeats { precondition(twin_x509_issue(twin) == 1) } }),
            Comparison(
                suite: "certificates", name: "issue, P-256", peer: "swift-certificates", operations: repeats,
                ours: issue, theirs: { for _ in 0..<repeats { try peer.issue() } }),
            Comparison(
                suite: "certificates", name: "read and validate three", peer: "two verifications in C",
                operations: repeats, ours: validate, theirs: rawVerify),
            Comparison(
                suite: "certificates", name: "read three", peer: "two verifications in C", operations: repeats,
                ours: read, theirs: rawVerify),
            Comparison(
                suite: "certificates", name: "read and validate three", peer: "OpenSSL X509", operations: repeats,
                ours: validate,
                theirs: {
                    for _ in 0..<repeats {
                        precondition(
                            twin_x509_verify(
                                twin, chain[0], chain[0].count, chain[1], chain[1].count, chain[2], chain[2].count) == 1
                        )
                    }
                }),
            Comparison(
                suite: "certificates", name: "read and validate three", peer: "swift-certificates", operations: repeats,
                ours: validate, theirs: { for _ in 0..<repeats { try await peer.validate(theirs) } }),
        ]
    }
}
