import Foundation
import InTransit
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

/// What goes wrong, on which side, and what is said of it.
@Suite struct FailureTests {
    func pair(
        server change: (inout TLSServerConfiguration) -> Void = { _ in }, trust: PeerTrust? = nil,
        names: [GeneralName] = [.dns("localhost")], to name: String = "localhost",
        client: (inout TLSClientConfiguration) -> Void = { _ in }
    ) async throws -> TestPair {
        let authority = try await TestAuthority()
        var configuration = TLSServerConfiguration(identity: try await authority.server(names))
        change(&configuration)
        var own = TLSClientConfiguration(trust: trust ?? authority.trust)
        client(&own)
        return try TestPair(TLSClient(own), TLSServer(TLSServerContext(configuration)), name: name)
    }

    @Test func `a server that is not trusted is named, with the reason`() async throws {
        let stranger = try await TestAuthority("CN=Other")
        let pair = try await pair(trust: stranger.trust)
        pair.run()
        let error = try #require(pair.client.error)
        #expect(error.code == .untrustedPeer && error.alert == .unknownAuthority && error.side == .local)
        #expect(error.diagnosis?.defect.kind == .unknownIssuer && error.certificate != nil)
        #expect(pair.server.error?.code == .refusedByPeer && pair.server.error?.side == .peer)
        #expect(pair.server.error?.alert == .unknownAuthority)
        #expect(throws: TLSError(.untrustedPeer)) { try pair.client.connection.send([1].span) }
    }

