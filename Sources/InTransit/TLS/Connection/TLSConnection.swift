internal import OpenSSLShim
internal import TLSShim

/// One connection of TLS without input or output: bytes go in and come out, and events tell what they mean.
///
/// ```swift
/// try connection.receive(bytes.span)                    // from the peer
/// while let event = try connection.nextEvent(into: &buffer) {
///     switch event {
///     case .established(let session): print(session.version)
///     case .data(let count): handle(buffer, count)
///     case .closed, .signature: break
///     }
/// }
/// send(connection.takeOutput())                         // to the peer, also after an error
/// ```
///
/// Whoever does not ask for events holds the peer back. One thread uses a connection at a time; a handshake whose key is no
/// ``SynchronousSigner`` stays on the thread that began it. After an error the connection is done with: it repeats the error.
public final class TLSConnection {
    /// Whether this side is the server.
    public let isServer: Bool

    var state: State
    /// Why the connection is done with.
    var failure: TLSError?
    /// Whether the peer's bytes have ended.
    var hasInputEnded = false
    /// Whether this side has said that it sends no more.
    private(set) var hasClosed = false
    /// The name by which a server has chosen its context; an inner nil for a client that asks for none.
    var chosenName: String??
    /// What tells a client that its first message could not be read.
    var farewell: [UInt8] = []
    var role: Role
    var judgement: Judgement?
    var request: TLSSignatureRequest?
    var requestCount = 0

    enum State {
        /// A server that has not seen the whole of the client's first message, and what it has seen.
        case choosing(TLSServer.Choice, ClientHelloReader)
        case handshaking(NativeTLSConnection)
        case established(NativeTLSConnection)
        /// The peer sends no more.
        case closed(NativeTLSConnection)
    }

    enum Role {
        case server(TLSServerContext)
        case client(TLSClient, ServerIdentity, resuming: SessionCache.Entry?)
    }

    init(server context: TLSServerContext, choosing choose: TLSServer.Choice?) throws(TLSError) {
        isServer = true
        role = .server(context)
        state = .choosing(choose ?? { _ in nil }, ClientHelloReader())
        if choose == nil { state = .handshaking(try native(context)) }
    }

    init(client: TLSClient, to server: ServerIdentity) throws(TLSError) {
        isServer = false
        let name = server.indicatedName
        if case .host(let host) = server, name == nil {
            throw TLSError(.invalidConfiguration, "\(host) is not the name of a host")
        }
        let trust = client.configuration.trust
        let entry = client.configuration.isResuming ? client.sessions.take(for: server, now: trust.clock()) : nil
        role = .client(client, server, resuming: entry)
        state = .choosing({ _ in nil }, ClientHelloReader())
        do throws(NativeError) {
            let connection = try NativeTLSConnection(client.native, serverName: name, session: entry?.session) {
                [unowned self] chain in judge(chain)
            }
            state = .handshaking(connection)
        } catch { throw TLSError(error) }
    }
}

// MARK: - Bytes

extension TLSConnection {
    /// Before the handshake is finished, so many bytes of a peer wait at most: nobody knows yet who it is.
    private static let largestStrange = 1 << 18

    /// Takes bytes from the peer. They wait until events are asked for: ask before there is more than a little.
    ///
    /// - Throws: `protocolViolation` for more than 256 KiB that wait in the middle of the handshake.
    public func receive(_ bytes: Span<UInt8>) throws(TLSError) {
        if let failure { throw failure }
        do {
            switch state {
            case .choosing(let choose, var reader):
                // Left out of the state meanwhile, so that what was seen is not copied each time.
                state = .choosing(choose, ClientHelloReader())
                reader.append(bytes)
                state = .choosing(choose, reader)
            case .handshaking(let native):
                guard native.inputCount + bytes.count <= TLSConnection.largestStrange else {
                    throw fail(TLSError(.protocolViolation, "too much in the middle of the handshake", side: .peer))
                }
                try native.receive(bytes)
            case .established(let native): try native.receive(bytes)
            // What comes after the end is not the peer's.
            case .closed: break
            }
        } catch let error as TLSError {
            throw error
        } catch { throw fail(TLSError(.internalFailure, "\(error)")) }
    }

