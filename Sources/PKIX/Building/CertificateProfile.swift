/// What a certificate is for, and so which extensions it has (RFC 5280, 4.2; CA/Browser Forum Baseline Requirements, 7.1).
public struct CertificateProfile: Sendable, Hashable {
    /// Whether its key signs certificates, and how many authorities may stand below.
    public let constraints: BasicConstraints
    /// What its key does.
    public let keyUsage: KeyUsage
    /// For which purposes; none for authorities of every purpose.
    public let purposes: [ExtendedKeyUsage.Purpose]
    /// Extensions that are part of the profile.
    public let others: [CertificateExtension]

    /// The top of a hierarchy.
    public static func root(pathLength: Int? = nil) -> CertificateProfile {
        CertificateProfile(
            constraints: .authority(pathLength: pathLength), keyUsage: [.certificateSigning, .crlSigning])
    }

    /// An authority below another. By default none may stand below it.
    ///
    /// - Parameter purposes: what certificates below it may be for; none for any.
    public static func intermediate(
        pathLength: Int? = 0, purposes: [ExtendedKeyUsage.Purpose] = []
    ) -> CertificateProfile {
        CertificateProfile(
            constraints: .authority(pathLength: pathLength),
            keyUsage: [.certificateSigning, .crlSigning, .digitalSignature], purposes: purposes)
    }

    /// A server of TLS.
    public static let server = CertificateProfile(
        constraints: .endEntity, keyUsage: .digitalSignature, purposes: [.serverAuthentication])

    /// A client of TLS.
    public static let client = CertificateProfile(
        constraints: .endEntity, keyUsage: .digitalSignature, purposes: [.clientAuthentication])

    /// Somebody who is both, such as a service among others.
    public static let peer = CertificateProfile(
        constraints: .endEntity, keyUsage: .digitalSignature, purposes: [.serverAuthentication, .clientAuthentication])

    /// Signatures of programs.
    public static let codeSigning = CertificateProfile(
        constraints: .endEntity, keyUsage: .digitalSignature, purposes: [.codeSigning])

    /// Answers on revocation (RFC 6960, 4.2.2.2), whose own revocation nobody asks for (id-pkix-ocsp-nocheck).
    public static let ocspSigning = CertificateProfile(
        constraints: .endEntity, keyUsage: .digitalSignature, purposes: [.ocspSigning],
        others: [CertificateExtension("1.3.6.1.5.5.7.48.1.5", isCritical: false, value: [0x05, 0x00])])

    private init(
        constraints: BasicConstraints, keyUsage: KeyUsage, purposes: [ExtendedKeyUsage.Purpose] = [],
        others: [CertificateExtension] = []
    ) {
        self.constraints = constraints
        self.keyUsage = keyUsage
        self.purposes = purposes
        self.others = others
    }

    /// The extensions of a certificate of this profile.
    ///
    /// - Parameters:
    ///   - subjectPublicKeyInfo: its key.
    ///   - issuerKeyIdentifier: the short name of its issuer's key, as the issuer's certificate has it; nil for a certificate
    ///     that is its own issuer.
    ///   - names: its alternative names.
    ///   - subject: its subject: where that is empty, the alternative names are critical.
    /// - Throws: `malformed` for bytes that are no key.
    public func extensions(
        for subjectPublicKeyInfo: [UInt8], issuerKeyIdentifier: [UInt8]?, names: [GeneralName] = [],
        subject: DistinguishedName
    ) throws(PKIXError) -> CertificateExtensions {
        var extensions = CertificateExtensions.none
        let own = try SubjectKeyIdentifier(hashing: subjectPublicKeyInfo)
        if let issuerKeyIdentifier {
            try extensions.append(CertificateExtension(AuthorityKeyIdentifier(issuerKeyIdentifier)))
        }
        try extensions.append(CertificateExtension(own))
        if constraints.isAuthority { try extensions.append(CertificateExtension(constraints)) }
        try extensions.append(CertificateExtension(keyUsage))
        if !purposes.isEmpty { try extensions.append(CertificateExtension(ExtendedKeyUsage(purposes))) }
        if !names.isEmpty {
            try extensions.append(CertificateExtension(SubjectAlternativeName(names), isCritical: subject.isEmpty))
        }
        for other in others { try extensions.append(other) }
        return extensions
    }
}
