#if NIO
package import AWSSignature
internal import InTransit
package import KeyManagement
internal import KeyManagementNIO
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Serves a key service on the loopback, and on nothing else.
package final class LocalKMSServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel

    /// The port it listens on.
    package let port: Int

    /// Begins to listen.
    ///
    /// - Parameter port: 0 for one that the system chooses.
    package static func start(_ kms: LocalKMS, port: Int) async throws -> LocalKMSServer {
        try await start(port: port) { request, address in await kms.answer(request, from: address) }
    }

    /// What answers a request from an address.
    package typealias Answer = @Sendable (HTTPRequest, String?) async -> HTTPResponse

    /// Begins to listen for anything that answers requests.
    package static func start(port: Int, answer: @escaping Answer) async throws -> LocalKMSServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: .seconds(120)))
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(RequestHandler(answer, channel.eventLoop))
                    }
                }.bind(host: "127.0.0.1", port: port).get()
            return LocalKMSServer(group, listener)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ listener: any Channel) {
        (self.group, self.listener) = (group, listener)
        port = listener.localAddress?.port ?? 0
    }

    /// A way to the proxies of external key stores that these vouch for; nil for nobody.
    package static func transport(_ roots: [Certificate]) throws -> (any XKSTransport)? {
        guard !roots.isEmpty else { return nil }
        let client = try TLSClient(TLSClientConfiguration(trust: PeerTrust(roots)))
        return HTTPSTransport(client, on: MultiThreadedEventLoopGroup.singleton, within: .seconds(10))
    }

    /// Accepts no more, and ends.
    package func stop() async throws {
        try await listener.close()
        try await group.shutdownGracefully()
    }
}
#endif
