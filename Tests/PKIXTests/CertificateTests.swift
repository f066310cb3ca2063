import Foundation
import PKIX
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

@Suite struct CertificateTests {
    @Test func `what a template says is what its certificate says`() async throws {
        let hierarchy = try TestHierarchy()
        let certificate = try await hierarchy.leaf.certificate(signedBy: hierarchy.intermediateKey)
        #expect(certificate.version == 3)
        #expect(certificate.subject == hierarchy.leaf.subject && certificate.issuer == hierarchy.leaf.issuer)
        #expect(certificate.serialNumber == hierarchy.leaf.serialNumber)
        #expect(certificate.validity == hierarchy.leaf.validity)
        #expect(certificate.extensions == hierarchy.leaf.extensions)
        #expect(certificate.signatureAlgorithm == .ecdsaSHA256)
        #expect(try certificate.isSigned(by: hierarchy.intermediateKey.publicKey.subjectPublicKeyInfo))
        #expect(try !certificate.isSigned(by: hierarchy.rootKey.publicKey.subjectPublicKeyInfo))
        let again = try Certificate(pemEncoded: certificate.pemEncoded)
        #expect(again == certificate && again.derEncoded == certificate.derEncoded)
        #expect(again.signedBytes == certificate.signedBytes && again.signature == certificate.signature)
        #expect(again.extensions == certificate.extensions && again.validity == certificate.validity)
        let usage = try #require(try certificate.extensions.value(ExtendedKeyUsage.self))
        #expect(usage.purposes == [.serverAuthentication])
        #expect(try certificate.extensions.value(KeyUsage.self) == .digitalSignature)
        #expect(certificate.serialNumber.bytes.count == 20)
    }

