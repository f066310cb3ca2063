import Foundation
import PKIX
import StrongroomTestSupport
import Testing

/// NIST's Public Key Interoperability Test Suite, "Conformance Testing of Relying Party Client Certificate Path Processing
/// Logic", of 2011: what of it is about signatures, validity, chaining of names, self-issued certificates, basic constraints,
/// key usage, name constraints and unknown extensions. Policies and revocation are not checked yet.
@Suite(.vectors("nist/x509/PKITS_data/certs")) struct PKITSTests {
    /// The families of file names, by the suite's sections.
    static let families: [(section: String, prefixes: [String])] = [
        ("4.1", ["ValidCertificatePath", "InvalidCASignature", "InvalidEESignature"]),
        (
            "4.2",
            [
                "InvalidCAnot", "InvalidEEnot", "Validpre2000", "Invalidpre2000", "ValidGeneralizedTime",
            ]
        ),
        (
            "4.3",
            [
                "InvalidNameChaining", "ValidNameChaining", "ValidNameUIDs", "ValidRFC3280", "ValidUTF8String",
                "ValidRollover",
            ]
        ), ("4.5", ["ValidBasicSelfIssued", "InvalidBasicSelfIssued"]),
        (
            "4.6",
            [
                "InvalidMissingbasic", "InvalidcAFalse", "ValidbasicConstraints", "InvalidpathLen", "ValidpathLen",
                "ValidSelfIssuedpathLen", "InvalidSelfIssuedpathLen",
            ]
        ), ("4.7", ["InvalidkeyUsage", "ValidkeyUsage"]),
        (
            "4.13",
            [
                "ValidDN", "InvalidDN", "ValidRFC822name", "InvalidRFC822name", "ValidDNSname", "InvalidDNSname",
                "ValidURIname", "InvalidURIname",
            ]
        ), ("4.16", ["ValidUnknown", "InvalidUnknown"]),
    ]

    /// Invalid only because something was revoked. Tests with CRL in their names are about revocation lists, and left out too.
    static let revoked = [
        "InvalidBasicSelfIssuedOldWithNewTest2EE", "InvalidBasicSelfIssuedNewWithOldTest5EE",
    ]

    @Test func `paths are judged as NIST judges them`() throws {
        let folder = try #require(Vectors.url("nist/x509/PKITS_data/certs"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".crt") }
        func read(_ name: String) throws -> Certificate {
            try Certificate(derEncoded: Array(Data(contentsOf: folder.appendingPathComponent(name))))
        }
        // Everybody's certificates at once: the right path is to be found among them all.
        let authorities = names.filter { !$0.hasSuffix("EE.crt") && !$0.hasPrefix("TrustAnchor") }
            .compactMap { try? read($0) }
        #expect(authorities.count > 150)
        let validator = PathValidator(trusting: [try read("TrustAnchorRootCertificate.crt")])
        let requirement = PathRequirement(at: Date(timeIntervalSince1970: 1_325_376_000))
        var judged = 0
        for (section, prefixes) in Self.families {
            for name in names.sorted() where prefixes.contains(where: { name.hasPrefix($0) }) {
                let test = String(name.dropLast(4))
                guard !Self.revoked.contains(test), !test.contains("DSA"), !test.uppercased().contains("CRL") else {
                    continue
                }
                judged += 1
                guard let certificate = try? read(name) else {
                    #expect(test.hasPrefix("Invalid"), "\(section) \(test) cannot be read")
                    continue
                }
                let validation = validator.validate(certificate, with: authorities, for: requirement)
                #expect((validation.path != nil) == test.hasPrefix("Valid"), "\(section) \(test): \(validation)")
            }
        }
        try Vectors.report("PKITS", judged)
        #expect(judged == 85)
    }
}
