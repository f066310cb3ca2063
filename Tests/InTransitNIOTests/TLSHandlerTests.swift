#if NIO
import InTransitNIO
import KeyManagement
import NIOPosix
import StrongroomTestSupport
import Synchronization
import Testing

@Suite struct TLSHandlerTests {
    let identity: TLSIdentity
    let late: TLSIdentity
    let trust: PeerTrust

    init() async throws {
        let authority = try await CertificateAuthority.createRoot(
            subject: "CN=Root", key: ECDSA.PrivateKey(.p256), store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
        let key = try ECDSA.PrivateKey(.p256)
        let leaf = try await authority.issue(for: key, .server, names: [.dns("localhost")], for: .days(1))
        identity = try TLSIdentity([leaf], key: key)
        late = try TLSIdentity([leaf], key: LateSigner(key: key))
        trust = PeerTrust([authority.certificate])
    }

    /// What the last handler of a pipeline has seen.
    final class Recorder: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        struct Seen {
            var data: [UInt8] = []
            var session: NegotiatedSession?
            var isCleanlyClosed: Bool?
            var error: (any Error)?
            var reads = 0
        }
        let seen = Mutex(Seen())
        let answers: Bool

        init(answers: Bool = false) { self.answers = answers }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            seen.withLock {
                $0.data += Array(buffer: buffer)
                $0.reads += 1
            }
            if answers { context.writeAndFlush(NIOAny(buffer), promise: nil) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            switch event {
            case TLSChannelEvent.established(let session): seen.withLock { $0.session = session }
            case TLSChannelEvent.closed(let isClean): seen.withLock { $0.isCleanlyClosed = isClean }
            default: break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { seen.withLock { $0.error = error } }
    }

    /// Runs with a server that says everything again, on the loopback.
    func withServer(
        _ identity: TLSIdentity, options: Bool = false,
        _ body: (Int, any EventLoopGroup, Recorder) async throws -> Void
    ) async throws {
        let server = TLSServer(try TLSServerContext(TLSServerConfiguration(identity: identity)))
        let recorder = Recorder(answers: true)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: options)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(TLSHandler(accepting: server), recorder)
                }
            }.bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0, group, recorder)
        } catch {
            try? await channel.close()
            try? await group.shutdownGracefully()
            throw error
        }
        try await channel.close()
        try await group.shutdownGracefully()
    }

    func connect(
        _ port: Int, _ group: any EventLoopGroup, trust: PeerTrust? = nil, autoRead: Bool = true,
        halfClosing: Bool = false
    ) async throws -> (any Channel, Recorder) {
        let client = try TLSClient(TLSClientConfiguration(trust: trust ?? self.trust))
        let recorder = Recorder()
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: autoRead)
            .channelOption(.allowRemoteHalfClosure, value: halfClosing)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        TLSHandler(connecting: client, to: "localhost"), recorder)
                }
            }.connect(host: "127.0.0.1", port: port).get()
        return (channel, recorder)
    }

    func wait(_ recorder: Recorder, _ isDone: (Recorder.Seen) -> Bool) async throws {
        for _ in 0..<1000 {
            if recorder.seen.withLock({ isDone($0) }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("it takes too long: \(recorder.seen.withLock { $0 })")
    }

    @Test(arguments: [false, true])
    func `an echo comes back, whole and closed`(_ isLate: Bool) async throws {
        try await withServer(isLate ? late : identity) { port, group, server in
            let (channel, client) = try await connect(port, group)
            let message = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            // Before there is a session: it waits.
            try await channel.writeAndFlush(ByteBuffer(bytes: message))
            try await wait(client) { $0.data.count == message.count }
            #expect(client.seen.withLock { $0.data } == message)
            let session = try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.negotiatedSession()
            }.get()
            #expect(session?.peer?.leaf == identity.certificates[0])
            #expect(server.seen.withLock { $0.session?.serverName } == "localhost")
            try await channel.close()
            try await wait(server) { $0.isCleanlyClosed == true }
        }
    }

    @Test func `a managed key serves, and the key service tells of each handshake`() async throws {
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)))
        let operations = service.client(for: .user("operations", account: "111122223333"))
        let key = try await operations.signer(for: try await operations.createKey(.ecdsa(.p256)))
        let issuing = try await operations.signer(for: try await operations.createKey(.ecdsa(.p384)))
        let authority = try await CertificateAuthority.createRoot(
            subject: "CN=Managed Root", key: issuing, store: MemoryRecordStore(),
            stateKey: HMAC(.sha256, key: .random(count: 32)))
        let leaf = try await authority.issue(for: key, .server, names: [.dns("localhost")], for: .days(1))
        try await withServer(try TLSIdentity([leaf], key: key)) { port, group, _ in
            for _ in 0..<3 {
                let (channel, client) = try await connect(port, group, trust: PeerTrust([authority.certificate]))
                try await channel.writeAndFlush(ByteBuffer(bytes: [1, 2]))
                try await wait(client) { $0.data == [1, 2] }
                try await channel.close()
            }
        }
        let events = try await service.auditEvents()
        // The root's, the leaf's, and one for each handshake.
        #expect(events.count { $0.contains("\"eventName\":\"Sign\"") } == 5)
    }

    @Test func `a stranger is refused, and both sides say why`() async throws {
        try await withServer(identity) { port, group, server in
            let (channel, client) = try await connect(port, group, trust: PeerTrust([]))
            await #expect(throws: (any Error).self) { try await channel.writeAndFlush(ByteBuffer(bytes: [1])) }
            try await wait(client) { ($0.error as? TLSError)?.code == .untrustedPeer }
            try await wait(server) { ($0.error as? TLSError)?.alert == .unknownAuthority }
            try await channel.closeFuture.get()
        }
    }

    @Test func `half of a connection goes on`() async throws {
        try await withServer(identity, options: true) { port, group, server in
            let (channel, client) = try await connect(port, group, halfClosing: true)
            try await channel.writeAndFlush(ByteBuffer(bytes: [1, 2, 3]))
            try await channel.close(mode: .output)
            try await wait(server) { $0.isCleanlyClosed == true }
            try await wait(client) { $0.data == [1, 2, 3] }
            try await channel.close()
        }
    }

    @Test func `what is written goes out before the end, and nothing after it`() async throws {
        try await withServer(late, options: true) { port, group, server in
            let (channel, client) = try await connect(port, group, halfClosing: true)
            // All of it before there is a session.
            let writes = (0..<3).map { channel.write(ByteBuffer(bytes: [UInt8($0)])) as EventLoopFuture<Void> }
            let last: EventLoopFuture<Void> = channel.writeAndFlush(ByteBuffer())
            let closing = channel.eventLoop.makePromise(of: Void.self)
            channel.close(mode: .output, promise: closing)
            let after: EventLoopFuture<Void> = channel.writeAndFlush(ByteBuffer(bytes: [9]))
            for write in writes { try await write.get() }
            try await last.get()
            try await closing.futureResult.get()
            await #expect(throws: ChannelError.self) { try await after.get() }
            try await wait(server) { $0.isCleanlyClosed == true && $0.data == [0, 1, 2] }
            try await wait(client) { $0.data == [0, 1, 2] }
            #expect(client.seen.withLock { $0.error == nil })
            try await channel.close()
        }
    }

    @Test func `clients that go while the key is asked leave nothing behind`() async throws {
        try await withServer(late) { port, group, server in
            for _ in 0..<20 {
                let (channel, _) = try await connect(port, group)
                try await channel.close()
            }
            let (channel, client) = try await connect(port, group)
            try await channel.writeAndFlush(ByteBuffer(bytes: [1]))
            try await wait(client) { $0.data == [1] }
            try await channel.close()
        }
    }

    @Test func `an end without a word is unclean`() async throws {
        try await withServer(identity) { port, group, server in
            let (channel, client) = try await connect(port, group)
            try await wait(client) { $0.session != nil }
            // Past the handler, as when the network fails.
            try await channel.eventLoop.submit {
                let context = try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self)
                context.close(promise: nil)
            }.get()
            try await wait(server) { $0.isCleanlyClosed == false }
        }
    }

    @Test func `nobody reads for somebody who does not want to`() async throws {
        try await withServer(identity) { port, group, _ in
            let (channel, client) = try await connect(port, group, autoRead: false)
            // The handshake is nobody's wish but its own.
            try await wait(client) { $0.session != nil }
            try await channel.writeAndFlush(ByteBuffer(bytes: [UInt8](repeating: 1, count: 200_000)))
            try await Task.sleep(for: .milliseconds(200))
            #expect(client.seen.withLock { $0.data.isEmpty })
            var last = 0
            for _ in 0..<2000 where last < 200_000 {
                channel.read()
                try await wait(client) { $0.data.count > last }
                last = client.seen.withLock { $0.data.count }
            }
            #expect(last == 200_000)
            try await channel.close()
        }
    }
}
#endif
