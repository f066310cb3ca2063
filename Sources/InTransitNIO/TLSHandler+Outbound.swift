#if NIO
internal import InTransit
public import NIOCore

extension TLSHandler {
    /// Keeps data until it is flushed.
    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        writes.append(unwrapOutboundIn(data), promise)
    }

    /// Encrypts what was written, as soon as there is a session.
    public func flush(context: ChannelHandlerContext) {
        writes.flush()
        do {
            try encrypt(context)
            flushWritten(context)
        } catch { fail(context, error) }
    }

    /// Says that no more comes, after what was written. `.all` does not wait for the peer to say the same.
    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input, state == .established else {
            context.close(mode: mode, promise: promise)
            return
        }
        writes.flush()
        do {
            try encrypt(context)
            connection.close()
            writeOutput(context)
            flushWritten(context)
            if mode == .all { state = .closed }
            context.close(mode: mode, promise: promise)
        } catch {
            promise?.fail(error)
            fail(context, error)
        }
    }

    /// Turns flushed writes into records.
    func encrypt(_ context: ChannelHandlerContext) throws(TLSError) {
        guard state == .established else { return }
        while let write = writes.next() {
            do throws(TLSError) {
                try connection.send(write.data.readableBytesUInt8Span)
            } catch {
                write.promise?.fail(error)
                throw error
            }
            writeOutput(context, promise: write.promise)
        }
    }

    /// Moves bytes for the peer into the channel. Where there are none, the promise is kept at once.
    func writeOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        let bytes = connection.takeOutput()
        guard !bytes.isEmpty else {
            promise?.succeed()
            return
        }
        hasUnflushed = true
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: promise)
    }

    func flushWritten(_ context: ChannelHandlerContext) {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context.flush()
    }
}

/// What was written, up to where it was flushed and beyond.
struct PendingWrites {
    struct Write {
        let data: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private var writes = MarkedCircularBuffer<Write>(initialCapacity: 8)

    mutating func append(_ data: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        writes.append(Write(data: data, promise: promise))
    }

    mutating func flush() { writes.mark() }

    /// The next one that was flushed.
    mutating func next() -> Write? { writes.hasMark ? writes.popFirst() : nil }

    mutating func fail(_ error: any Error) {
        while let write = writes.popFirst() { write.promise?.fail(error) }
    }
}
#endif
