public import Cryptography
internal import SwiftASN1

/// What a new certificate is to say. Any ``Signer`` makes it a certificate: a key in memory, in an HSM, or of a key service.
///
/// It writes what it is told. ``CertificateProfile`` puts together the extensions that go with a purpose.
public struct CertificateTemplate: Sendable, Hashable {
    /// The issuer's number of it.
    public var serialNumber: SerialNumber
    /// Who issues it.
    public var issuer: DistinguishedName
    /// From when until when it is valid.
    public var validity: Validity
    /// Whose it is.
    public var subject: DistinguishedName
    /// The key as a SubjectPublicKeyInfo in DER.
    public var subjectPublicKeyInfo: [UInt8]
    /// The extensions, in order.
    public var extensions: CertificateExtensions

    /// Joins the parts.
    ///
    /// - Parameter serialNumber: a new random one where nil.
    /// - Throws: `invalidValue` where the random source fails.
    public init(
        subject: DistinguishedName, subjectPublicKeyInfo: [UInt8], issuer: DistinguishedName, validity: Validity,
        extensions: CertificateExtensions = .none, serialNumber: SerialNumber? = nil
    ) throws(PKIXError) {
        do {
            self.serialNumber = try serialNumber ?? .random()
        } catch { throw PKIXError(.invalidValue, "no random bytes: \(error)") }
        self.issuer = issuer
        self.validity = validity
        self.subject = subject
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.extensions = extensions
    }

    /// Makes the certificate.
    ///
    /// - Parameters:
    ///   - signer: the issuer's key.
    ///   - algorithm: how to sign; the signer's best way where nil.
    /// - Throws: `signerFailure`, `unsupported` where the key does not sign so; `invalidValue` for a serial number that is
    ///   not allowed, and an empty issuer.
    public func certificate(
        signedBy signer: some Signer, using algorithm: SignatureAlgorithm? = nil
    ) async throws(PKIXError) -> Certificate {
        let (algorithm, identifier) = try SignedBytes.algorithm(signer, algorithm)
        let body = try body(identifier)
        let signature = try await Issuance.sign(body, signer, algorithm)
        return try Certificate(
            self, body: body, algorithm: algorithm, identifier: identifier, signature: signature)
    }

    /// The TBSCertificate.
    private func body(_ algorithm: [UInt8]) throws(PKIXError) -> [UInt8] {
        guard serialNumber.isAllowed, !issuer.isEmpty else {
            throw PKIXError(.invalidValue, "a serial number of 1 to 20 bytes above zero, and an issuer")
        }
        return try encoded {
            var serializer = DER.Serializer()
            try serializer.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(2, explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific)
                coder.appendPrimitiveNode(identifier: .integer) { $0 += serialNumber.bytes }
                coder.serializeRawBytes(algorithm)
                coder.serializeRawBytes(issuer.derEncoded)
                try validity.write(to: &coder)
                coder.serializeRawBytes(subject.derEncoded)
                coder.serializeRawBytes(subjectPublicKeyInfo)
                if !extensions.isEmpty {
                    try coder.serialize(explicitlyTaggedWithTagNumber: 3, tagClass: .contextSpecific) {
                        try extensions.write(to: &$0)
                    }
                }
            }
            return serializer.serializedBytes
        }
    }
}

/// Signing of what is issued.
enum Issuance {
    static func sign(
        _ bytes: [UInt8], _ signer: some Signer, _ algorithm: SignatureAlgorithm
    ) async throws(PKIXError) -> [UInt8] {
        do {
            return try await signer.sign(bytes.span, using: algorithm)
        } catch let error as CryptographyError where error.code == .unsupported {
            throw PKIXError(.unsupported, error.reason)
        } catch { throw PKIXError(.signerFailure, "\(error)") }
    }
}
