import Foundation
import InTransit
import StrongroomTestSupport
import Testing

/// An authority and what it issues for the tests.
struct TestAuthority: Sendable {
    let authority: CertificateAuthority

    init(_ name: DistinguishedName = "CN=Test Root") async throws {
        authority = try await CertificateAuthority.createRoot(
            subject: name, key: ECDSA.PrivateKey(.p256), store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
    }

    var root: Certificate { authority.certificate }
    var trust: PeerTrust { PeerTrust([root]) }

    func server(_ names: [GeneralName] = [.dns("localhost")], key: any Signer) async throws -> TLSIdentity {
        let leaf = try await authority.issue(for: key, .server, names: names, for: .days(30))
        return try TLSIdentity([leaf] + authority.chain, key: key)
    }

    func server(_ names: [GeneralName] = [.dns("localhost")]) async throws -> TLSIdentity {
        try await server(names, key: ECDSA.PrivateKey(.p256))
    }

    func client(_ name: DistinguishedName = "CN=alice", key: any Signer) async throws -> TLSIdentity {
        let leaf = try await authority.issue(for: key, .client, subject: name, for: .days(30))
        return try TLSIdentity([leaf] + authority.chain, key: key)
    }
}

/// One side of a connection in memory, and what it has told.
final class TestSide {
    let connection: TLSConnection
    private(set) var session: NegotiatedSession?
    private(set) var received: [UInt8] = []
    private(set) var end: Bool?
    private(set) var error: TLSError?
    private(set) var signatures = 0
    /// Signatures that are asked for, answered at once unless it is kept.
    var keepsRequests = false
    var requests: [TLSSignatureRequest] = []
    private var buffer = [UInt8](repeating: 0, count: 16384)

    init(_ connection: TLSConnection) { self.connection = connection }

    /// Asks for all events. Signatures are answered in place, so that a handshake stays on its thread.
    func work() {
        while error == nil {
            do {
                var span = buffer.mutableSpan
                guard let event = try connection.nextEvent(into: &span) else { return }
                take(event)
            } catch { self.error = error }
        }
    }

    private func take(_ event: TLSEvent) {
        switch event {
        case .signature(let request):
            signatures += 1
            if keepsRequests { return requests.append(request) }
            connection.answer(request, with: Result { try Self.sign(request) })
        case .established(let session): self.session = session
        case .data(let count): received += buffer[..<count]
        case .closed(let isClean): end = isClean
        }
    }

    private static func sign(_ request: TLSSignatureRequest) throws -> [UInt8] {
        switch request.key {
        case let late as LateSigner<ECDSA.PrivateKey>:
            try late.key.sign(request.message.span, using: request.algorithm)
        case let late as LateSigner<RSA.PrivateKey>:
            try late.key.sign(request.message.span, using: request.algorithm)
        default: throw TLSError(.internalFailure)
        }
    }

    func receive(_ bytes: some Collection<UInt8>) {
        do {
            try connection.receive(Array(bytes).span)
        } catch { self.error = error }
    }
}

/// Two sides, and the wire between.
struct TestPair {
    let client: TestSide
    let server: TestSide

    init(_ client: TLSClient, _ server: TLSServer, name: String = "localhost") throws {
        self.client = TestSide(try client.connect(to: name))
        self.server = TestSide(try server.accept())
    }

    /// Carries bytes until both are silent. `cut` says how many of those that wait go at once.
    func run(cut: (Int) -> Int = { $0 }) {
        var isSilent = false
        while !isSilent {
            isSilent = true
            for (from, to) in [(client, server), (server, client)] {
                from.work()
                let bytes = from.connection.takeOutput()
                var position = 0
                while position < bytes.count {
                    isSilent = false
                    let count = min(max(cut(bytes.count - position), 1), bytes.count - position)
                    to.receive(bytes[position..<(position + count)])
                    to.work()
                    position += count
                }
            }
        }
    }

    func send(_ bytes: [UInt8], from side: TestSide) throws { try side.connection.send(bytes.span) }

    /// Both have agreed, and a message went each way.
    func expectUse(_ location: SourceLocation = #_sourceLocation) throws {
        #expect(
            client.error == nil && server.error == nil, "\(client.error as Any) \(server.error as Any)",
            sourceLocation: location)
        try #require(client.session != nil && server.session != nil, sourceLocation: location)
        let before = (client.received.count, server.received.count)
        try send([1, 2, 3], from: client)
        try send([UInt8](repeating: 7, count: 40_000), from: server)
        run()
        #expect(server.received.dropFirst(before.1) == [1, 2, 3], sourceLocation: location)
        #expect(client.received.count - before.0 == 40_000, sourceLocation: location)
    }
}
