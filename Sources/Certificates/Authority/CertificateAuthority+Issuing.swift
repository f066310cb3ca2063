public import Auditing
public import Cryptography
internal import FoundationEssentials
public import PKIX
internal import RecordStorage

extension CertificateAuthority {
    /// Issues a certificate for a request. Of the request only its key is taken: whose certificate it is to be, the caller
    /// decides, and has checked.
    ///
    /// - Parameters:
    ///   - request: signed with the key that the certificate is for.
    ///   - profile: what it is for; no authority's.
    ///   - subject: whose it is; may be empty where there are alternative names.
    ///   - names: the alternative names. A server must have one.
    ///   - lifetime: how long it is valid, from now on.
    /// - Throws: `noProofOfPossession`, `beyondAuthority`, `invalidRequest`, `signerFailure`, `storeFailure`,
    ///   `auditFailure`.
    public func issue(
        _ request: CertificateRequest, _ profile: CertificateProfile, subject: DistinguishedName = .empty,
        names: [GeneralName] = [], for lifetime: Duration
    ) async throws(CertificatesError) -> Certificate {
        do {
            guard try request.isSelfSigned else {
                throw CertificatesError(.noProofOfPossession, "the request is not signed with its own key")
            }
            return try await issue(request.subjectPublicKeyInfo, profile, subject, names, lifetime)
        } catch { throw CertificatesError(wrapping: error) }
    }

    /// Issues a certificate for a key that the caller has.
    ///
    /// - Throws: as ``issue(_:_:subject:names:for:)``.
    public func issue(
        for key: some Signer, _ profile: CertificateProfile, subject: DistinguishedName = .empty,
        names: [GeneralName] = [], for lifetime: Duration
    ) async throws(CertificatesError) -> Certificate {
        do {
            return try await issue(key.subjectPublicKeyInfo, profile, subject, names, lifetime)
        } catch { throw CertificatesError(wrapping: error) }
    }

    /// A certificate that this authority has issued; nil where there is none of this number.
    ///
    /// - Throws: `tampered`, `storeFailure`.
    public func issuedCertificate(_ serialNumber: SerialNumber) throws(CertificatesError) -> Certificate? {
        do { return try state.certificate(serialNumber) } catch { throw CertificatesError(wrapping: error) }
    }

    /// All certificates that this authority has issued, in the order of their numbers.
    public func issuedCertificates() throws(CertificatesError) -> [Certificate] {
        do { return try state.certificates() } catch { throw CertificatesError(wrapping: error) }
    }

    /// The authority's audit trail, as lines of JSON in CloudTrail's layout.
    public func auditEvents() async throws(CertificatesError) -> [String] {
        do { return try await state.events() } catch { throw CertificatesError(wrapping: error) }
    }

    /// Reads the whole audit trail and checks it.
    ///
    /// - Parameters:
    ///   - stateKey: the key that the authority was opened with.
    ///   - checkpoint: one that was kept outside, which also shows the rollback of the whole store.
    public func verifyAuditTrail(
        stateKey: some MessageAuthenticator, against checkpoint: AuditCheckpoint? = nil
    ) async throws(CertificatesError) -> AuditVerification {
        do {
            return try state.verifyTrail(try await AuthorityState.secret(of: stateKey), checkpoint)
        } catch { throw CertificatesError(wrapping: error) }
    }

    /// The short name of this authority's key, as its certificate has it.
    var keyIdentifier: [UInt8] {
        get throws(PKIXError) {
            if let named = try certificate.extensions.value(SubjectKeyIdentifier.self) { return named.bytes }
            return try SubjectKeyIdentifier(hashing: certificate.subjectPublicKeyInfo).bytes
        }
    }

    private func issue(
        _ info: [UInt8], _ profile: CertificateProfile, _ subject: DistinguishedName, _ names: [GeneralName],
        _ lifetime: Duration
    ) async throws -> Certificate {
        guard !profile.constraints.isAuthority else {
            throw CertificatesError(.invalidRequest, "an authority is made by createIntermediate")
        }
        let template = try CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: info, issuer: certificate.subject,
            validity: Validity(from: clock.now, for: lifetime),
            extensions: profile.extensions(
                for: info, issuerKeyIdentifier: keyIdentifier, names: names, subject: subject))
        return try await sign(template, "IssueCertificate")
    }

    /// Checks, signs and stores.
    func sign(_ template: CertificateTemplate, _ event: String) async throws -> Certificate {
        try IssuanceRules(chain).check(template, at: clock.now)
        var template = template
        for _ in 0..<3 {
            let issued = try await template.certificate(signedBy: signer)
            do {
                try await state.keep(issued, AuthorityEvent(event, issued, issuer: certificate), clock)
                return issued
            } catch let error as RecordStoreError where error.code == .conflict {
                // A number that is taken: with 158 random bits, a broken source of them.
                template.serialNumber = try .random()
            }
        }
        throw CertificatesError(.conflict, "no free serial number")
    }
}

extension CertificateTemplate {
    /// An authority's certificate.
    static func authority(
        _ profile: CertificateProfile, _ subject: DistinguishedName, _ info: [UInt8], issuer: DistinguishedName,
        issuerKeyIdentifier: [UInt8]?, _ validity: Validity, _ constraints: NameConstraints?
    ) throws(PKIXError) -> CertificateTemplate {
        guard !subject.isEmpty else { throw PKIXError(.invalidValue, "an authority has a name") }
        var extensions = try profile.extensions(
            for: info, issuerKeyIdentifier: issuerKeyIdentifier, subject: subject)
        if let constraints { try extensions.append(CertificateExtension(constraints)) }
        return try CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: info, issuer: issuer, validity: validity, extensions: extensions)
    }
}
