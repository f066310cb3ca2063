import Glibc

/// A socket of TCP on the loopback, for talking to real peers. Waits at most ten seconds for anything.
package final class LoopbackSocket: Sendable {
    package struct Failure: Error {
        package let operation: String
        package let number = errno
    }

    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { Glibc.close(descriptor) }

    private static func make() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(operation: "socket") }
        return descriptor
    }

    private static func withAddress<T>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Connects, trying for ten seconds: the peer may be starting.
    package static func connect(to port: UInt16) throws -> LoopbackSocket {
        for _ in 0..<200 {
            let descriptor = try make()
            if unsafe withAddress(port, { unsafe Glibc.connect(descriptor, $0, $1) }) == 0 {
                return LoopbackSocket(descriptor)
            }
            Glibc.close(descriptor)
            usleep(50_000)
        }
        throw Failure(operation: "connect")
    }

    /// Listens on a port that the system chooses.
    package static func listen() throws -> LoopbackSocket {
        let descriptor = try make()
        guard unsafe withAddress(0, { unsafe bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 64) == 0 else {
            throw Failure(operation: "listen")
        }
        return LoopbackSocket(descriptor)
    }

    /// A port that was free a moment ago, for a peer that wants to be told one.
    package static func freePort() throws -> UInt16 { try listen().port }

    package var port: UInt16 {
        var address = sockaddr_in()
        var count = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &count)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    package func accept() throws -> LoopbackSocket {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw Failure(operation: "accept") }
        return LoopbackSocket(accepted)
    }

    /// Some bytes; none at the end.
    package func read() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw Failure(operation: "read") }
        return Array(buffer.prefix(count))
    }

    package func write(_ bytes: [UInt8]) throws {
        var position = 0
        while position < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe send(
                    descriptor, bytes.baseAddress.map { unsafe $0 + position }, bytes.count - position,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(operation: "write") }
            position += count
        }
    }

    /// Sends no more.
    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }
}
