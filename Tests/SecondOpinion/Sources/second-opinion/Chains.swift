import Foundation
import PKIX

/// One chain: root, some authorities, and a server, sound but for at most one defect.
struct Chains {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let host = "www.example.com"

    /// What is wrong, and - where swift-certificates may judge otherwise - why that is so.
    enum Defect: String, CaseIterable {
        case none, expired, early, otherSigner, otherIssuerName, flippedSignature, noConstraints, notAuthority
        case pathLengthTooShort, pathLengthEnough, noCertificateSigning, usageAbsent, criticalUnknown, uncriticalUnknown
        case otherHost, commonNameOnly, wildcard, wildcardTooDeep, noNames, permittedName, forbiddenName, excludedName
        case unrelatedConstraint, forbiddenAddress, versionOneAuthority, duplicatedExtension, emptySubjectCriticalNames
        case partialWildcard, clientPurpose, authorityForClients, forbiddenDirectoryName, permittedDirectoryName

        /// The section that says why a difference is right.
        var explanation: String? {
            switch self {
            case .clientPurpose, .authorityForClients:
                "RFC 5280, 4.2.1.12: the purpose is checked here; swift-certificates' RFC5280Policy leaves it to others"
            case .partialWildcard:
                "RFC 9525, 6.3: a wildcard is the whole of a label; swift-certificates follows RFC 6125, 6.4.3"
            case .noCertificateSigning:
                "RFC 5280, 6.1.4 n: an authority's key usage must have keyCertSign, which swift-certificates does not ask"
            case .forbiddenDirectoryName, .permittedDirectoryName:
                "RFC 5280, 4.2.1.10: directory names are compared here; swift-certificates refuses all constraints on them"
            default: nil
            }
        }
    }

    private var random: SystemRandomNumberGenerator
    private let keys: [ECDSA.PrivateKey]

    init() throws {
        random = SystemRandomNumberGenerator()
        keys = try (0..<6).map { _ in try ECDSA.PrivateKey(.p256) }
    }

    /// A chain with a defect at a random place.
    mutating func make(_ defect: Defect) async throws -> [[UInt8]] {
        let depth = Int.random(in: 1...3, using: &random)
        // Place 0 is the leaf, depth the root.
        let authority = Int.random(in: 1...depth, using: &random)
        let any = Int.random(in: 0...depth, using: &random)
        var templates: [CertificateTemplate] = []
        for place in 0...depth {
            templates.append(try template(place, depth))
        }
        var signers = (0...depth).map { keys[min($0 + 1, depth)] }
        try apply(defect, to: &templates, &signers, authority: authority, any: any, depth)
        var chain: [[UInt8]] = []
        for (template, signer) in zip(templates, signers) {
            chain.append(try await template.certificate(signedBy: signer).derEncoded)
        }
        if defect == .flippedSignature {
            let place = Int.random(in: 0..<depth, using: &random)
            chain[place][chain[place].count - 4] ^= 1
        }
        if defect == .duplicatedExtension { chain[0] = try duplicated(chain[0]) }
        return chain
    }

    private func name(_ place: Int, _ depth: Int) -> DistinguishedName {
        place == 0
            ? "CN=leaf, O=Example"
            : (try? DistinguishedName(text: "CN=Authority \(place) of \(depth), O=Example")) ?? .empty
    }

    private func template(_ place: Int, _ depth: Int) throws -> CertificateTemplate {
        let profile: CertificateProfile =
            place == 0 ? .server : place == depth ? .root() : .intermediate(pathLength: place - 1)
        let info = try keys[place].publicKey.subjectPublicKeyInfo
        let issuer = min(place + 1, depth)
        return try CertificateTemplate(
            subject: name(place, depth), subjectPublicKeyInfo: info, issuer: name(issuer, depth),
            validity: Validity(from: Self.now.addingTimeInterval(-86400), for: .seconds(30 * 86400)),
            extensions: profile.extensions(
                for: info,
                issuerKeyIdentifier: place == depth
                    ? nil : SubjectKeyIdentifier(hashing: keys[issuer].publicKey.subjectPublicKeyInfo).bytes,
                names: place == 0 ? [.dns(Self.host), .ip([192, 0, 2, 1])] : [], subject: name(place, depth)))
    }