    @Test func `a name, a time and a purpose are wrong in their own ways`() async throws {
        let wrongName = try await pair(to: "other.example")
        wrongName.run()
        #expect(wrongName.client.error?.diagnosis?.defect.kind == .identity)
        #expect(wrongName.client.error?.alert == .badCertificate)
        let authority = try await TestAuthority()
        let late = PeerTrust([authority.root]) { Date().addingTimeInterval(90 * 86400) }
        let server = TLSServer(
            try TLSServerContext(TLSServerConfiguration(identity: try await authority.server())))
        let expired = try TestPair(TLSClient(TLSClientConfiguration(trust: late)), server)
        expired.run()
        #expect(expired.client.error?.alert == .certificateExpired)
        let key = try ECDSA.PrivateKey(.p256)
        let identity = try await authority.client(key: key)
        let asServer = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: identity)))
        let purpose = try TestPair(TLSClient(TLSClientConfiguration(trust: authority.trust)), asServer)
        purpose.run()
        #expect(purpose.client.error?.alert == .unsupportedCertificate)
        #expect(throws: TLSError(.invalidConfiguration)) {
            _ = try TLSClient(TLSClientConfiguration(trust: authority.trust)).connect(to: "not a name")
        }
    }

    @Test func `an address is verified as one, and not told to the server`() async throws {
        let pair = try await pair(names: [.ip([127, 0, 0, 1])], to: "127.0.0.1")
        pair.run()
        try pair.expectUse()
        #expect(pair.server.session?.serverName == nil)
    }

    @Test func `nothing in common is said so`() async throws {
        let versions = try await pair(
            server: { $0.policy = .modern }, client: { $0.policy.versions = .tls12 ... .tls12 })
        versions.run()
        #expect(versions.server.error?.code == .incompatible && versions.server.error?.alert == .protocolVersion)
        #expect(versions.client.error?.code == .refusedByPeer)
        let protocols = try await pair(
            server: { $0.applicationProtocols = ["h2"] }, client: { $0.applicationProtocols = ["http/1.1"] })
        protocols.run()
        #expect(protocols.server.error?.alert == .noApplicationProtocol)
        let suites = try await pair(
            server: {
                $0.policy = .modern
                $0.policy.suites = [.aes128GCM]
            },
            client: {
                $0.policy = .modern
                $0.policy.suites = [.aes256GCM]
            })
        suites.run()
        #expect(suites.server.error?.code == .incompatible && suites.server.error?.alert == .handshakeFailure)
        let authority = try await TestAuthority()
        let required = try await pair(server: { $0.clientAuthentication = .required(authority.trust) })
        required.run()
        #expect(required.server.error?.code == .untrustedPeer)
        #expect(required.client.error?.alert == .certificateRequired && required.client.error?.side == .peer)
        let optional = try await pair(server: { $0.clientAuthentication = .optional(authority.trust) })
        optional.run()
        try optional.expectUse()
        #expect(optional.server.session?.peer == nil)
    }

    @Test func `wrong configurations are refused before there is a connection`() async throws {
        let authority = try await TestAuthority()
        let (key, other) = (try ECDSA.PrivateKey(.p256), try ECDSA.PrivateKey(.p256))
        let leaf = try await authority.authority.issue(for: key, .server, names: [.dns("a.test")], for: .days(1))
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSIdentity([leaf], key: other) }
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSIdentity([], key: key) }
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSIdentity([leaf, leaf], key: key) }
        var configuration = TLSServerConfiguration(identity: try TLSIdentity([leaf], key: key))
        configuration.applicationProtocols = [""]
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSServerContext(configuration) }
        configuration.applicationProtocols = []
        configuration.policy.suites = [CipherSuite(rawValue: 0x0005)]
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSServerContext(configuration) }
        // Without suites of a version libssl would take its own, with RSA key exchange and SHA-1 among them.
        for suites in [[CipherSuite.aes128GCM], [.ecdheECDSAWithAES128GCM], []] {
            configuration.policy.suites = suites
            #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSServerContext(configuration) }
        }
        configuration.policy = .recommended
        let second = try await authority.server(key: ECDSA.PrivateKey(.p384))
        configuration.identities.append(second)
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSServerContext(configuration) }
        configuration.identities = []
        #expect(throws: TLSError(.invalidConfiguration)) { _ = try TLSServerContext(configuration) }
    }

    @Test func `a key that is not for signatures signs no handshake`() async throws {
        let key = try RSA.PrivateKey(bits: 2048)
        let rootKey = try ECDSA.PrivateKey(.p256)
        let (info, rootInfo) = (key.subjectPublicKeyInfo, try rootKey.subjectPublicKeyInfo)
        let validity = try Validity(from: Date().addingTimeInterval(-3600), for: .days(2))
        let root = try await CertificateTemplate(
            subject: "CN=R", subjectPublicKeyInfo: rootInfo, issuer: "CN=R", validity: validity,
            extensions: CertificateProfile.root().extensions(
                for: rootInfo, issuerKeyIdentifier: nil, names: [], subject: "CN=R")
        ).certificate(signedBy: rootKey)
        var extensions = try CertificateProfile.server.extensions(
            for: info, issuerKeyIdentifier: SubjectKeyIdentifier(hashing: rootInfo).bytes,
            names: [.dns("localhost")], subject: "CN=x")
        extensions = try CertificateExtensions(
            extensions.filter { $0.identifier != KeyUsage.identifier } + [
                CertificateExtension(KeyUsage.keyEncipherment)
            ])
        let leaf = try await CertificateTemplate(
            subject: "CN=x", subjectPublicKeyInfo: info, issuer: "CN=R", validity: validity, extensions: extensions
        ).certificate(signedBy: rootKey)
        let server = TLSServer(
            try TLSServerContext(TLSServerConfiguration(identity: TLSIdentity([leaf, root], key: key))))
        let pair = try TestPair(TLSClient(TLSClientConfiguration(trust: PeerTrust([root]))), server)
        pair.run()
        #expect(pair.client.error?.diagnosis?.defect.kind == .keyUsage)
        #expect(pair.server.error?.alert == .unsupportedCertificate)
    }

    @Test func `whoever closes early says so as soon as it can be said`() async throws {
        let pair = try await pair()
        pair.client.connection.close()
        pair.run()
        #expect(pair.client.session != nil && pair.server.end == true)
        #expect(throws: TLSError(.closed)) { try pair.client.connection.send([1].span) }
    }

    @Test func `a stranger may not fill the memory`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: LateSigner(key: ECDSA.PrivateKey(.p256)))
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: late)))
        let pair = try TestPair(TLSClient(TLSClientConfiguration(trust: authority.trust)), server)
        pair.server.keepsRequests = true
        pair.run()
        #expect(pair.server.requests.count == 1)
        for _ in 0..<40 { pair.server.receive([UInt8](repeating: 23, count: 8192)) }
        #expect(pair.server.error?.code == .protocolViolation)
        // Given up here, on its thread.
        pair.server.connection.cancel()
    }

    @Test func `an end is clean or not, and half a connection goes on`() async throws {
        let pair = try await pair()
        pair.run()
        try pair.expectUse()
        pair.client.connection.close()
        pair.run()
        #expect(pair.server.end == true && pair.server.error == nil)
        #expect(throws: TLSError(.closed)) { try pair.client.connection.send([1].span) }
        try pair.send([4, 5], from: pair.server)
        pair.run()
        #expect(pair.client.received.suffix(2) == [4, 5])
        pair.client.connection.receiveEnd()
        pair.client.work()
        #expect(pair.client.end == false)
        let early = try await self.pair()
        early.client.work()
        early.server.receive(early.client.connection.takeOutput().prefix(100))
        early.server.work()
        early.server.connection.receiveEnd()
        early.server.work()
        #expect(early.server.error?.code == .truncated && early.server.error?.side == .peer)
        #expect(throws: TLSError(.notEstablished)) { try early.client.connection.send([1].span) }
    }

    @Test func `any fragments give the same session`() async throws {
        let authority = try await TestAuthority()
        let context = try TLSServerContext(TLSServerConfiguration(identity: try await authority.server()))
        let servers = [TLSServer(context), TLSServer(default: context) { _ in context }]
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, isResuming: false))
        let cases = Generator.zip(Generator.int(in: 1...600).array(upTo: 40), Generator.bytes(.length(upTo: 40_000)))
        await forAll(cases, count: 60) { sizes, message in
            for server in servers {
                let pair = try TestPair(client, server)
                var index = 0
                let cut: (Int) -> Int = { rest in
                    index += 1
                    return sizes.isEmpty ? rest : sizes[index % sizes.count]
                }
                pair.run(cut: cut)
                try require(pair.client.error == nil && pair.server.error == nil, "no error")
                try pair.send(message, from: pair.client)
                try pair.send(message, from: pair.server)
                pair.run(cut: cut)
                try require(pair.client.received == message && pair.server.received == message, "the same bytes")
            }
        }
    }

    /// Of any byte of either side, at any point of a connection: flipped, cut off, or followed by noise.
    enum Damage: CaseIterable, Sendable { case flip, cut, noise }

    @Test func `damage anywhere ends in a typed error, and nothing that was not sent arrives`() async throws {
        let authority = try await TestAuthority()
        var configuration = TLSServerConfiguration(identity: try await authority.server())
        configuration.clientAuthentication = .optional(authority.trust)
        let context = try TLSServerContext(configuration)
        let server = TLSServer(default: context) { _ in context }
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, isResuming: false))
        let kinds = Generator.int(in: 0...2).map { Damage.allCases[$0] }
        let place = Generator.zip(Generator.int(in: 0...1), Generator.int(in: 0...3200))
        let cases = Generator.zip(Generator.zip(kinds, place), Generator.int(in: 0...7))
        await forAll(cases, count: 1500) { damage, bit in
            let pair = try TestPair(client, server)
            var passed = [0, 0]
            var isDone = false
            let message: [UInt8] = Array(0..<200)
            var isSent = false
            for _ in 0..<12 {
                for (index, (from, to)) in [(pair.client, pair.server), (pair.server, pair.client)].enumerated() {
                    from.work()
                    if from.session != nil, index == 0, !isSent {
                        isSent = true
                        try pair.send(message, from: from)
                    }
                    var bytes = from.connection.takeOutput()
                    let at = damage.1.1 - passed[index]
                    passed[index] += bytes.count
                    if index == damage.1.0, !isDone, at >= 0, at < bytes.count {
                        isDone = true
                        switch damage.0 {
                        case .flip: bytes[at] ^= 1 << UInt8(bit)
                        case .cut: bytes.removeSubrange(at...)
                        case .noise: bytes.insert(contentsOf: [22, 3, 3, 0, 9, 1, 0, 0, 5], at: at)
                        }
                        to.receive(bytes)
                        if damage.0 == .cut { to.connection.receiveEnd() }
                    } else {
                        to.receive(bytes)
                    }
                    to.work()
                }
            }
            try require(pair.server.received.isEmpty || pair.server.received == message, "only what was sent")
            guard isDone else { return }
            // A flipped bit of a length may make a side wait for bytes that never come.
            for side in [pair.client, pair.server] {
                side.connection.receiveEnd()
                side.work()
                try require(side.error != nil || side.end != nil, "an end")
                try require(side.error?.code != .internalFailure, "not a failure of ours: \(side.error as Any)")
            }
        }
    }
}
