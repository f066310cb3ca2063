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
        guard case .open = outputClosure else {
            promise?.fail(ChannelError.outputClosed)
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
        switch (mode, state) {
        case (.output, .handshaking), (.output, .established):
            // After what was written, which may wait for a session, or for the rest of a message.
            writes.flush()
            switch outputClosure {
            case .open: outputClosure = .wanted(promise)
            case .wanted(let earlier?): earlier.futureResult.cascade(to: promise)
            case .wanted(nil): outputClosure = .wanted(promise)
            case .done: promise?.fail(ChannelError.outputClosed)
            }
            work(context)
        case (.all, .established):
            writes.flush()
            try? encrypt(context)
            connection.close()
            writeOutput(context)
            flushWritten(context)
            giveUp(ChannelError.ioOnClosedChannel)
            context.close(mode: mode, promise: promise)
        case (.all, .handshaking):
            giveUp(ChannelError.ioOnClosedChannel)
            context.close(mode: mode, promise: promise)
        default: context.close(mode: mode, promise: promise)
        }
    }

    func closeOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        outputClosure = .done
        connection.close()
        writeOutput(context)
        flushWritten(context)
        context.close(mode: .output, promise: promise)
    }

    /// Turns flushed writes into records.
    func encrypt(_ context: ChannelHandlerContext) throws(TLSError) {
        guard state == .established else { return }
        while !connection.isHeldUp, let write = writes.next() {
            do throws(TLSError) {
                try encrypt(write.data, context)
            } catch {
                write.promise?.fail(error)
                throw error
            }
            guard !connection.isHeldUp else {
                writeOutput(context)
                heldPromise = write.promise
                return
            }
            writeOutput(context, promise: write.promise)
        }
    }

    /// In pieces, so that a long one is not there several times. What the last piece gives is left to the caller.
    private func encrypt(_ data: ByteBuffer, _ context: ChannelHandlerContext) throws(TLSError) {
        var rest = data
        while let piece = rest.readSlice(length: min(rest.readableBytes, 1 << 16)), piece.readableBytes > 0 {
            try connection.send(piece.readableBytesUInt8Span)
            if rest.readableBytes > 0 { writeOutput(context) }
        }
    }

    /// Moves bytes for the peer into the channel. Where there are none, a promise goes with nothing, behind what was written
    /// before: it is kept once that is gone.
    func writeOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        let bytes = connection.takeOutput()
        guard !bytes.isEmpty || promise != nil else { return }
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