    private mutating func apply(
        _ defect: Defect, to templates: inout [CertificateTemplate], _ signers: inout [ECDSA.PrivateKey],
        authority: Int,
        any: Int, _ depth: Int
    ) throws {
        func set<Content: ExtensionContent>(_ place: Int, _ content: Content, isCritical: Bool? = nil) throws {
            templates[place].extensions = try CertificateExtensions(
                templates[place].extensions.filter { $0.identifier != Content.identifier }
                    + [CertificateExtension(content, isCritical: isCritical)])
        }
        func remove(_ place: Int, _ identifier: ObjectIdentifier) throws {
            templates[place].extensions = try CertificateExtensions(
                templates[place].extensions.filter { $0.identifier != identifier })
        }
        let seconds = Double(Int.random(in: 1...100_000, using: &random))
        switch defect {
        case .none, .flippedSignature, .duplicatedExtension: break
        case .expired:
            templates[any].validity = try Validity(
                notBefore: Self.now.addingTimeInterval(-200_000), notAfter: Self.now.addingTimeInterval(-seconds))
        case .early:
            templates[any].validity = try Validity(
                notBefore: Self.now.addingTimeInterval(seconds), notAfter: Self.now.addingTimeInterval(200_000))
        case .otherSigner: signers[any == depth ? 0 : any] = keys[5]
        case .otherIssuerName: templates[any == depth ? 0 : any].issuer = "CN=Somebody else"
        case .noConstraints: try remove(authority, BasicConstraints.identifier)
        case .notAuthority: try set(authority, BasicConstraints.endEntity, isCritical: true)
        case .pathLengthTooShort:
            guard depth > 1 else { return try set(1, BasicConstraints.endEntity, isCritical: true) }
            let place = Int.random(in: 2...depth, using: &random)
            try set(place, BasicConstraints.authority(pathLength: Int.random(in: 0..<(place - 1), using: &random)))
        case .pathLengthEnough:
            try set(
                authority, BasicConstraints.authority(pathLength: authority - 1 + Int.random(in: 0...2, using: &random))
            )
        case .noCertificateSigning: try set(authority, KeyUsage([.digitalSignature, .crlSigning]))
        case .usageAbsent: try remove(authority, KeyUsage.identifier)
        case .criticalUnknown:
            try templates[any].extensions.append(CertificateExtension("1.2.3.4.5", isCritical: true, value: [5, 0]))
        case .uncriticalUnknown:
            try templates[any].extensions.append(CertificateExtension("1.2.3.4.5", isCritical: false, value: [5, 0]))
        case .otherHost: try set(0, SubjectAlternativeName([.dns("www.example.org")]))
        case .commonNameOnly:
            templates[0].subject = "CN=www.example.com"
            try set(0, SubjectAlternativeName([.dns("other.example.com")]))
        case .wildcard: try set(0, SubjectAlternativeName([.dns("*.example.com")]))
        case .wildcardTooDeep:
            try set(0, SubjectAlternativeName([.dns("*.com"), .dns("*.www.example.com")]))
        case .partialWildcard: try set(0, SubjectAlternativeName([.dns("w*.example.com")]))
        case .noNames: try remove(0, SubjectAlternativeName.identifier)
        case .permittedName: try set(authority, NameConstraints(permitted: [.dns("example.com")]))
        case .forbiddenName:
            try set(authority, NameConstraints(permitted: [.dns("example.org"), .dns("a.example.com")]))
        case .excludedName: try set(authority, NameConstraints(excluded: [.dns("example.com")]))
        case .unrelatedConstraint:
            try set(authority, NameConstraints(permitted: [.ip([192, 0, 2, 0, 255, 255, 255, 0])]))
        case .forbiddenAddress: try set(authority, NameConstraints(permitted: [.ip([10, 0, 0, 0, 255, 0, 0, 0])]))
        case .versionOneAuthority: templates[authority].extensions = .none
        case .emptySubjectCriticalNames:
            templates[0].subject = .empty
            try set(0, SubjectAlternativeName([.dns(Self.host)]), isCritical: true)
        case .clientPurpose: try set(0, ExtendedKeyUsage([.clientAuthentication]))
        case .authorityForClients: try set(authority, ExtendedKeyUsage([.clientAuthentication]))
        case .forbiddenDirectoryName: try set(authority, NameConstraints(permitted: [.directory("O=Other")]))
        case .permittedDirectoryName: try set(authority, NameConstraints(permitted: [.directory("O=Example")]))
        }
    }

    /// The same certificate with its last extension twice, which no API of ours writes; its signature is wrong then too.
    private func duplicated(_ certificate: [UInt8]) throws -> [UInt8] {
        let read = try Certificate(derEncoded: certificate)
        guard let last = read.extensions.last else { return certificate }
        var bytes = certificate
        // Breaking the kind of the one before the last into the last's is enough.
        let before = read.extensions[read.extensions.count - 2]
        let (from, to) = (identifierBytes(before.identifier), identifierBytes(last.identifier))
        guard from.count == to.count, let place = bytes.firstRange(of: from) else { return certificate }
        bytes.replaceSubrange(place, with: to)
        return bytes
    }

    private func identifierBytes(_ identifier: ObjectIdentifier) -> [UInt8] {
        let arcs = identifier.description.split(separator: ".").compactMap { UInt8($0) }
        guard arcs.count == 4 else { return [] }
        return [6, 3, arcs[0] * 40 + arcs[1], arcs[2], arcs[3]]
    }
}
