import Foundation
import InTransit
import StrongroomTestSupport

/// A connection of ours over a socket, one call after the other.
struct TLSOverSocket {
    let connection: TLSConnection
    let socket: LoopbackSocket
    private(set) var session: NegotiatedSession?
    private(set) var received: [UInt8] = []
    private(set) var isCleanlyClosed: Bool?
    private var buffer = [UInt8](repeating: 0, count: 16384)

    init(_ connection: TLSConnection, _ socket: LoopbackSocket) {
        self.connection = connection
        self.socket = socket
    }

    /// Works until a condition holds or the peer is done.
    mutating func work(until isDone: (TLSOverSocket) -> Bool) throws {
        do {
            while true {
                while let event = try nextEvent() { take(event) }
                try flush()
                if isDone(self) || isCleanlyClosed != nil { return }
                let bytes = try socket.read()
                if bytes.isEmpty { connection.receiveEnd() } else { try connection.receive(bytes.span) }
            }
        } catch {
            try? flush()
            throw error
        }
    }

    private mutating func nextEvent() throws -> TLSEvent? {
        let connection = connection
        var span = buffer.mutableSpan
        return try connection.nextEvent(into: &span)
    }

    private mutating func take(_ event: TLSEvent) {
        switch event {
        case .signature: break
        case .established(let session): self.session = session
        case .data(let count): received += buffer[..<count]
        case .closed(let isClean): isCleanlyClosed = isClean
        }
    }

    private func flush() throws {
        let bytes = connection.takeOutput()
        if !bytes.isEmpty { try socket.write(bytes) }
    }

    mutating func handshake() throws { try work { $0.session != nil } }

    mutating func send(_ text: String) throws {
        try connection.send(Array(text.utf8).span)
        try flush()
    }

    mutating func close() throws {
        connection.close()
        try flush()
        socket.finish()
    }
}

/// A server of ours that answers requests of HTTP on its own thread, one connection after the other.
final class AnsweringServer: @unchecked Sendable {
    let port: UInt16
    private let listener: LoopbackSocket
    private let lock = NSCondition()
    private var sessions: [NegotiatedSession] = []
    private var errors: [any Error] = []
    private var isStopped = false

    static let answer = "hello from strongroom\n"

    init(_ server: TLSServer) throws {
        listener = try LoopbackSocket.listen()
        port = listener.port
        let thread = Thread { [weak self] in
            while let self, !lock.withLock({ isStopped }) {
                guard let socket = try? listener.accept() else { continue }
                do {
                    try serve(TLSOverSocket(try server.accept(), socket))
                } catch {
                    lock.withLock {
                        errors.append(error)
                        lock.broadcast()
                    }
                }
            }
        }
        thread.stackSize = 1 << 21
        thread.start()
    }

    private func serve(_ connection: TLSOverSocket) throws {
        var connection = connection
        try connection.handshake()
        if let session = connection.session { lock.withLock { sessions.append(session) } }
        try connection.work { String(decoding: $0.received, as: UTF8.self).contains("\r\n\r\n") }
        guard connection.isCleanlyClosed == nil else { return }
        let body = AnsweringServer.answer
        try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        try connection.close()
    }

    /// What was agreed with each client, and what went wrong.
    var record: (sessions: [NegotiatedSession], errors: [any Error]) { lock.withLock { (sessions, errors) } }

    /// The first that went wrong. A client may be gone before the server's thread has noticed why.
    func awaitError() -> (any Error)? {
        lock.withLock {
            let limit = Date(timeIntervalSinceNow: 10)
            while errors.isEmpty, lock.wait(until: limit) {}
            return errors.first
        }
    }

    func stop() {
        lock.withLock { isStopped = true }
        // Wakes the thread that waits for a client.
        _ = try? LoopbackSocket.connect(to: port)
    }
}
