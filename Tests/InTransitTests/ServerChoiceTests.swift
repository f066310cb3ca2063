import InTransit
import StrongroomPropertyTesting
import StrongroomTestSupport
import Synchronization
import Testing

@Suite struct ServerChoiceTests {
    @Test func `each name gets its own context, whole`() async throws {
        let authority = try await TestAuthority()
        var one = TLSServerConfiguration(
            identity: try await authority.server([.dns("one.test"), .dns("*.one.test")]), applicationProtocols: ["a"])
        one.policy = .modern
        let two = TLSServerConfiguration(
            identity: try await authority.server([.dns("two.test")]), applicationProtocols: ["b"])
        let server = try TLSServer(names: [TLSServerContext(one), TLSServerContext(two)])
        let client = try TLSClient(
            TLSClientConfiguration(trust: authority.trust, applicationProtocols: ["a", "b"]))
        for (name, expected) in [("www.one.test", "a"), ("two.test", "b"), ("TWO.test.", "b")] {
            for isResumed in [false, true] where name != "TWO.test." {
                let pair = try TestPair(client, server, name: name)
                pair.run(cut: { _ in 7 })
                try pair.expectUse()
                #expect(pair.client.session?.applicationProtocol == expected)
                #expect(pair.server.session?.isResumed == isResumed)
            }
        }
        let stranger = try TestPair(client, server, name: "three.test")
        stranger.run()
        #expect(stranger.client.error?.diagnosis?.defect.kind == .identity)
    }

    @Test func `sessions of TLS 1.2 go on where contexts are chosen by name`() async throws {
        let authority = try await TestAuthority()
        let configuration = TLSServerConfiguration(identity: try await authority.server([.dns("a.test")]))
        let context = try TLSServerContext(configuration)
        for server in [try TLSServer(names: [context]), TLSServer(context)] {
            var own = TLSClientConfiguration(trust: authority.trust)
            own.policy.versions = .tls12 ... .tls12
            let client = try TLSClient(own)
            for round in 0..<4 {
                let pair = try TestPair(client, server, name: "a.test")
                pair.run()
                try pair.expectUse()
                #expect(pair.server.session?.isResumed == (round > 0))
                #expect(pair.server.session?.serverName == "a.test")
            }
        }
    }

    @Test func `a client says what it takes, and a server may choose by it`() async throws {
        let authority = try await TestAuthority()
        let (rsa, ecdsa) = (
            try await authority.server(key: RSA.PrivateKey(bits: 2048)), try await authority.server()
        )
        let both = try TLSServerContext(TLSServerConfiguration(identities: [rsa, ecdsa]))
        let hellos = Mutex<[ClientHello]>([])
        let server = TLSServer(default: both) { hello in
            hellos.withLock { $0.append(hello) }
            return nil
        }
        for (schemes, expected) in [([SignatureScheme.rsaPSSSHA256, .ecdsaSHA256], ecdsa), ([.rsaPSSSHA256], rsa)] {
            var configuration = TLSClientConfiguration(trust: authority.trust)
            configuration.policy = .modern
            configuration.policy.signatureSchemes = schemes
            let client = try TLSClient(configuration)
            let pair = try TestPair(client, server)
            pair.run()
            let hello = try #require(hellos.withLock { $0.last })
            #expect(hello.signatureSchemes == schemes && hello.serverName == "localhost")
            #expect(hello.versions == [0x0304] && hello.groups.first == .x25519)
            #expect(hello.suites.prefix(3) == [.aes128GCM, .aes256GCM, .chaCha20Poly1305])
            try pair.expectUse()
            #expect(pair.client.session?.peer?.leaf == expected.certificates[0])
        }
    }

    @Test func `nobody is served by a context that was not chosen for him`() async throws {
        let authority = try await TestAuthority()
        let context = try TLSServerContext(TLSServerConfiguration(identity: try await authority.server()))
        let server = TLSServer(default: context) { _ in context }
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust))
        // An empty record is passed over by libssl, a second extension of a kind too: here they are refused.
        for prefix: [UInt8] in [
            [22, 3, 1, 0, 0], [22, 3, 1, 0, 1, 0], [23, 3, 1, 0, 1, 0], Array("GET / HTTP/1.1\r\n".utf8),
        ] {
            let pair = try TestPair(client, server)
            pair.client.work()
            pair.server.receive(prefix + pair.client.connection.takeOutput())
            pair.run()
            #expect(pair.server.error?.code == .protocolViolation && pair.server.session == nil)
            #expect(pair.client.error?.alert == .decodeError && pair.client.error?.side == .peer)
        }
    }

    @Test func `keys that answer at once and later serve together`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: LateSigner(key: RSA.PrivateKey(bits: 2048)))
        let soon = try await authority.server()
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identities: [late, soon])))
        for (schemes, expected) in [([SignatureScheme.rsaPSSSHA256], late), ([.ecdsaSHA256], soon)] {
            var configuration = TLSClientConfiguration(trust: authority.trust, policy: .modern)
            configuration.policy.signatureSchemes = schemes
            let pair = try TestPair(TLSClient(configuration), server)
            pair.run()
            try pair.expectUse()
            #expect(pair.client.session?.peer?.leaf == expected.certificates[0])
        }
    }

    @Test func `a context is replaced while connections are open`() async throws {
        let authority = try await TestAuthority()
        let (old, new) = (try await authority.server(), try await authority.server())
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: old)))
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, isResuming: false))
        let (open, half) = (try TestPair(client, server), try TestPair(client, server))
        open.run()
        half.client.work()
        half.server.receive(half.client.connection.takeOutput())
        server.replace(try TLSServerContext(TLSServerConfiguration(identity: new)))
        try open.expectUse()
        half.run()
        try half.expectUse()
        #expect(half.client.session?.peer?.leaf == old.certificates[0])
        let fresh = try TestPair(client, server)
        fresh.run()
        #expect(fresh.client.session?.peer?.leaf == new.certificates[0])
    }
}
