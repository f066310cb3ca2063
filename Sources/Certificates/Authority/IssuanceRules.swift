internal import Cryptography
internal import FoundationEssentials
internal import PKIX

/// What an authority and those above it may certify: checked before anything is signed.
struct IssuanceRules {
    private let chain: [Certificate]

    init(_ chain: [Certificate]) { self.chain = chain }

    func check(_ template: CertificateTemplate, at now: Date) throws {
        try checkKey(template.subjectPublicKeyInfo)
        try checkValidity(template.validity, now)
        try checkPurposes(template.extensions)
        try checkPathLength(template)
        try checkNames(template)
    }

    /// A key of a kind and size that this library takes, and not the authority's own under another name.
    private func checkKey(_ info: [UInt8]) throws {
        do {
            _ = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
        } catch { throw CertificatesError(.invalidRequest, "the key: \(error)") }
        guard !chain.contains(where: { $0.subjectPublicKeyInfo == info }) else {
            throw CertificatesError(.invalidRequest, "the key is an authority's")
        }
    }

    private func checkValidity(_ validity: Validity, _ now: Date) throws {
        for authority in chain {
            guard authority.validity.contains(now), validity.notAfter <= authority.validity.notAfter else {
                throw CertificatesError(
                    .beyondAuthority,
                    "\(authority.subject) is valid from \(authority.validity.notBefore) to \(authority.validity.notAfter)"
                )
            }
        }
    }

    private func checkPurposes(_ extensions: CertificateExtensions) throws {
        let wanted = try extensions.value(ExtendedKeyUsage.self)?.purposes ?? []
        for authority in chain {
            guard let own = try authority.extensions.value(ExtendedKeyUsage.self)?.purposes, !own.contains(.any) else {
                continue
            }
            guard !wanted.isEmpty, Set(wanted).isSubset(of: own) else {
                throw CertificatesError(.beyondAuthority, "\(authority.subject) does not issue for these purposes")
            }
        }
    }

    /// An authority below must leave each above it its limit.
    private func checkPathLength(_ template: CertificateTemplate) throws {
        guard let wanted = try template.extensions.value(BasicConstraints.self), wanted.isAuthority else { return }
        for (below, authority) in chain.enumerated() {
            guard let limit = try authority.extensions.value(BasicConstraints.self)?.pathLength else { continue }
            // Below this one come those between, the new one, and as many as that allows.
            guard let length = wanted.pathLength, length <= limit - below - 1 else {
                throw CertificatesError(
                    .beyondAuthority, "\(authority.subject) allows \(limit) authorities below it")
            }
        }
    }

    private func checkNames(_ template: CertificateTemplate) throws {
        let names = try template.extensions.value(SubjectAlternativeName.self)?.names ?? []
        let purposes = try template.extensions.value(ExtendedKeyUsage.self)?.purposes ?? []
        let isAuthority = try template.extensions.value(BasicConstraints.self)?.isAuthority ?? false
        guard isAuthority || !purposes.contains(.serverAuthentication) || !names.isEmpty else {
            throw CertificatesError(.invalidRequest, "a server has an alternative name")
        }
        guard !template.subject.isEmpty || !names.isEmpty else {
            throw CertificatesError(.invalidRequest, "a certificate without any name")
        }
        try DistinguishedName.checkValues(template.subject)
        for name in names {
            guard name.isIssuable else { throw CertificatesError(.invalidRequest, "\(name) is no name") }
        }
        for authority in chain {
            guard let constraints = try authority.extensions.value(NameConstraints.self) else { continue }
            if let forbidden = constraints.firstForbidden(of: template.subject, names) {
                throw CertificatesError(.beyondAuthority, "\(authority.subject) may not certify \(forbidden)")
            }
        }
    }
}

extension DistinguishedName {
    /// Refuses what a name that was read may have in it and a new one may not.
    fileprivate static func checkValues(_ name: DistinguishedName) throws(PKIXError) {
        guard !name.isEmpty else { return }
        _ = try DistinguishedName(name.relativeNames)
    }
}