    /// The peer's bytes have ended.
    public func receiveEnd() { hasInputEnded = true }

    /// How many bytes wait to be sent to the peer.
    public var outputCount: Int { native?.outputCount ?? farewell.count }

    /// Moves bytes for the peer into a buffer. After an error too: they tell the peer.
    ///
    /// - Returns: how many.
    public func takeOutput(into buffer: inout MutableSpan<UInt8>) -> Int {
        if let native { return native.takeOutput(into: &buffer) }
        let count = min(farewell.count, buffer.count)
        for index in 0..<count { buffer[index] = farewell[index] }
        farewell.removeFirst(count)
        return count
    }

    /// All bytes for the peer.
    public func takeOutput() -> [UInt8] {
        guard outputCount > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: outputCount)
        var span = bytes.mutableSpan
        let count = takeOutput(into: &span)
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Encrypts bytes for the peer.
    ///
    /// - Throws: `notEstablished` before the handshake is finished, `closed` after ``close()``.
    public func send(_ bytes: Span<UInt8>) throws(TLSError) {
        if let failure { throw failure }
        guard !hasClosed else { throw TLSError(.closed) }
        switch state {
        case .choosing, .handshaking: throw TLSError(.notEstablished)
        case .established(let native), .closed(let native):
            do throws(NativeTLSFailure) {
                try native.write(bytes)
                collect(native)
            } catch { throw fail(error) }
        }
    }

    /// Whether bytes that were sent wait until the rest of a message has come from the peer. It lasts for moments; a driver that
    /// closes the transport meanwhile loses them.
    public var isHeldUp: Bool { native?.isHeldUp ?? false }

    /// Tells the peer that no more comes, as soon as there is a session. What it still sends arrives.
    public func close() {
        guard !hasClosed, failure == nil else { return }
        hasClosed = true
        switch state {
        case .choosing, .handshaking: break
        case .established(let native), .closed(let native): native.close()
        }
    }

    /// Gives the connection up. One that waits for a signature must be given up on the thread that began its handshake, or
    /// 32 KiB are lost; others may just be let go.
    public func cancel() {
        request = nil
        if case .handshaking(let native) = state { native.abandon() }
        if failure == nil { failure = TLSError(.closed, "the connection was given up") }
    }

    /// Bytes that both sides know, and nobody else, for a protocol that builds on this connection (RFC 5705; RFC 8446, 7.5).
    ///
    /// - Throws: `notEstablished`; `incompatible` for a session of TLS 1.2 without the extended master secret (RFC 7627).
    public func exportedSecret(
        _ label: String, context: [UInt8]? = nil, byteCount: Int
    ) throws(TLSError) -> SecretBytes {
        let native: NativeTLSConnection
        switch state {
        case .choosing, .handshaking: throw TLSError(.notEstablished)
        case .established(let made), .closed(let made): native = made
        }
        var isMade = false
        let secret = SecretBytes(count: byteCount) { bytes in
            isMade = native.exportedKey(label: label, context: context, into: &bytes)
        }
        guard isMade else { throw TLSError(.incompatible, "the session has no secret to export") }
        return secret
    }

    private var native: NativeTLSConnection? {
        switch state {
        case .choosing: nil
        case .handshaking(let native), .established(let native), .closed(let native): native
        }
    }
}

// MARK: - What is known of this side

extension TLSConnection {
    func native(_ context: TLSServerContext) throws(TLSError) -> NativeTLSConnection {
        role = .server(context)
        do throws(NativeError) {
            return try NativeTLSConnection(context.native) { [unowned self] chain in judge(chain) }
        } catch { throw TLSError(error) }
    }
}