    @Test(arguments: ["RSA", "ECDSA P-384", "Ed25519"])
    func `every kind of key signs and is certified`(_ kind: String) async throws {
        let signer: any SynchronousSigner
        switch kind {
        case "RSA": signer = try RSA.PrivateKey(bits: 2048)
        case "Ed25519": signer = try Ed25519.PrivateKey()
        default: signer = try ECDSA.PrivateKey(.p384)
        }
        let validity = try Validity(from: TestHierarchy.now, for: .seconds(86400))
        let template = try CertificateTemplate(
            subject: "CN=x", subjectPublicKeyInfo: signer.subjectPublicKeyInfo, issuer: "CN=x", validity: validity)
        for algorithm in signer.signatureAlgorithms {
            let certificate = try await template.certificate(signedBy: signer, using: algorithm)
            #expect(certificate.signatureAlgorithm == algorithm)
            #expect(try certificate.isSigned(by: signer.subjectPublicKeyInfo))
        }
        let other: SignatureAlgorithm = kind == "Ed25519" ? .ecdsaSHA256 : .ed25519
        await #expect(throws: PKIXError(.unsupported)) {
            _ = try await template.certificate(signedBy: signer, using: other)
        }
    }

    @Test func `a request shows that its maker has the key`() async throws {
        let key = try ECDSA.PrivateKey(.p256)
        let names = try CertificateExtensions([CertificateExtension(SubjectAlternativeName([.dns("a.example")]))])
        let request = try await CertificateRequest.make(subject: "CN=a", extensions: names, signedBy: key)
        #expect(try request.isSelfSigned)
        let again = try CertificateRequest(pemEncoded: request.pemEncoded)
        #expect(again == request && again.subject == "CN=a" && again.extensions == names)
        #expect(again.subjectPublicKeyInfo == (try key.publicKey.subjectPublicKeyInfo))
        let plain = try await CertificateRequest.make(subject: .empty, signedBy: key)
        #expect(plain.extensions.isEmpty && plain.subject.isEmpty)
        var damaged = request.derEncoded
        damaged[damaged.count - 3] ^= 1
        #expect(try !CertificateRequest(derEncoded: damaged).isSelfSigned)
    }

    @Test func `times are the calendar's, in the form of their century`() async throws {
        let key = try Ed25519.PrivateKey()
        for (first, last) in [
            ("1950-01-01T00:00:00Z", "2049-12-31T23:59:59Z"), ("2000-02-29T12:00:00Z", "2050-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ] {
            let validity = try Validity(
                notBefore: Date(first, strategy: .iso8601), notAfter: Date(last, strategy: .iso8601))
            let template = try CertificateTemplate(
                subject: "CN=x", subjectPublicKeyInfo: key.publicKey.subjectPublicKeyInfo, issuer: "CN=x",
                validity: validity)
            #expect(try await template.certificate(signedBy: key).validity == validity)
        }
        #expect(throws: PKIXError(.invalidValue)) {
            _ = try Validity(notBefore: TestHierarchy.now, notAfter: TestHierarchy.now.addingTimeInterval(-1))
        }
    }

    @Test func `serial numbers are positive, of one length, and do not repeat`() throws {
        let numbers = try (0..<2000).map { _ in try SerialNumber.random() }
        #expect(Set(numbers).count == 2000)
        #expect(numbers.allSatisfy { $0.bytes.count == 20 && $0.bytes[0] & 0xC0 == 0x40 })
    }

    @Test func `any flip, cut or extension of a certificate is refused, or is another's signature`() async throws {
        let hierarchy = try TestHierarchy()
        let certificate = try await hierarchy.leaf.certificate(signedBy: hierarchy.intermediateKey)
        let key = try hierarchy.intermediateKey.publicKey.subjectPublicKeyInfo
        await forAll(.damaged(certificate.derEncoded), count: 3000) { bytes in
            guard let read = try? Certificate(derEncoded: bytes) else { return }
            try require(read.derEncoded == bytes, "other bytes")
            _ = read.subject.relativeNames
            for one in read.extensions { CertificateTests.touch(one) }
            try require((try? read.isSigned(by: key)) != true, "still signed")
        }
    }

    /// Reads an extension as every kind that there is.
    private static func touch(_ one: CertificateExtension) {
        _ = try? BasicConstraints(derEncoded: one.value)
        _ = try? KeyUsage(derEncoded: one.value)
        _ = try? ExtendedKeyUsage(derEncoded: one.value)
        _ = try? SubjectAlternativeName(derEncoded: one.value)
        _ = try? NameConstraints(derEncoded: one.value)
        _ = try? SubjectKeyIdentifier(derEncoded: one.value)
        _ = try? AuthorityKeyIdentifier(derEncoded: one.value)
        _ = try? AuthorityInformationAccess(derEncoded: one.value)
        _ = try? CRLDistributionPoints(derEncoded: one.value)
        _ = try? CertificatePolicies(derEncoded: one.value)
    }

    @Test func `extensions say the same after a journey`() throws {
        func check<Content: ExtensionContent>(_ content: Content) throws {
            #expect(try Content(derEncoded: content.derEncoded()) == content)
        }
        for bits in 1..<512 { try check(KeyUsage(rawValue: UInt16(bits))) }
        for length in [nil, 0, 1, 127, 128, 70000] { try check(BasicConstraints.authority(pathLength: length)) }
        try check(BasicConstraints.endEntity)
        try check(ExtendedKeyUsage([.serverAuthentication, .any]))
        let names: [GeneralName] = [
            .dns("a.example"), .email("a@b.example"), .uri("https://a.example/x"), .ip([192, 0, 2, 1]),
            .ip([UInt8](repeating: 7, count: 16)), .directory("CN=a, C=DE"), .registeredID("1.2.3"),
        ]
        try check(SubjectAlternativeName(names))
        try check(NameConstraints(permitted: names, excluded: [.dns(".example")]))
        try check(SubjectKeyIdentifier([1, 2]))
        try check(AuthorityKeyIdentifier([1, 2]))
        try check(AuthorityInformationAccess(ocsp: ["http://o.example"], issuers: ["http://i.example/ca.der"]))
        try check(CRLDistributionPoints(["http://c.example/1.crl", "http://c.example/2.crl"]))
        try check(CertificatePolicies(["2.23.140.1.2.1"]))
        #expect(throws: PKIXError(.invalidValue)) { _ = try KeyUsage([]).derEncoded() }
        #expect(throws: PKIXError(.invalidValue)) {
            _ = try SubjectAlternativeName([.dns("bücher.example")]).derEncoded()
        }
        #expect(throws: PKIXError(.malformed)) {
            _ = try CertificateExtensions([
                CertificateExtension(SubjectKeyIdentifier([1])), CertificateExtension(SubjectKeyIdentifier([2])),
            ])
        }
    }
}
