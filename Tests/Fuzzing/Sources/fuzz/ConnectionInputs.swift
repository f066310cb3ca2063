import Foundation
import InTransit
import RecordStorage

/// Sides of TLS that get bytes from nobody they know.
enum ConnectionInputs {
    nonisolated(unsafe) private static var sides: [TLSServer] = []
    nonisolated(unsafe) private static var clients: [TLSClient] = []

    static var choosing: TLSServer { sides[0] }
    static var server: TLSServer { sides[1] }
    private static var older: TLSServer { sides[2] }
    static var client: TLSClient { clients[0] }

    static func prepare() async throws {
        let key = try ECDSA.PrivateKey(.p256)
        let authority = try await CertificateAuthority.createRoot(
            subject: "CN=Root", key: ECDSA.PrivateKey(.p256), store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
        let leaf = try await authority.issue(for: key, .server, names: [.dns("localhost")], for: .days(1))
        var configuration = TLSServerConfiguration(
            identity: try TLSIdentity([leaf], key: key), applicationProtocols: ["h2", "http/1.1"])
        configuration.clientAuthentication = .optional(PeerTrust([authority.certificate]))
        let context = try TLSServerContext(configuration)
        configuration.policy.versions = .tls12 ... .tls12
        let choosing = TLSServer(default: context) { hello in
            _ = (hello.serverName, hello.suites.map(\.description), hello.signatureSchemes.map(\.algorithm))
            return hello.applicationProtocols.isEmpty ? nil : context
        }
        sides = [choosing, TLSServer(context), TLSServer(try TLSServerContext(configuration))]
        clients = [try TLSClient(TLSClientConfiguration(trust: PeerTrust([authority.certificate])))]
    }

    /// Nothing of a stranger's is data, and nobody is established with one.
    static func feed(_ connection: TLSConnection, _ bytes: [UInt8]) {
        // In two parts, the first of a length that the input says.
        let split = min(Int(bytes.first ?? 0), bytes.count)
        let parts = [[], Array(bytes[..<split]), Array(bytes[split...])]
        var error: TLSError?
        for part in parts where error == nil { error = failure(connection, part) }
        connection.receiveEnd()
        error = error ?? failure(connection, [])
        if error?.code == .internalFailure { fatalError("\(error as Any)") }
        _ = connection.takeOutput()
    }

    private static func failure(_ connection: TLSConnection, _ bytes: [UInt8]) -> TLSError? {
        do {
            try step(connection, bytes)
        } catch { return error as? TLSError }
        return nil
    }

    private static func step(_ connection: TLSConnection, _ bytes: [UInt8]) throws {
        var buffer = [UInt8](repeating: 0, count: 1024)
        try connection.receive(bytes.span)
        var span = buffer.mutableSpan
        let event = try connection.nextEvent(into: &span)
        if event != nil { fatalError("a stranger was taken for a peer") }
    }

    /// What clients say first.
    static func hellos() throws -> [[UInt8]] {
        try [TLSVersion.tls12 ... .tls13, .tls12 ... .tls12].map { try hello($0) }
    }

    /// What servers answer.
    static func answers() throws -> [[UInt8]] {
        let hello = try hello(.tls12 ... .tls13)
        return try [server, older].map { server in
            let connection = try server.accept()
            try connection.receive(hello.span)
            return try first(connection)
        }
    }

    private static func hello(_ versions: ClosedRange<TLSVersion>) throws -> [UInt8] {
        let policy = TLSPolicy(versions: versions, suites: TLSPolicy.recommended.suites)
        let configuration = TLSClientConfiguration(
            trust: client.configuration.trust, policy: policy, applicationProtocols: ["h2"])
        return try first(TLSClient(configuration).connect(to: "localhost"))
    }

    private static func first(_ connection: TLSConnection) throws -> [UInt8] {
        try step(connection, [])
        return connection.takeOutput()
    }
}
