import NIOCore
import NIOEmbedded
import NIOSSL

/// swift-nio-ssl, on BoringSSL, with both sides in embedded channels.
final class SwiftNIOSSL {
    private let server: NIOSSLContext
    private let client: NIOSSLContext
    private var sides: (server: EmbeddedChannel, client: EmbeddedChannel)?

    init(leaf: [UInt8], root: [UInt8], key: [UInt8]) throws {
        let own = try NIOSSLCertificate(bytes: leaf, format: .der)
        var forServer = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(own)],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .der)))
        var forClient = TLSConfiguration.makeClientConfiguration()
        forClient.trustRoots = .certificates([try NIOSSLCertificate(bytes: root, format: .der)])
        // The same groups as ours: its default is a hybrid with ML-KEM, which costs more.
        forServer.curves = [.x25519, .secp256r1, .secp384r1]
        forClient.curves = forServer.curves
        server = try NIOSSLContext(configuration: forServer)
        client = try NIOSSLContext(configuration: forClient)
    }

    func open() throws {
        try close()
        let (server, client) = (EmbeddedChannel(), EmbeddedChannel())
        try server.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: self.server))
        try client.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: self.client, serverHostname: "localhost"))
        try server.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try client.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        sides = (server, client)
        for _ in 0..<4 {
            try carry(client, server)
            try carry(server, client)
        }
    }

    /// Each side says goodbye; to wait for it would be to wait for oneself.
    private func close() throws {
        guard let sides else { return }
        sides.client.close(promise: nil)
        try carry(sides.client, sides.server)
        try carry(sides.server, sides.client)
        sides.server.embeddedEventLoop.run()
        sides.client.embeddedEventLoop.run()
    }

    func send(_ bytes: [UInt8]) throws {
        guard let sides else { return }
        try sides.server.writeOutbound(ByteBuffer(bytes: bytes))
        try carry(sides.server, sides.client)
        var count = 0
        while let part = try sides.client.readInbound(as: ByteBuffer.self) { count += part.readableBytes }
        precondition(count == bytes.count)
    }

    private func carry(_ from: EmbeddedChannel, _ to: EmbeddedChannel) throws {
        while let bytes = try from.readOutbound(as: ByteBuffer.self) { try to.writeInbound(bytes) }
    }
}
