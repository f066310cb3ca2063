#if NIO
public import InTransit
public import NIOCore

/// Puts TLS into a pipeline of SwiftNIO: encrypted buffers towards the channel, plain ones towards the application.
///
/// ```swift
/// channel.pipeline.syncOperations.addHandler(TLSHandler(accepting: server))
/// ```
///
/// Further inbound handlers see ``TLSChannelEvent`` besides their data. What is written before the handshake is finished
/// waits for it. An error closes the channel, after the peer was told. A key that is no `SynchronousSigner` signs in a task,
/// and the event loop goes on meanwhile; such a handshake needs an event loop that stays on one thread, as NIO's own do.
public final class TLSHandler: ChannelDuplexHandler {
    /// Encrypted, from the channel.
    public typealias InboundIn = ByteBuffer
    /// Plain, to the application.
    public typealias InboundOut = ByteBuffer
    /// Plain, from the application.
    public typealias OutboundIn = ByteBuffer
    /// Encrypted, to the channel.
    public typealias OutboundOut = ByteBuffer

    /// What was agreed; nil before the handshake is finished.
    public private(set) var session: NegotiatedSession?

    let connection: TLSConnection
    var writes = PendingWrites()
    var state = State.handshaking
    /// Of a write that the connection holds up.
    var heldPromise: EventLoopPromise<Void>?
    /// Whether records were written to the channel and not flushed.
    var hasUnflushed = false
    /// Whether this side has closed its direction, or will once there is a session.
    var outputClosure = OutputClosure.open
    /// The signature that the handshake waits for. Until it is there, nothing more is read: nobody knows yet who sends it.
    private var signing: Task<Void, Never>?
    /// Whether somebody waits for data, and none has come.
    private var isReadWanted = false
    /// Whether data was delivered since the last complete read.
    private var hasDelivered = false
    /// Whether a channel whose peer sends no more may go on sending.
    private var isHalfClosing = false
    private var buffer = [UInt8](repeating: 0, count: 16384)

    enum State { case handshaking, established, closed }

    enum OutputClosure {
        case open
        case wanted(EventLoopPromise<Void>?)
        case done
    }

    /// The server's side of a connection.
    public init(accepting server: TLSServer) throws(TLSError) { connection = try server.accept() }

    /// The client's side of a connection to a server of a name or an address.
    public init(connecting client: TLSClient, to name: String) throws(TLSError) {
        connection = try client.connect(to: name)
    }

    // MARK: Inbound

    /// Begins the handshake where the channel is active.
    public func handlerAdded(context: ChannelHandlerContext) {
        isHalfClosing = (try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)) ?? false
        if context.channel.isActive { begin(context) }
    }

    /// Fails what was not written, and gives the connection up.
    public func handlerRemoved(context: ChannelHandlerContext) {
        giveUp(ChannelError.ioOnClosedChannel)
        for index in buffer.indices { buffer[index] = 0 }
    }

    /// Begins the handshake.
    public func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    private func begin(_ context: ChannelHandlerContext) {
        work(context)
        readForHandshake(context)
    }

    /// A handshake reads for itself, whether or not anybody wants data.
    private func readForHandshake(_ context: ChannelHandlerContext) {
        if state == .handshaking, signing == nil { context.read() }
    }

    /// Takes bytes from the peer.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        let bytes = unwrapInboundIn(data)
        do {
            try connection.receive(bytes.readableBytesUInt8Span)
            work(context)
        } catch { fail(context, error) }
    }

    /// Asks the channel for more where nothing came of what it read.
    public func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if hasDelivered {
            hasDelivered = false
        } else if state == .handshaking {
            readForHandshake(context)
        } else if isReadWanted {
            context.read()
        }
    }

    /// Somebody wants data.
    public func read(context: ChannelHandlerContext) {
        isReadWanted = true
        if signing == nil { context.read() }
    }

    /// The peer's bytes have ended, in one direction or in both.
    public func channelInactive(context: ChannelHandlerContext) {
        end(context)
        giveUp(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    /// Takes note where the peer's bytes have ended.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Whether the end was clean is said by an event of this handler's.
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        end(context)
    }

    private func end(_ context: ChannelHandlerContext) {
        guard state != .closed else { return }
        connection.receiveEnd()
        work(context)
    }

    /// Asks the connection for all that it has to tell, and sends what it has for the peer.
    func work(_ context: ChannelHandlerContext) {
        do {
            while state != .closed, let event = try next() { try take(event, context) }
            writeOutput(context)
            try goOn(context)
            flushWritten(context)
        } catch { fail(context, error) }
    }

    /// Writes what has waited, and closes what was to be closed after it.
    private func goOn(_ context: ChannelHandlerContext) throws(TLSError) {
        guard state == .established, !connection.isHeldUp else { return }
        if let promise = heldPromise {
            heldPromise = nil
            writeOutput(context, promise: promise)
        }
        try encrypt(context)
        if case .wanted(let promise) = outputClosure, !connection.isHeldUp { closeOutput(context, promise) }
    }

    private func next() throws(TLSError) -> TLSEvent? {
        // A member of an object lends nothing for as long as a call takes.
        var taken: [UInt8] = []
        swap(&taken, &buffer)
        defer { swap(&taken, &buffer) }
        var span = taken.mutableSpan
        return try connection.nextEvent(into: &span)
    }

    private func take(_ event: TLSEvent, _ context: ChannelHandlerContext) throws(TLSError) {
        switch event {
        case .signature(let request): sign(request, context)
        case .established(let session):
            self.session = session
            state = .established
            context.fireUserInboundEventTriggered(TLSChannelEvent.established(session))
            try goOn(context)
        case .data(let count):
            (isReadWanted, hasDelivered) = (false, true)
            var data = context.channel.allocator.buffer(capacity: count)
            data.writeBytes(buffer[..<count])
            context.fireChannelRead(wrapInboundOut(data))
        case .closed(let isClean):
            context.fireUserInboundEventTriggered(TLSChannelEvent.closed(isClean: isClean))
            guard isHalfClosing, isClean else { return close(context: context, mode: .all, promise: nil) }
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
    }

    private func sign(_ request: TLSSignatureRequest, _ context: ChannelHandlerContext) {
        let place = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        signing = Task {
            let result: Result<[UInt8], any Error>
            do {
                result = .success(try await request.sign())
            } catch { result = .failure(error) }
            loop.execute {
                let (handler, context) = place.value
                handler.resume(request, result, context)
            }
        }
    }

    private func resume(
        _ request: TLSSignatureRequest, _ result: Result<[UInt8], any Error>, _ context: ChannelHandlerContext
    ) {
        guard state != .closed else { return }
        signing = nil
        connection.answer(request, with: result)
        work(context)
        if hasDelivered {
            hasDelivered = false
            context.fireChannelReadComplete()
        }
        readForHandshake(context)
        if state == .established, isReadWanted { context.read() }
    }

    /// Ends a handshake that waits, on its thread, and fails what was not written.
    func giveUp(_ error: any Error) {
        state = .closed
        signing?.cancel()
        signing = nil
        connection.cancel()
        if case .wanted(let promise) = outputClosure { promise?.fail(error) }
        outputClosure = .done
        heldPromise?.fail(error)
        heldPromise = nil
        writes.fail(error)
    }

    /// Tells the peer, the application and whoever has written, and closes.
    func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard state != .closed else { return }
        writeOutput(context)
        flushWritten(context)
        giveUp(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
#endif
