#if NIO
public import InTransit
internal import InTransitNIO
public import KeyManagement
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Carries the key service's requests to proxies of external key stores by HTTPS, a connection for each.
public final class HTTPSTransport: XKSTransport {
    private let client: TLSClient
    private let group: any EventLoopGroup
    private let limit: TimeAmount

    /// Describes the transport.
    ///
    /// - Parameters:
    ///   - client: whom it trusts to vouch for proxies, and what it shows them of itself.
    ///   - group: where it works.
    ///   - limit: how long a request may take, connection and all: 250 ms with AWS.
    public init(_ client: TLSClient, on group: any EventLoopGroup, within limit: Duration = .milliseconds(250)) {
        self.client = client
        self.group = group
        self.limit = TimeAmount.nanoseconds(Int64(limit / .nanoseconds(1)))
    }

    /// Sends a request to `https://HOST` or `https://HOST:PORT` and waits for the answer.
    public func send(
        _ request: HTTPRequest, to endpoint: String
    ) async throws(XKSTransportError) -> HTTPResponse {
        let parts = endpoint.dropFirst("https://".count).split(separator: ":", maxSplits: 1)
        guard let host = parts.first.map(String.init), let port = parts.count == 1 ? 443 : Int(parts[1]) else {
            throw .notReachable
        }
        let loop = group.next()
        let answer = loop.makePromise(of: HTTPResponse.self)
        let timer = loop.scheduleTask(in: limit) { answer.fail(XKSTransportError.timedOut) }
        defer { timer.cancel() }
        let connecting = connect(host, port, loop, answer)
        do {
            let channel = try await connecting.get()
            HTTPSTransport.write(request, to: channel)
        } catch {
            // Whoever waits for the connection no longer waits for the answer.
            answer.fail(error is ChannelError ? XKSTransportError.timedOut : .notReachable)
        }
        defer { connecting.whenSuccess { $0.close(promise: nil) } }
        do { return try await answer.futureResult.get() } catch {
            throw error as? XKSTransportError ?? .notReachable
        }
    }

    private func connect(
        _ host: String, _ port: Int, _ loop: any EventLoop, _ answer: EventLoopPromise<HTTPResponse>
    ) -> EventLoopFuture<any Channel> {
        let client = client
        return ClientBootstrap(group: loop)
            .connectTimeout(limit)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(TLSHandler(connecting: client, to: host))
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(AnswerHandler(answer))
                }
            }.connect(host: host, port: port)
    }

    private static func write(_ request: HTTPRequest, to channel: any Channel) {
        var headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        headers.add(name: "Content-Length", value: "\(request.body.count)")
        headers.add(name: "Connection", value: "close")
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(
            HTTPClientRequestPart.body(.byteBuffer(channel.allocator.buffer(bytes: request.body))), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Puts an answer together, or tells why there is none.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    /// More than any answer of a proxy has.
    private static let largestBody = 1 << 16

    private let answer: EventLoopPromise<HTTPResponse>
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ answer: EventLoopPromise<HTTPResponse>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let buffer):
            guard body.count + buffer.readableBytes <= AnswerHandler.largestBody else {
                return answer.fail(XKSTransportError.malformed)
            }
            body += buffer.readableBytesView
        case .end:
            guard let head else { return answer.fail(XKSTransportError.malformed) }
            answer.succeed(
                HTTPResponse(
                    status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: body))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let reason: XKSTransportError =
            switch error {
            case let error as TLSError where error.code == .untrustedPeer: .untrusted
            case is HTTPParserError: .malformed
            default: .notReachable
            }
        answer.fail(reason)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(XKSTransportError.notReachable)
        context.fireChannelInactive()
    }
}
#endif
