#if NIO
internal import AWSCompatibility
internal import NIOCore
internal import NIOHTTP1

/// Gives requests to whoever answers them, one after the other, and writes its answers.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// More than any request of AWS's clients has.
    private static let largestBody = 1 << 18

    private let answer: LocalKMSServer.Answer
    private let executor: EventLoopExecutor
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLong = false

    init(_ answer: @escaping LocalKMSServer.Answer, _ loop: any EventLoop) {
        self.answer = answer
        executor = EventLoopExecutor(loop)
    }

    /// Nobody holds a connection without using it.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// A client that goes away is no matter.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body, isTooLong) = (head, [], false)
        case .body(let buffer):
            isTooLong = isTooLong || body.count + buffer.readableBytes > RequestHandler.largestBody
            if isTooLong { body = [] } else { body += buffer.readableBytesView }
        case .end:
            guard let head else { return }
            self.head = nil
            let request = AWSCompatibility.HTTPRequest(
                method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
                body: body)
            let (answer, channel, isTooLong, isHead) = (answer, context.channel, isTooLong, head.method == .HEAD)
            let isLast = !head.isKeepAlive || isTooLong
            let address = context.remoteAddress?.ipAddress
            // Making key pairs takes too long for a loop that others wait for.
            Task(executorPreference: request.makesKeyPairs ? nil : executor) {
                let response = isTooLong ? HTTPResponse(status: 413) : await answer(request, address)
                try? await RequestHandler.write(response, to: channel, isHead: isHead, isLast: isLast)
            }
        }
    }

    private static func write(
        _ response: HTTPResponse, to channel: any Channel, isHead: Bool, isLast: Bool
    ) async throws {
        var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
        headers.add(name: "Content-Length", value: "\(response.body.count)")
        if isLast { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        if !isHead {
            let buffer = channel.allocator.buffer(bytes: response.body)
            channel.write(HTTPServerResponsePart.body(.byteBuffer(buffer)), promise: nil)
        }
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
        if isLast { try await channel.close() }
    }
}

extension AWSCompatibility.HTTPRequest {
    fileprivate var makesKeyPairs: Bool {
        let target = header("X-Amz-Target") ?? ""
        return ["CreateKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GetParametersForImport"]
            .contains { target.hasSuffix($0) }
    }
}
#endif
