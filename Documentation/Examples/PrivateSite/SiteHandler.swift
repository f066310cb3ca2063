#if NIO
internal import InTransitNIO
internal import NIOHTTP1

/// Answers requests with the status page.
final class SiteHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let site: PrivateSite
    private var request: HTTPRequestHead?

    init(_ site: PrivateSite) { self.site = site }

    func channelActive(context: ChannelHandlerContext) {
        site.statistics.note { $0.connections += 1 }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        site.statistics.note { $0.connections -= 1 }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSChannelEvent.established(let session):
            site.statistics.note { counts in
                counts.handshakes += 1
                if session.isResumed { counts.resumed += 1 }
            }
        case is IdleStateHandler.IdleStateEvent: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// A client that goes away, or does not trust us, is no matter: its connection is closed.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let request else { return }
            self.request = nil
            answer(request, context)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isFound = request.uri == "/" && [.GET, .HEAD].contains(request.method)
        let session = try? context.pipeline.syncOperations.negotiatedSession()
        let text = isFound ? StatusPage.html(site, session) : "There is one page here: /\n"
        let body = context.channel.allocator.buffer(string: text)
        let headers: HTTPHeaders = [
            "Content-Type": isFound ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
            "Content-Length": "\(body.readableBytes)", "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "Connection": request.isKeepAlive ? "keep-alive" : "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: isFound ? .ok : .notFound, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let isLast = !request.isKeepAlive
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if isLast { channel.close(promise: nil) }
        }
    }
}
#endif
