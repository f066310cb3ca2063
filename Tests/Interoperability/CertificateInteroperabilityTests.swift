import Foundation
import PKIX
import StrongroomTestSupport
import Testing

/// Certificates as OpenSSL and pkilint see ours, and as we see OpenSSL's.
@Suite(.peer("openssl")) struct CertificateInteroperabilityTests {
    let folder: TemporaryFolder
    let start = Date().addingTimeInterval(-3600)

    init() throws { folder = try TemporaryFolder() }

    struct Issuer {
        let certificate: Certificate
        let key: any SynchronousSigner
    }

    func issue(
        _ profile: CertificateProfile, _ subject: DistinguishedName, _ key: any SynchronousSigner, by issuer: Issuer?,
        names: [GeneralName] = [], days: Int = 90, using algorithm: SignatureAlgorithm? = nil,
        others: [CertificateExtension] = []
    ) async throws -> Certificate {
        let info = try key.subjectPublicKeyInfo
        let identifier = try issuer?.certificate.extensions.value(SubjectKeyIdentifier.self)?.bytes
        var extensions = try profile.extensions(
            for: info, issuerKeyIdentifier: identifier, names: names, subject: subject)
        for other in others { try extensions.append(other) }
        let template = try CertificateTemplate(
            subject: subject, subjectPublicKeyInfo: info, issuer: issuer?.certificate.subject ?? subject,
            validity: Validity(from: start, for: .seconds(days * 86400)), extensions: extensions)
        let signer = issuer?.key ?? key
        return try await template.certificate(signedBy: signer, using: algorithm)
    }

    func write(_ certificates: [Certificate], _ name: String) throws -> String {
        let path = folder.path(name)
        try certificates.map(\.pemEncoded).joined(separator: "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    func openssl(_ arguments: String..., input: Data = Data()) throws -> Subprocess.Result {
        try Subprocess.run("openssl", arguments, input: input, folder: folder.url)
    }

    static let keys: [(String, @Sendable () throws -> any SynchronousSigner)] = [
        ("RSA", { try RSA.PrivateKey(bits: 2048) }), ("P-256", { try ECDSA.PrivateKey(.p256) }),
        ("P-384", { try ECDSA.PrivateKey(.p384) }), ("P-521", { try ECDSA.PrivateKey(.p521) }),
        ("Ed25519", { try Ed25519.PrivateKey() }),
    ]

    @Test(arguments: keys.map(\.0)) func `openssl accepts our chains, strictly`(_ kind: String) async throws {
        let make = try #require(Self.keys.first { $0.0 == kind }?.1)
        let (rootKey, middleKey, leafKey) = (try make(), try make(), try make())
        for algorithm in rootKey.signatureAlgorithms {
            let root = try await issue(
                .root(), "CN=Root, O=Example, C=DE", rootKey, by: nil, days: 3650, using: algorithm)
            let middle = try await issue(
                .intermediate(), "CN=Intermediate, O=Example, C=DE", middleKey,
                by: Issuer(certificate: root, key: rootKey),
                days: 1000, using: algorithm,
                others: [
                    CertificateExtension(
                        NameConstraints(permitted: [.dns("example.com"), .ip([192, 0, 2, 0, 255, 255, 255, 0])]))
                ])
            let leaf = try await issue(
                .server, "CN=www.example.com", leafKey, by: Issuer(certificate: middle, key: middleKey),
                names: [.dns("www.example.com"), .dns("*.example.com"), .ip([192, 0, 2, 1])], using: algorithm)
            let (rootFile, middleFile, leafFile) = (
                try write([root], "root.pem"), try write([middle], "middle.pem"), try write([leaf], "leaf.pem")
            )
            for name in ["-verify_hostname", "-verify_ip"] {
                let result = try openssl(
                    "verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver", name,
                    name == "-verify_ip" ? "192.0.2.1" : "a.example.com", "-CAfile", rootFile, "-untrusted", middleFile,
                    leafFile)
                #expect(result.status == 0, "\(kind) \(algorithm): \(result.text) \(result.errorText)")
            }
            let validator = PathValidator(trusting: [root])
            #expect(validator.validate(leaf, with: [middle], for: .server("192.0.2.1", at: Date())).path != nil)
            // OpenSSL writes again what it has read: the same bytes.
            let again = try openssl("x509", "-in", leafFile, "-outform", "DER")
            #expect(Array(again.output) == leaf.derEncoded)
            let text = try openssl("x509", "-in", leafFile, "-noout", "-subject", "-issuer", "-nameopt", "RFC2253")
            #expect(text.text == "subject=\(leaf.subject)\nissuer=\(leaf.issuer)\n")
        }
    }

    @Test func `we read and validate what openssl issues`() async throws {
        let config = """
            [ca]
            basicConstraints=critical,CA:TRUE
            keyUsage=critical,keyCertSign,cRLSign
            subjectKeyIdentifier=hash
            nameConstraints=critical,permitted;DNS:example.com,excluded;DNS:evil.example.com
            [leaf]
            basicConstraints=CA:FALSE
            keyUsage=critical,digitalSignature,keyEncipherment
            extendedKeyUsage=serverAuth,clientAuth
            subjectKeyIdentifier=hash
            authorityKeyIdentifier=keyid,issuer:always
            subjectAltName=DNS:www.example.com,IP:192.0.2.7,email:a@example.com,URI:https://www.example.com/,dirName:dn
            crlDistributionPoints=URI:http://c.example.com/1.crl
            authorityInfoAccess=OCSP;URI:http://o.example.com,caIssuers;URI:http://i.example.com/ca.der
            certificatePolicies=2.23.140.1.2.1
            [dn]
            C=DE
            O=Books
            """
        try config.write(toFile: folder.path("x.cnf"), atomically: true, encoding: .utf8)
        for key in [
            ["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-newkey", "ed25519"],
        ] {
            func run(_ arguments: [String]) throws {
                let result = try Subprocess.run("openssl", arguments, folder: folder.url)
                try #require(result.status == 0, "\(arguments): \(result.errorText)")
            }
            try run(
                [
                    "req", "-x509", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-utf8", "-subj",
                    "/C=DE/O=Bücher/CN=CA", "-extensions", "ca", "-config", "x.cnf",
                ] + key)
            try run(
                [
                    "req", "-new", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-utf8", "-subj",
                    "/CN=www.example.com",
                    "-addext", "subjectAltName=DNS:www.example.com", "-config", "x.cnf",
                ] + key)
            try run([
                "x509", "-req", "-in", "l.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "l.pem", "-days", "10",
                "-extfile", "x.cnf", "-extensions", "leaf",
            ])
            func read(_ name: String) throws -> String {
                try String(contentsOfFile: folder.path(name), encoding: .utf8)
            }
            let request = try CertificateRequest(pemEncoded: read("l.csr"))
            #expect(try request.isSelfSigned && request.subject == "CN=www.example.com")
            #expect(try request.extensions.value(SubjectAlternativeName.self)?.names == [.dns("www.example.com")])
            let (ca, leaf) = (try Certificate(pemEncoded: read("ca.pem")), try Certificate(pemEncoded: read("l.pem")))
            #expect(ca.subject.values(.organization) == ["Bücher"] && ca.isSelfIssued)
            let names = try #require(try leaf.extensions.value(SubjectAlternativeName.self)?.names)
            #expect(names.contains(.directory("O=Books, C=DE")) && names.count == 5)
            #expect(try leaf.extensions.value(CRLDistributionPoints.self)?.addresses == ["http://c.example.com/1.crl"])
            #expect(try leaf.extensions.value(AuthorityInformationAccess.self)?.ocsp == ["http://o.example.com"])
            #expect(try leaf.extensions.value(CertificatePolicies.self)?.policies == ["2.23.140.1.2.1"])
            #expect(try leaf.extensions.value(AuthorityKeyIdentifier.self)?.serialNumber == ca.serialNumber)
            let validation = PathValidator(trusting: [ca]).validate(
                leaf, with: [], for: .server("www.example.com", at: Date()))
            #expect(validation.path != nil, "\(validation)")
            // Our request, signed by OpenSSL.
            let own = try ECDSA.PrivateKey(.p384)
            let ours = try await CertificateRequest.make(subject: "CN=ours, O=Example", signedBy: own)
            try ours.pemEncoded.write(toFile: folder.path("o.csr"), atomically: true, encoding: .utf8)
            try run(["req", "-in", "o.csr", "-verify", "-noout"])
            try run([
                "x509", "-req", "-in", "o.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "o.pem", "-days", "10",
            ])
            let signed = try Certificate(pemEncoded: read("o.pem"))
            #expect(signed.subjectPublicKeyInfo == ours.subjectPublicKeyInfo && signed.subject == ours.subject)
        }
    }

    @Test(.peer("lint_pkix_cert")) func `pkilint finds no error in what we issue`() async throws {
        let key = try ECDSA.PrivateKey(.p256)
        let root = try await issue(.root(), "CN=Root, O=Example, C=DE", key, by: nil, days: 3650)
        let issuer = Issuer(certificate: root, key: key)
        let profiles: [(String, CertificateProfile, [GeneralName])] = [
            ("intermediate", .intermediate(purposes: [.serverAuthentication]), []),
            ("server", .server, [.dns("www.example.com"), .ip([192, 0, 2, 1])]),
            ("client", .client, [.email("a@example.com")]),
            ("peer", .peer, [.dns("a.example.com"), .uri("https://a.example.com/x")]), ("code", .codeSigning, []),
            ("ocsp", .ocspSigning, []),
        ]
        var files = [try write([root], "root.pem")]
        for (name, profile, names) in profiles {
            let key = try ECDSA.PrivateKey(.p256)
            let certificate = try await issue(
                profile, DistinguishedName(text: "CN=\(name), O=Example, C=DE"), key, by: issuer, names: names)
            files.append(try write([certificate], "\(name).pem"))
            guard !names.isEmpty else { continue }
            let nameless = try await issue(profile, .empty, key, by: issuer, names: names)
            files.append(try write([nameless], "\(name)-nameless.pem"))
        }
        for file in files {
            let result = try Subprocess.run("lint_pkix_cert", ["lint", "-s", "ERROR", file])
            let found = result.text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(result.status == 0 && found.isEmpty, "\(file): \(result.text) \(result.errorText)")
        }
    }
}
