import Foundation
import PKIX
import Testing

@Suite struct PathValidationTests {
    let server = PathRequirement.server("www.example.com", at: TestHierarchy.now)

    @Test func `a sound chain is found, in whatever order it comes`() async throws {
        let chain = try await TestHierarchy().chain()
        let path = try #require(chain.validate(server).path)
        #expect(path.certificates == [chain.leaf, chain.intermediate, chain.root])
        let strangers = try await TestHierarchy().chain()
        let all = [strangers.leaf, chain.root, strangers.intermediate, chain.leaf, chain.intermediate]
        let validator = PathValidator(trusting: [strangers.root, chain.root])
        #expect(validator.validate(chain.leaf, with: all, for: server).path == path)
        // An intermediate may be trusted by itself, and so may the leaf.
        for anchor in [chain.intermediate, chain.leaf] {
            #expect(
                PathValidator(trusting: [anchor]).validate(chain.leaf, with: [], for: server).path?.anchor == anchor)
        }
    }

    @Test func `each defect is named, with its certificate`() async throws {
        let sound = try TestHierarchy()
        func expect(
            _ kind: PathDefect.Kind, _ change: (inout TestHierarchy) throws -> Void,
            _ location: SourceLocation = #_sourceLocation
        ) async throws {
            var hierarchy = sound
            try change(&hierarchy)
            let validation = try await hierarchy.chain().validate(server)
            #expect(validation.defect == kind, "\(validation)", sourceLocation: location)
        }
        let past = try Validity(from: TestHierarchy.now.addingTimeInterval(-90000), for: .seconds(86400))
        let future = try Validity(from: TestHierarchy.now.addingTimeInterval(1), for: .seconds(86400))
        for validity in [past, future] {
            try await expect(.validity) { $0.leaf.validity = validity }
            try await expect(.validity) { $0.intermediate.validity = validity }
            try await expect(.validity) { $0.root.validity = validity }
        }
        try await expect(.unknownIssuer) { $0.leaf.issuer = "CN=Nobody" }
        try await expect(.unknownIssuer) {
            $0.intermediate.subjectPublicKeyInfo = try $0.leafKey.publicKey.subjectPublicKeyInfo
        }
        try await expect(.notAnAuthority) {
            $0.intermediate.extensions = try TestHierarchy.replacing(
                $0.intermediate.extensions, CertificateExtension(BasicConstraints.endEntity))
        }
        try await expect(.notAnAuthority) { $0.root.extensions = .none }
        try await expect(.keyUsage) {
            $0.intermediate.extensions = try TestHierarchy.replacing(
                $0.intermediate.extensions, CertificateExtension(KeyUsage.digitalSignature))
        }
        try await expect(.keyUsage) {
            $0.leaf.extensions = try TestHierarchy.replacing(
                $0.leaf.extensions, CertificateExtension(KeyUsage.certificateSigning))
        }
        try await expect(.pathLength) {
            $0.root.extensions = try TestHierarchy.replacing(
                $0.root.extensions, CertificateExtension(BasicConstraints.authority(pathLength: 0)))
        }
        for place in [\TestHierarchy.leaf, \.intermediate] {
            try await expect(.purpose) {
                $0[keyPath: place].extensions = try TestHierarchy.replacing(
                    $0[keyPath: place].extensions, CertificateExtension(ExtendedKeyUsage([.clientAuthentication])))
            }
            try await expect(.criticalExtension) {
                try $0[keyPath: place].extensions.append(
                    CertificateExtension("1.2.3.4", isCritical: true, value: [5, 0]))
            }
            try await expect(.unreadable) {
                $0[keyPath: place].extensions = try TestHierarchy.replacing(
                    $0[keyPath: place].extensions,
                    CertificateExtension(KeyUsage.identifier, isCritical: true, value: [1, 2, 3]))
            }
        }
        try await expect(.identity) {
            $0.leaf.extensions = try TestHierarchy.replacing(
                $0.leaf.extensions, CertificateExtension(SubjectAlternativeName([.dns("other.example")])))
        }
    }

    @Test func `a server is who its alternative names say`() async throws {
        let chain = try await TestHierarchy().chain()
        let (right, wrong) = (
            [
                "www.example.com", "WWW.Example.COM", "www.example.com.", "a.example.org", "xn--a.example.org",
                "192.0.2.1",
            ],
            [
                "example.com", "www.example.com.evil", "leaf", "a.b.example.org", "example.org", "*.example.org",
                "192.0.2.2", ".example.org", "a..example.org", "", "192.0.2.1.", "::ffff:192.0.2.1",
                "www.example.com ",
            ]
        )
        for name in right { #expect(chain.validate(.server(name, at: TestHierarchy.now)).path != nil, "\(name)") }
        for name in wrong {
            #expect(chain.validate(.server(name, at: TestHierarchy.now)).defect == .identity, "\(name)")
        }
        #expect(chain.validate(.client(at: TestHierarchy.now)).defect == .purpose)
    }

    /// Cases of RFC 5280, 4.2.1.10, and of what implementations have got wrong.
    @Test(
        arguments: [
            (GeneralName.dns("example.com"), GeneralName.dns("example.com"), true),
            (.dns("example.com"), .dns("a.b.EXAMPLE.com"), true), (.dns("example.com"), .dns("badexample.com"), false),
            (.dns(".example.com"), .dns("example.com"), false), (.dns(".example.com"), .dns("a.example.com"), true),
            (.dns("example.com"), .dns("*.example.com"), true), (.dns("a.example.com"), .dns("*.example.com"), false),
            (.email("example.com"), .email("a@example.com"), true),
            (.email("example.com"), .email("a@b.example.com"), false),
            (.email(".example.com"), .email("a@b.example.com"), true),
            (.email(".example.com"), .email("a@example.com"), false),
            (.email("a@example.com"), .email("a@EXAMPLE.com"), true),
            (.email("a@example.com"), .email("A@example.com"), false),
            (.uri("example.com"), .uri("https://example.com/x"), true),
            (.uri("example.com"), .uri("https://u@example.com:8/"), true),
            (.uri(".example.com"), .uri("https://a.example.com"), true),
            (.uri("example.com"), .uri("https://a.example.com"), false),
            (.uri("example.com"), .uri("https://192.0.2.1/"), false), (.uri("example.com"), .uri("urn:x"), false),
            (.ip([192, 0, 2, 0, 255, 255, 255, 0]), .ip([192, 0, 2, 77]), true),
            (.ip([192, 0, 2, 0, 255, 255, 255, 0]), .ip([192, 0, 3, 77]), false),
            (.ip([192, 0, 2, 0, 255, 255, 255, 0]), .ip([UInt8](repeating: 0, count: 16)), false),
            (.directory("O=Example, C=DE"), .directory("CN=a, O=EXAMPLE, C=DE"), true),
            (.directory("O=Example, C=DE"), .directory("CN=a, O=Other, C=DE"), false),
            (.directory("O=Example, C=DE"), .directory("C=DE"), false),
        ] as [(GeneralName, GeneralName, Bool)])
    func `names under constraints`(_ base: GeneralName, _ name: GeneralName, _ isWithin: Bool) async throws {
        func verdict(_ constraints: NameConstraints) async throws -> PathDefect.Kind? {
            var hierarchy = try TestHierarchy()
            hierarchy.leaf.subject = .empty
            hierarchy.leaf.extensions = try TestHierarchy.replacing(
                hierarchy.leaf.extensions,
                CertificateExtension(SubjectAlternativeName([.dns("www.example.com"), name])))
            if case .directory(let subject) = name { hierarchy.leaf.subject = subject }
            // An unrelated kind beside it changes nothing.
            try hierarchy.intermediate.extensions.append(CertificateExtension(constraints))
            return try await hierarchy.chain().validate(.client2(at: TestHierarchy.now)).defect
        }
        var permitted = [base]
        if case .dns = base { permitted.append(.dns("www.example.com")) }
        #expect(try await verdict(NameConstraints(permitted: permitted)) == (isWithin ? nil : .nameConstraint))
        // What cannot be told is not permitted, and is excluded.
        let isUnclear = [.uri("https://192.0.2.1/"), .uri("urn:x"), .dns("*.example.com")].contains(name)
        if case .dns(".example.com") = base { return }
        if case .dns("example.com") = base { return }
        #expect(try await verdict(NameConstraints(excluded: [base])) == (isWithin || isUnclear ? .nameConstraint : nil))
    }

    @Test func `constraints reach through all below, and self-issued links are passed over`() async throws {
        var hierarchy = try TestHierarchy()
        try hierarchy.root.extensions.append(
            CertificateExtension(NameConstraints(permitted: [.dns("example.com")], excluded: [.dns("www.example.com")]))
        )
        #expect(try await hierarchy.chain().validate(server).defect == .nameConstraint)
        // The intermediate's own name counts too.
        hierarchy = try TestHierarchy()
        try hierarchy.root.extensions.append(
            CertificateExtension(NameConstraints(excluded: [.directory("O=Example")])))
        #expect(try await hierarchy.chain().validate(server).defect == .nameConstraint)
        // Mailboxes in subjects of old.
        hierarchy = try TestHierarchy()
        hierarchy.leaf.subject = "emailAddress=a@evil.example"
        try hierarchy.root.extensions.append(CertificateExtension(NameConstraints(permitted: [.email("good.example")])))
        #expect(try await hierarchy.chain().validate(server).defect == .nameConstraint)
    }

    @Test func `where one issuer leads nowhere, another is tried`() async throws {
        let hierarchy = try TestHierarchy()
        let chain = try await hierarchy.chain()
        // The same authority, cross-signed by one that has expired, and by one that nobody trusts.
        var expired = hierarchy
        expired.intermediate.validity = try Validity(
            from: TestHierarchy.now.addingTimeInterval(-90000), for: .seconds(86400))
        let old = try await expired.chain().intermediate
        let other = try TestHierarchy()
        var crossed = other.intermediate
        crossed.subjectPublicKeyInfo = hierarchy.intermediate.subjectPublicKeyInfo
        crossed.issuer = "CN=Nobody"
        let untrusted = try await crossed.certificate(signedBy: other.rootKey)
        let validator = PathValidator(trusting: [chain.root])
        for order in [
            [old, untrusted, chain.intermediate], [chain.intermediate, old, untrusted],
            [untrusted, old, chain.intermediate],
        ] {
            #expect(
                validator.validate(chain.leaf, with: order, for: server).path?.certificates[1] == chain.intermediate)
        }
        let validation = validator.validate(chain.leaf, with: [old, untrusted], for: server)
        #expect(validation.defect == .validity)
        if case .invalid(let diagnosis) = validation { #expect(diagnosis.attempts.count == 2, "\(diagnosis)") }
    }

    @Test(
        arguments: [
            (GeneralName.email("example.com"), GeneralName.email("a@example.com.")),
            (.uri("example.com"), .uri("https://example.com./")), (.uri("example.com"), .uri("https://ex%61mple.com/")),
            (.email(""), .email("a@example.com")), (.uri(""), .uri("https://example.com/")),
            (.dns(""), .dns("example.com")),
            (.dns("internal.example.com"), .dns("*.example.com")), (.dns("example.com"), .dns("www.example.com.")),
        ] as [(GeneralName, GeneralName)])
    func `another spelling does not escape an exclusion`(_ base: GeneralName, _ name: GeneralName) {
        let constraints = NameConstraints(excluded: [base])
        #expect(constraints.firstForbidden(of: .empty, [name]) == name)
    }

    @Test func `attributes of any identifier hide nothing`() throws {
        // An arc of 2^63 in an identifier, which an encoding may have and nothing here can name.
        let evil = try DistinguishedName(text: "O=Evil").derEncoded.dropFirst(2)
        let strange: [UInt8] = [
            0x31, 0x12, 0x30, 0x10, 0x06, 0x0B, 0x69, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0C,
            0x01, 0x78,
        ]
        #expect(throws: PKIXError.self) {
            _ = try DistinguishedName(derEncoded: [0x30, UInt8(evil.count + strange.count)] + evil + strange)
        }
        let arc = "1.2.9223372036854775808"
        #expect(ObjectIdentifier(arc) == nil)
        #expect(throws: PKIXError(.invalidValue)) { _ = try DistinguishedName(text: arc + "=") }
        let constraints = NameConstraints(excluded: [.directory("O=Evil")])
        #expect(constraints.firstForbidden(of: "CN=a, 1.2.3=x, O=Evil", []) != nil)
        #expect(try DistinguishedName(text: "CN=C\\+1").description == "CN=C\\+1")
    }

    @Test func `what is critical must be readable`() async throws {
        for kind in [SubjectAlternativeName.identifier, NameConstraints.identifier] {
            var hierarchy = try TestHierarchy()
            hierarchy.leaf.extensions = try TestHierarchy.replacing(
                hierarchy.leaf.extensions, CertificateExtension(kind, isCritical: true, value: [1, 2, 3]))
            let validation = try await hierarchy.chain().validate(.client2(at: TestHierarchy.now))
            #expect(validation.defect == .unreadable)
        }
    }

    @Test func `a crowd that certifies each other is given up on`() async throws {
        // Eight names, each certified by the seven others, and no way out: thousands of paths over few signatures.
        let hierarchy = try TestHierarchy()
        let keys = try (0..<8).map { _ in try ECDSA.PrivateKey(.p256) }
        func name(_ index: Int) throws -> DistinguishedName { try DistinguishedName(text: "CN=Crowd \(index)") }
        var crowd: [Certificate] = []
        for (subject, key) in keys.enumerated() {
            for (issuer, signer) in keys.enumerated() where issuer != subject {
                crowd.append(
                    try await TestHierarchy.template(
                        name(subject), key, name(issuer), signer, .intermediate(pathLength: nil),
                        hierarchy.leaf.validity
                    ).certificate(signedBy: signer))
            }
        }
        var leaf = hierarchy.leaf
        leaf.issuer = try name(0)
        let certificate = try await leaf.certificate(signedBy: keys[0])
        let root = try await hierarchy.chain().root
        let start = ContinuousClock.now
        let validation = PathValidator(trusting: [root]).validate(certificate, with: crowd, for: server)
        #expect(validation.path == nil && ContinuousClock.now - start < .seconds(3))
    }

    @Test func `hostile chains cost no more than the budget`() async throws {
        // Twenty authorities of one name and key, each signed by every other: 20! paths.
        let hierarchy = try TestHierarchy()
        let chain = try await hierarchy.chain()
        let keys = try (0..<12).map { _ in try ECDSA.PrivateKey(.p256) }
        var crowd: [Certificate] = []
        let validity = hierarchy.leaf.validity
        for key in keys {
            for signer in keys where signer.publicKeyBytes != key.publicKeyBytes {
                let template = try TestHierarchy.template(
                    "CN=Intermediate, O=Example", key, "CN=Intermediate, O=Example", signer,
                    .intermediate(pathLength: nil), validity)
                crowd.append(try await template.certificate(signedBy: signer))
            }
        }
        let leaf = try await hierarchy.leaf.certificate(signedBy: keys[0])
        let start = ContinuousClock.now
        let validation = PathValidator(trusting: [chain.root]).validate(leaf, with: crowd, for: server)
        #expect(validation.defect == .budget || validation.defect == .unknownIssuer)
        #expect(ContinuousClock.now - start < .seconds(5))
        if case .invalid(let diagnosis) = validation { #expect(diagnosis.attempts.count <= 32) }
    }
}

extension PathRequirement {
    /// The rules of RFC 5280 alone.
    fileprivate static func client2(at time: Date) -> PathRequirement { PathRequirement(at: time) }
}

extension ECDSA.PrivateKey {
    fileprivate var publicKeyBytes: [UInt8] { (try? publicKey.subjectPublicKeyInfo) ?? [] }
}
