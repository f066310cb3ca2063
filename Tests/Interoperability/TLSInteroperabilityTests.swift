import Foundation
import InTransit
import StrongroomTestSupport
import Testing

/// TLS with programs that others wrote, in both roles.
@Suite(.serialized, .peer("openssl"), .peer("gnutls-cli"), .peer("gnutls-serv"), .peer("curl"), .peer("nginx"))
struct TLSInteroperabilityTests {
    static let kinds = ["RSA", "P-256", "Ed25519"]
    static let versions: [TLSVersion] = [.tls12, .tls13]

    let folder: TemporaryFolder
    let authority: CertificateAuthority

    init() async throws {
        folder = try TemporaryFolder()
        authority = try await CertificateAuthority.createRoot(
            subject: "CN=Interoperability Root", key: ECDSA.PrivateKey(.p256), store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
        try authority.certificate.pemEncoded.write(toFile: folder.path("ca.pem"), atomically: true, encoding: .utf8)
    }

    func key(_ kind: String) throws -> any AsymmetricPrivateKey & SynchronousSigner {
        switch kind {
        case "RSA": try RSA.PrivateKey(bits: 2048)
        case "P-256": try ECDSA.PrivateKey(.p256)
        default: try Ed25519.PrivateKey()
        }
    }

    /// An identity, also in files `NAME.pem` and `NAME.key`.
    func identity(_ kind: String, _ profile: CertificateProfile, _ name: String) async throws -> TLSIdentity {
        let key = try key(kind)
        let names: [GeneralName] = profile == .server ? [.dns("localhost"), .ip([127, 0, 0, 1])] : []
        let leaf = try await authority.issue(for: key, profile, subject: "CN=Somebody", names: names, for: .days(2))
        try leaf.pemEncoded.write(toFile: folder.path("\(name).pem"), atomically: true, encoding: .utf8)
        let encoded = Data(try key.pkcs8().revealed).base64EncodedString(options: .lineLength64Characters)
        try "-----BEGIN PRIVATE KEY-----\n\(encoded)\n-----END PRIVATE KEY-----\n".write(
            toFile: folder.path("\(name).key"), atomically: true, encoding: .utf8)
        return try TLSIdentity([leaf] + authority.chain, key: key)
    }

    func policy(_ version: TLSVersion) -> TLSPolicy {
        var policy = TLSPolicy.recommended
        policy.versions = version...version
        return policy
    }

    /// Runs a client. Its input stays open for a moment: gnutls-cli goes with it, answer or not.
    func run(_ program: String, _ arguments: [String], input: String = "") throws -> Subprocess.Result {
        try input.write(toFile: folder.path("input"), atomically: true, encoding: .utf8)
        let script = input.isEmpty ? #"exec timeout 20 "$@""# : #"(cat input; sleep 0.4) | timeout 20 "$@""#
        return try Subprocess.run("sh", ["-c", script, "sh", program] + arguments, folder: folder.url)
    }

    static let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    // MARK: - Their clients, our server

    @Test(arguments: kinds, versions)
    func `their clients reach our server`(_ kind: String, _ version: TLSVersion) async throws {
        let identity = try await identity(kind, .server, "server")
        let server = try AnsweringServer(
            TLSServer(
                TLSServerContext(
                    TLSServerConfiguration(
                        identity: identity, policy: policy(version), applicationProtocols: ["http/1.1"]))))
        defer { server.stop() }
        let number = version == .tls13 ? "1_3" : "1_2"
        let openssl = try run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", "localhost", "-CAfile", "ca.pem",
                "-verify_return_error", "-verify_hostname", "localhost", "-tls\(number)", "-alpn", "http/1.1",
                "-ign_eof",
            ], input: Self.request)
        #expect(openssl.text.contains(AnsweringServer.answer), "\(openssl.text)\(openssl.errorText)")
        #expect(openssl.text.contains("Verify return code: 0 (ok)") && openssl.text.contains("ALPN protocol: http/1.1"))
        let gnutls = try run(
            "gnutls-cli",
            [
                "--port", "\(server.port)", "--x509cafile", "ca.pem", "--sni-hostname", "localhost",
                "--verify-hostname",
                "localhost", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS\(number.replacing("_", with: "."))", "127.0.0.1",
            ], input: Self.request)
        #expect(gnutls.text.contains(AnsweringServer.answer), "\(gnutls.text)\(gnutls.errorText)")
        let curl = try run(
            "curl",
            [
                "--silent", "--show-error", "--cacert", "ca.pem", "--tlsv\(number.replacing("_", with: "."))",
                "--tls-max", number.replacing("_", with: "."), "https://localhost:\(server.port)/",
            ])
        #expect(curl.text == AnsweringServer.answer, "\(curl.errorText)")
        let record = server.record
        #expect(record.errors.isEmpty && record.sessions.count == 3, "\(record.errors)")
        #expect(record.sessions.allSatisfy { $0.version == version && $0.serverName == "localhost" })
        // Without the authority they refuse us, and we learn why.
        let stranger = try run("curl", ["--silent", "https://localhost:\(server.port)/"])
        #expect(stranger.status == 60)
        #expect((server.awaitError() as? TLSError)?.alert == .unknownAuthority)
    }

    @Test(arguments: kinds, versions)
    func `their clients show certificates`(_ kind: String, _ version: TLSVersion) async throws {
        var configuration = TLSServerConfiguration(
            identity: try await identity("P-256", .server, "server"), policy: policy(version))
        configuration.clientAuthentication = .required(PeerTrust([authority.certificate]))
        let server = try AnsweringServer(TLSServer(TLSServerContext(configuration)))
        defer { server.stop() }
        let client = try await identity(kind, .client, "client")
        let openssl = try run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", "localhost", "-CAfile", "ca.pem",
                "-cert",
                "client.pem", "-key", "client.key", "-ign_eof",
            ], input: Self.request)
        #expect(openssl.text.contains(AnsweringServer.answer), "\(openssl.text)\(openssl.errorText)")
        #expect(openssl.text.contains("CN = Interoperability Root"))
        let gnutls = try run(
            "gnutls-cli",
            [
                "--port", "\(server.port)", "--x509cafile", "ca.pem", "--sni-hostname", "localhost",
                "--verify-hostname",
                "localhost", "--x509certfile", "client.pem", "--x509keyfile", "client.key", "127.0.0.1",
            ], input: Self.request)
        #expect(gnutls.text.contains(AnsweringServer.answer), "\(gnutls.text)\(gnutls.errorText)")
        let curl = try run(
            "curl",
            [
                "--silent", "--show-error", "--cacert", "ca.pem", "--cert", "client.pem", "--key", "client.key",
                "https://localhost:\(server.port)/",
            ])
        #expect(curl.text == AnsweringServer.answer, "\(curl.errorText)")
        let record = server.record
        #expect(record.errors.isEmpty && record.sessions.count == 3, "\(record.errors)")
        #expect(record.sessions.allSatisfy { $0.peer?.certificates == client.certificates })
        let none = try run("curl", ["--silent", "--cacert", "ca.pem", "https://localhost:\(server.port)/"])
        #expect(none.status != 0 && (server.awaitError() as? TLSError)?.code == .untrustedPeer)
    }

    @Test(arguments: versions) func `their clients resume with our server`(_ version: TLSVersion) async throws {
        for isMutual in [false, true] {
            var configuration = TLSServerConfiguration(
                identity: try await identity("P-256", .server, "server"), policy: policy(version))
            if isMutual { configuration.clientAuthentication = .required(PeerTrust([authority.certificate])) }
            _ = try await identity("P-256", .client, "client")
            let server = try AnsweringServer(TLSServer(TLSServerContext(configuration)))
            defer { server.stop() }
            let common = [
                "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", "ca.pem", "-ign_eof", "-cert",
                "client.pem", "-key", "client.key",
            ]
            let first = try run("openssl", common + ["-sess_out", "session.pem"], input: Self.request)
            #expect(first.text.contains(AnsweringServer.answer), "\(first.errorText)")
            let second = try run("openssl", common + ["-sess_in", "session.pem"], input: Self.request)
            #expect(
                second.text.contains("Reused, TLS") && second.text.contains(AnsweringServer.answer), "\(second.text)")
            #expect(server.record.sessions.map(\.isResumed) == [false, true])
            #expect(server.record.sessions.allSatisfy { ($0.peer != nil) == isMutual })
            let gnutls = try run(
                "gnutls-cli",
                [
                    "--port", "\(server.port)", "--x509cafile", "ca.pem", "--verify-hostname", "localhost",
                    "--x509certfile", "client.pem", "--x509keyfile", "client.key", "--resume", "--waitresumption",
                    "127.0.0.1",
                ], input: Self.request)
            #expect(gnutls.text.contains("This is a resumed session"), "\(gnutls.text)\(gnutls.errorText)")
        }
    }

    // MARK: - Our client, their servers

    /// Asks a server for its page, twice: the second time the session goes on.
    func ask(
        _ port: UInt16, _ client: TLSClient, _ version: TLSVersion, resumes: Bool = true
    ) throws {
        for round in 0..<2 {
            var connection = TLSOverSocket(try client.connect(to: "localhost"), try LoopbackSocket.connect(to: port))
            try connection.handshake()
            #expect(connection.session?.version == version)
            #expect(connection.session?.isResumed == (round == 1 && resumes))
            #expect(connection.session?.peer?.anchor == authority.certificate)
            try connection.send(Self.request)
            try connection.work { _ in false }
            #expect(String(decoding: connection.received, as: UTF8.self).hasPrefix("HTTP/1."))
        }
    }

    @Test(arguments: kinds, versions)
    func `our client reaches their servers`(_ kind: String, _ version: TLSVersion) async throws {
        _ = try await identity(kind, .server, "server")
        let own = try await identity(kind, .client, "client")
        for isMutual in [false, true] {
            let client = try TLSClient(
                TLSClientConfiguration(
                    trust: PeerTrust([authority.certificate]), identity: isMutual ? own : nil, policy: policy(version)))
            var port = try LoopbackSocket.freePort()
            let openssl = try BackgroundPeer(
                "openssl",
                [
                    "s_server", "-accept", "\(port)", "-cert", "server.pem", "-key", "server.key", "-www", "-CAfile",
                    "ca.pem",
                ]
                    + (isMutual ? ["-Verify", "1", "-verify_return_error"] : []), folder: folder.url)
            try ask(port, client, version)
            _ = openssl
            port = try LoopbackSocket.freePort()
            let gnutls = try BackgroundPeer(
                "gnutls-serv",
                [
                    "--http", "--port", "\(port)", "--x509certfile", "server.pem", "--x509keyfile", "server.key",
                    "--x509cafile", "ca.pem", isMutual ? "--require-client-cert" : "--disable-client-cert",
                ] + (isMutual ? ["--verify-client-cert"] : []), folder: folder.url)
            try ask(port, client, version)
            _ = gnutls
            port = try LoopbackSocket.freePort()
            try """
            daemon off; master_process off; pid nginx.pid; error_log stderr; events {}
            http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;
              scgi_temp_path t; server { listen 127.0.0.1:\(port) ssl; ssl_certificate server.pem;
              ssl_certificate_key server.key; ssl_client_certificate ca.pem; ssl_protocols TLSv1.2 TLSv1.3;
              ssl_verify_client \(isMutual ? "on" : "off"); ssl_session_cache shared:s:1m; return 200 "hello\\n"; } }
            """.write(toFile: folder.path("nginx.conf"), atomically: true, encoding: .utf8)
            let nginx = try BackgroundPeer(
                "/usr/sbin/nginx", ["-p", folder.url.path, "-c", "nginx.conf"], folder: folder.url)
            try ask(port, client, version)
            _ = nginx
        }
    }

    @Test func `we write and close in the middle of a ticket of theirs`() async throws {
        _ = try await identity("P-256", .server, "server")
        let own = try await identity("RSA", .client, "client")
        let port = try LoopbackSocket.freePort()
        // The ticket holds our certificate, and comes in several records.
        let peer = try BackgroundPeer(
            "openssl",
            [
                "s_server", "-accept", "\(port)", "-cert", "server.pem", "-key", "server.key", "-www", "-CAfile",
                "ca.pem",
                "-Verify", "1", "-max_send_frag", "512",
            ], folder: folder.url)
        let client = try TLSClient(
            TLSClientConfiguration(trust: PeerTrust([authority.certificate]), identity: own, policy: .modern))
        for piece in [1, 100, 530] {
            let connection = try client.connect(to: "localhost")
            let socket = try LoopbackSocket.connect(to: port)
            var (buffer, received) = ([UInt8](repeating: 0, count: 16384), [UInt8]())
            var (isEstablished, rest, isClean) = (false, Array(Self.request.utf8)[...], Bool?.none)
            func events() throws {
                var span = buffer.mutableSpan
                while let event = try connection.nextEvent(into: &span) {
                    switch event {
                    case .established: isEstablished = true
                    case .data(let count): received += (0..<count).map { span[$0] }
                    case .closed(let isSaid): isClean = isSaid
                    case .signature: break
                    }
                }
            }
            while isClean == nil {
                try events()
                try socket.write(connection.takeOutput())
                let wasEstablished = isEstablished
                let bytes = try socket.read()
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    let part = Array(bytes[start..<min(start + piece, bytes.count)])
                    try connection.receive(part.span)
                    try events()
                    // A byte of the request wherever they are; or all of it, and the end, after the first record.
                    if wasEstablished, piece < 512, let next = rest.popFirst() { try connection.send([next].span) }
                    if wasEstablished, piece > 512, !rest.isEmpty {
                        let whole = Array(rest)
                        try connection.send(whole.span)
                        connection.close()
                        rest = []
                    }
                }
                if wasEstablished, !rest.isEmpty {
                    let whole = Array(rest)
                    try connection.send(whole.span)
                    rest = []
                }
                if bytes.isEmpty { connection.receiveEnd() }
            }
            #expect(String(decoding: received, as: UTF8.self).hasPrefix("HTTP/1.0 200"), "\(piece) \(peer.text)")
        }
    }

    @Test func `a server of theirs that is not trusted learns it`() async throws {
        _ = try await identity("P-256", .server, "server")
        let port = try LoopbackSocket.freePort()
        let peer = try BackgroundPeer(
            "openssl", ["s_server", "-accept", "\(port)", "-cert", "server.pem", "-key", "server.key"],
            folder: folder.url)
        let client = try TLSClient(TLSClientConfiguration(trust: PeerTrust([])))
        var connection = TLSOverSocket(try client.connect(to: "localhost"), try LoopbackSocket.connect(to: port))
        #expect(throws: TLSError(.untrustedPeer)) { try connection.handshake() }
        for _ in 0..<100 where !peer.text.contains("alert unknown ca") { try await Task.sleep(for: .milliseconds(50)) }
        #expect(peer.text.contains("alert unknown ca"))
    }
}
