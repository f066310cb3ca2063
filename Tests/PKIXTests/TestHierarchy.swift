import Foundation
import PKIX

/// A root, an intermediate and a leaf, each part of which a test may change.
struct TestHierarchy {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    let rootKey: ECDSA.PrivateKey
    let intermediateKey: ECDSA.PrivateKey
    let leafKey: ECDSA.PrivateKey
    var root: CertificateTemplate
    var intermediate: CertificateTemplate
    var leaf: CertificateTemplate

    init() throws {
        (rootKey, intermediateKey, leafKey) = (
            try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256)
        )
        let validity = try Validity(from: Self.now.addingTimeInterval(-3600), for: .seconds(90 * 86400))
        root = try Self.template("CN=Root", rootKey, "CN=Root", nil, .root(), validity)
        intermediate = try Self.template(
            "CN=Intermediate, O=Example", intermediateKey, "CN=Root", rootKey, .intermediate(), validity)
        leaf = try Self.template(
            "CN=leaf", leafKey, "CN=Intermediate, O=Example", intermediateKey, .server, validity,
            names: [.dns("www.example.com"), .dns("*.example.org"), .ip([192, 0, 2, 1])])
    }

    static func template(
        _ subject: DistinguishedName, _ key: ECDSA.PrivateKey, _ issuer: DistinguishedName,
        _ issuerKey: ECDSA.PrivateKey?,
        _ profile: CertificateProfile, _ validity: Validity, names: [GeneralName] = []
    ) throws -> CertificateTemplate {
        let info = try key.publicKey.subjectPublicKeyInfo
        let identifier = try issuerKey.map {
            try SubjectKeyIdentifier(hashing: $0.publicKey.subjectPublicKeyInfo).bytes
        }
        return try CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: info, issuer: issuer, validity: validity,
            extensions: profile.extensions(
                for: info, issuerKeyIdentifier: identifier, names: names, subject: subject))
    }

    struct Chain {
        let root: Certificate
        let intermediate: Certificate
        let leaf: Certificate

        func validate(_ requirement: PathRequirement) -> PathValidation {
            PathValidator(trusting: [root]).validate(leaf, with: [intermediate], for: requirement)
        }
    }

    func chain() async throws -> Chain {
        Chain(
            root: try await root.certificate(signedBy: rootKey),
            intermediate: try await intermediate.certificate(signedBy: rootKey),
            leaf: try await leaf.certificate(signedBy: intermediateKey))
    }

    /// The template's extensions with one put in the place of its kind.
    static func replacing(
        _ extensions: CertificateExtensions, _ new: CertificateExtension, removing: ObjectIdentifier? = nil
    ) throws -> CertificateExtensions {
        try CertificateExtensions(
            extensions.filter { $0.identifier != new.identifier && $0.identifier != removing } + [new])
    }
}

extension PathValidation {
    var defect: PathDefect.Kind? {
        if case .invalid(let diagnosis) = self { diagnosis.defect.kind } else { nil }
    }
}
