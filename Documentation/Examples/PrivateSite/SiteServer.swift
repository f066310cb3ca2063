#if NIO
internal import InTransitNIO
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Serves a site on the loopback.
package final class SiteServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let connections: OpenConnections

    /// The port it listens on.
    package let port: Int

    /// Begins to listen.
    ///
    /// - Parameter port: 0 for one that the system chooses.
    package static func start(_ site: PrivateSite, port: Int) async throws -> SiteServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let connections = OpenConnections()
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandlers(
                            IdleStateHandler(allTimeout: .seconds(60)), TLSHandler(accepting: site.server))
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(SiteHandler(site))
                        connections.insert(channel)
                    }
                }.bind(host: "127.0.0.1", port: port).get()
            return SiteServer(group, listener, connections)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ listener: any Channel, _ connections: OpenConnections) {
        (self.group, self.listener, self.connections) = (group, listener, connections)
        port = listener.localAddress?.port ?? 0
    }

    /// Accepts no more, says goodbye to whoever is connected, and ends.
    package func stop() async throws {
        try await listener.close()
        for channel in connections.all { try? await channel.close() }
        try await group.shutdownGracefully()
    }
}

/// The channels that are open.
private final class OpenConnections: Sendable {
    private let channels = Mutex<[Swift.ObjectIdentifier: any Channel]>([:])

    var all: [any Channel] { channels.withLock { Array($0.values) } }

    func insert(_ channel: any Channel) {
        let id = Swift.ObjectIdentifier(channel)
        channels.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.channels.withLock { $0[id] = nil }
        }
    }
}
#endif
