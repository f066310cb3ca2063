import InTransit
import PrivateSite
import StrongroomTestSupport
import Synchronization
import Testing

#if NIO
import InTransitNIO
import NIOPosix
#endif

@Suite struct PrivateSiteTests {
    let store = MemoryRecordStore()

    func site(_ passphrase: String = "correct horse") async throws -> PrivateSite {
        try await PrivateSite.open(
            store: store, passphrase: SecretBytes(copying: Array(passphrase.utf8)),
            passwordCost: Scrypt(cost: 16, blockSize: 8, parallelism: 1))
    }

    /// Shakes hands in memory.
    func visit(_ site: PrivateSite, _ name: String = "localhost") throws -> NegotiatedSession? {
        let client = try TLSClient(TLSClientConfiguration(trust: PeerTrust([site.authority.certificate])))
        let sides = (try client.connect(to: name), try site.server.accept())
        var session: NegotiatedSession?
        var buffer = [UInt8](repeating: 0, count: 16384)
        for _ in 0..<4 {
            for (from, to) in [sides, (sides.1, sides.0)] {
                var span = buffer.mutableSpan
                while let event = try from.nextEvent(into: &span) {
                    if !from.isServer, case .established(let made) = event { session = made }
                }
                let bytes = from.takeOutput()
                try to.receive(bytes.span)
            }
        }
        return session
    }

    @Test func `a site keeps its authority and its keys, and renews its certificate`() async throws {
        let first = try await site()
        let session = try #require(try visit(first, "a.example.test"))
        #expect(session.peer?.leaf == first.certificate && session.version == .tls13)
        #expect(first.statistics.counts.signatures == 1)
        let old = first.certificate
        let next = try await first.renew()
        #expect(next != old && first.certificate == next)
        #expect(try visit(first)?.peer?.leaf == next)
        let again = try await site()
        #expect(again.authority.certificate == first.authority.certificate)
        #expect(again.certificate.subjectPublicKeyInfo == old.subjectPublicKeyInfo)
        #expect(throws: TLSError(.untrustedPeer)) { _ = try visit(again, "other.test") }
        await #expect(throws: (any Error).self) { _ = try await site("wrong horse") }
    }

    @Test func `the page tells where the key is`() async throws {
        let site = try await site()
        let page = StatusPage.html(site, try visit(site))
        for text in ["TLSv1.3", "DNS:localhost", "partition “https”", site.certificate.serialNumber.description] {
            #expect(page.contains(text), "\(text)")
        }
    }

    #if NIO
    /// Collects what a server answers.
    final class Answers: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let seen = Mutex((text: "", isEnded: false))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            seen.withLock { $0.text += text }
        }
        func channelInactive(context: ChannelHandlerContext) { seen.withLock { $0.isEnded = true } }

        /// Takes what has come, once it is enough.
        func take(_ isEnough: (String, Bool) -> Bool) async throws -> String {
            for _ in 0..<1000 {
                let text = seen.withLock { seen -> String? in
                    guard isEnough(seen.text, seen.isEnded) else { return nil }
                    defer { seen.text = "" }
                    return seen.text
                }
                if let text { return text }
                try await Task.sleep(for: .milliseconds(5))
            }
            throw TLSError(.internalFailure, "no answer")
        }
    }

    @Test func `an open connection goes on while the certificate is replaced, until the end`() async throws {
        let site = try await site()
        let server = try await SiteServer.start(site, port: 0)
        let client = try TLSClient(TLSClientConfiguration(trust: PeerTrust([site.authority.certificate])))
        let answers = Answers()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers(
                    TLSHandler(connecting: client, to: "localhost"), answers)
            }
        }.connect(host: "127.0.0.1", port: server.port).get()
        func ask(_ path: String) async throws -> String {
            try await channel.writeAndFlush(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            return try await answers.take { text, _ in text.contains("</html>") || text.contains("one page") }
        }
        #expect(try await ask("/").hasPrefix("HTTP/1.1 200 OK"))
        let old = site.certificate
        _ = try await site.renew()
        #expect(try await ask("/").contains("<b>2</b><span>certificates issued"))
        #expect(try await ask("/other").hasPrefix("HTTP/1.1 404"))
        let session = try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.negotiatedSession()
        }.get()
        #expect(session?.peer?.leaf == old)
        try await server.stop()
        _ = try await answers.take { _, isEnded in isEnded }
        try await group.shutdownGracefully()
    }
    #endif
}
