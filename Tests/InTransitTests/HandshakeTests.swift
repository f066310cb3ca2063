import Dispatch
import Foundation
import InTransit
import StrongroomTestSupport
import Synchronization
import Testing

@Suite struct HandshakeTests {
    /// Kinds of keys, each able to wait.
    enum Kind: CaseIterable, Sendable {
        case p256, p384, rsa, ed25519, late

        func key() throws -> any Signer {
            switch self {
            case .p256: try ECDSA.PrivateKey(.p256)
            case .p384: try ECDSA.PrivateKey(.p384)
            case .rsa: try RSA.PrivateKey(bits: 2048)
            case .ed25519: try Ed25519.PrivateKey()
            case .late: LateSigner(key: try ECDSA.PrivateKey(.p256))
            }
        }
    }

    static let versions: [TLSVersion] = [.tls12, .tls13]

    func policy(_ version: TLSVersion) -> TLSPolicy {
        var policy = TLSPolicy.recommended
        policy.versions = version...version
        return policy
    }

    @Test(arguments: Kind.allCases, versions)
    func `each kind of key serves each version`(_ kind: Kind, _ version: TLSVersion) async throws {
        let authority = try await TestAuthority()
        let identity = try await authority.server(key: kind.key())
        let server = TLSServer(
            try TLSServerContext(
                TLSServerConfiguration(
                    identity: identity, policy: policy(version), applicationProtocols: ["h2", "http/1.1"])))
        let client = try TLSClient(
            TLSClientConfiguration(trust: authority.trust, applicationProtocols: ["http/1.1", "h2"]))
        let pair = try TestPair(client, server)
        pair.run()
        try pair.expectUse()
        let (one, two) = (try #require(pair.client.session), try #require(pair.server.session))
        #expect(one.version == version && two.version == version && one.suite == two.suite && one.group == .x25519)
        #expect(one.applicationProtocol == "h2" && two.applicationProtocol == "h2")
        #expect(two.serverName == "localhost" && !one.isResumed && two.peer == nil)
        #expect(one.peer?.certificates == identity.certificates)
        #expect(pair.server.signatures == (kind == .late ? 1 : 0))
    }

    @Test(arguments: Kind.allCases, versions)
    func `each kind of key is a client's`(_ kind: Kind, _ version: TLSVersion) async throws {
        let authority = try await TestAuthority()
        var configuration = TLSServerConfiguration(identity: try await authority.server(), policy: policy(version))
        configuration.clientAuthentication = .required(authority.trust)
        let server = TLSServer(try TLSServerContext(configuration))
        let identity = try await authority.client(key: kind.key())
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, identity: identity))
        for _ in 0..<2 {
            let pair = try TestPair(client, server)
            pair.run()
            try pair.expectUse()
            #expect(pair.server.session?.peer?.certificates == identity.certificates)
            #expect(pair.client.session?.peer != nil)
        }
    }

    @Test func `a late server judges clients, outside its fibre`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: Kind.late.key())
        var configuration = TLSServerConfiguration(identity: late)
        configuration.clientAuthentication = .required(authority.trust)
        let server = TLSServer(try TLSServerContext(configuration))
        let identity = try await authority.client(key: Kind.late.key())
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, identity: identity))
        let pair = try TestPair(client, server)
        pair.run()
        try pair.expectUse()
        #expect(pair.server.session?.peer?.certificates == identity.certificates)
        #expect(pair.server.signatures == 1 && pair.client.signatures == 1)
        let stranger = try await TestAuthority("CN=Other")
        let other = try TLSClient(
            TLSClientConfiguration(trust: authority.trust, identity: try await stranger.client(key: Kind.p256.key())))
        let refused = try TestPair(other, server)
        refused.run()
        #expect(refused.server.error?.code == .untrustedPeer && refused.server.error?.alert == .unknownAuthority)
        #expect(refused.client.error?.code == .refusedByPeer && refused.client.error?.alert == .unknownAuthority)
    }

    @Test(arguments: versions)
    func `sessions go on, and their peers are known`(_ version: TLSVersion) async throws {
        let authority = try await TestAuthority()
        for isMutual in [false, true] {
            var configuration = TLSServerConfiguration(identity: try await authority.server(), policy: policy(version))
            if isMutual { configuration.clientAuthentication = .required(authority.trust) }
            let server = TLSServer(try TLSServerContext(configuration))
            let identity = try await authority.client(key: Kind.p256.key())
            let client = try TLSClient(TLSClientConfiguration(trust: authority.trust, identity: identity))
            var sessions: [NegotiatedSession] = []
            for round in 0..<4 {
                let pair = try TestPair(client, server)
                pair.run()
                try pair.expectUse()
                let (one, two) = (try #require(pair.client.session), try #require(pair.server.session))
                #expect(one.isResumed == (round > 0) && two.isResumed == (round > 0), "\(round) \(isMutual)")
                #expect((two.peer != nil) == isMutual)
                #expect(one.peer?.certificates.first == configuration.identities[0].certificates[0])
                sessions.append(one)
            }
            // Another server knows nothing of them, and a full handshake follows.
            let other = TLSServer(try TLSServerContext(configuration))
            let pair = try TestPair(client, other)
            pair.run()
            try pair.expectUse()
            #expect(pair.client.session?.isResumed == false)
        }
    }

    @Test func `keys that sign later may fail, and may never answer`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: Kind.late.key())
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: late)))
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust))
        struct Refusal: Error {}
        for answer: Result<[UInt8], any Error>? in [.failure(Refusal()), .success([]), .success([1, 2, 3]), nil] {
            let pair = try TestPair(client, server)
            pair.server.keepsRequests = true
            pair.run()
            #expect(pair.server.session == nil && pair.server.error == nil)
            guard let answer else { continue }
            let request = try #require(pair.server.requests.first)
            pair.server.connection.answer(request, with: answer)
            // Once is enough.
            pair.server.connection.answer(request, with: .success([9]))
            pair.run()
            if case .success([1, 2, 3]) = answer {
                // The client finds the signature wrong.
                #expect(pair.client.error?.code == .protocolViolation && pair.client.error?.alert == .decryptError)
                #expect(pair.server.error?.code == .refusedByPeer)
                continue
            }
            #expect(pair.client.error?.alert == .internalError && pair.client.error?.side == .peer)
            if case .failure = answer {
                #expect(pair.server.error?.code == .signerFailure && pair.server.error?.cause is Refusal)
            }
        }
    }

    @Test func `an answer that comes after the end is for nobody`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: Kind.late.key())
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: late)))
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust))
        let pair = try TestPair(client, server)
        pair.server.keepsRequests = true
        pair.run()
        let request = try #require(pair.server.requests.first)
        pair.server.connection.cancel()
        // The buffer for the signature is gone with the handshake.
        pair.server.connection.answer(request, with: .success([UInt8](repeating: 7, count: 72)))
        pair.server.work()
        #expect(pair.server.error?.code == .closed && pair.server.session == nil)
    }

    /// What one thread has at a time.
    final class Held<Value>: @unchecked Sendable {
        var value: Value?
    }

    @Test func `a handshake that waits stays on its thread, and is given up on it`() async throws {
        let authority = try await TestAuthority()
        let late = try await authority.server(key: Kind.late.key())
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: late)))
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust))
        /// Runs on a thread of its own, to the end.
        func elsewhere<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
            let done = DispatchSemaphore(value: 0)
            let held = Held<Result<R, any Error>>()
            Thread {
                held.value = Result { try body() }
                done.signal()
            }.start()
            done.wait()
            return try #require(held.value).get()
        }
        // On its thread it ends, answered or not.
        for isAnswered in [false, true] {
            try elsewhere {
                let made = try TestPair(client, server)
                made.server.keepsRequests = true
                made.run()
                if isAnswered, let request = made.server.requests.first {
                    made.server.connection.answer(request, with: .success([1, 2, 3]))
                }
            }
        }
        // The first thread has ended before the second begins, which the system may give the same name. Its fibre is lost, and
        // a sanitizer would say so.
        guard !ProcessMemory.isInstrumented else { return }
        let held = Held<TestPair>()
        try elsewhere {
            let made = try TestPair(client, server)
            made.server.keepsRequests = true
            made.run()
            held.value = made
        }
        let request = try #require(held.value?.server.requests.first)
        try elsewhere {
            held.value?.server.connection.answer(request, with: .success([1, 2, 3]))
            held.value?.run()
        }
        #expect(held.value?.server.error?.code == .wrongThread && held.value?.server.session == nil)
    }

    @Test func `the key log opens what was said, and the two sides export the same`() async throws {
        let authority = try await TestAuthority()
        let lines = Mutex<[String]>([])
        var configuration = TLSServerConfiguration(identity: try await authority.server())
        configuration.keyLog = { text in lines.withLock { $0.append(text) } }
        let server = TLSServer(try TLSServerContext(configuration))
        let client = try TLSClient(TLSClientConfiguration(trust: authority.trust))
        let pair = try TestPair(client, server)
        pair.run()
        try pair.expectUse()
        let text = lines.withLock { $0.joined() }
        for label in ["SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "] {
            #expect(text.contains(label))
        }
        let one = try pair.client.connection.exportedSecret("EXPORTER-test", context: [1], byteCount: 32)
        let two = try pair.server.connection.exportedSecret("EXPORTER-test", context: [1], byteCount: 32)
        #expect(one.revealed == two.revealed)
    }
}
