import Foundation
import PKIX

/// A chain that is trusted, and one certificate under it.
enum CertificateInputs {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    nonisolated(unsafe) static var chain: [Certificate] = []
    nonisolated(unsafe) static var leaf: Certificate?

    static func prepare() async throws {
        let (rootKey, leafKey) = (try ECDSA.PrivateKey(.p256), try Ed25519.PrivateKey())
        let info = try rootKey.publicKey.subjectPublicKeyInfo
        let root = try await certificate(.root(), "CN=Root", info, nil, rootKey)
        let leaf = try await certificate(
            .server, "CN=leaf, O=Example, C=DE", leafKey.publicKey.subjectPublicKeyInfo,
            SubjectKeyIdentifier(hashing: info).bytes, rootKey)
        self.leaf = leaf
        chain = [root]
    }

    private static func certificate(
        _ profile: CertificateProfile, _ subject: DistinguishedName, _ info: [UInt8], _ issuer: [UInt8]?,
        _ key: ECDSA.PrivateKey
    ) async throws -> Certificate {
        let names: [GeneralName] = [
            .dns("www.example.com"), .email("a@example.com"), .uri("https://a.example/"), .ip([192, 0, 2, 1]),
            .directory("CN=x"), .registeredID("1.2.3"),
        ]
        var extensions = try profile.extensions(
            for: info, issuerKeyIdentifier: issuer, names: issuer == nil ? [] : names, subject: subject)
        try extensions.append(
            CertificateExtension(NameConstraints(permitted: names, excluded: [.dns("evil.example")]), isCritical: false)
        )
        try extensions.append(CertificateExtension(CRLDistributionPoints(["http://c.example/1.crl"])))
        try extensions.append(CertificateExtension(AuthorityInformationAccess(ocsp: ["http://o.example"])))
        try extensions.append(CertificateExtension(CertificatePolicies(["1.2.3"])))
        return try await CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: info, issuer: "CN=Root",
            validity: Validity(from: now.addingTimeInterval(-3600), for: .seconds(86400)), extensions: extensions
        ).certificate(signedBy: key)
    }

    /// Takes every part apart; what can be read is written so that it reads the same.
    static func look(at extensions: CertificateExtensions, _ subject: DistinguishedName) {
        _ = (subject.relativeNames, subject.description, subject == "CN=a")
        for one in extensions {
            check(BasicConstraints.self, one.value)
            check(KeyUsage.self, one.value)
            check(ExtendedKeyUsage.self, one.value)
            check(SubjectAlternativeName.self, one.value)
            check(NameConstraints.self, one.value)
            check(SubjectKeyIdentifier.self, one.value)
            check(AuthorityKeyIdentifier.self, one.value)
            check(CertificatePolicies.self, one.value)
            _ = try? AuthorityInformationAccess(derEncoded: one.value)
            _ = try? CRLDistributionPoints(derEncoded: one.value)
        }
    }

    private static func check<Content: ExtensionContent>(_ kind: Content.Type, _ bytes: [UInt8]) {
        guard let content = try? Content(derEncoded: bytes), let written = try? content.derEncoded() else { return }
        must { try Content(derEncoded: written) == content }
    }
}
