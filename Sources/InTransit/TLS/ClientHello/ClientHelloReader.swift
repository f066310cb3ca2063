internal import Cryptography

/// Finds a client's first message in its bytes as they come, in one or more records (RFC 8446, 5.1). Each byte is looked at once.
struct ClientHelloReader {
    /// All bytes so far, for whoever goes on with the handshake.
    private(set) var seen: [UInt8] = []
    /// How many of them are in records that were read.
    private var position = 0
    private var message: [UInt8] = []

    /// More than any honest client says.
    private static let largest = 1 << 16
    private static let handshakeRecord: UInt8 = 22
    private static let clientHello: UInt8 = 1

    mutating func append(_ bytes: Span<UInt8>) { seen.append(copying: bytes) }

    /// The message, or nil while bytes are missing.
    mutating func read() throws(WireReader.Malformed) -> ClientHello? {
        while true {
            if message.count >= 4 {
                let count = message[1...3].reduce(0) { $0 << 8 | Int($1) }
                guard message[0] == ClientHelloReader.clientHello, count <= ClientHelloReader.largest else {
                    throw WireReader.Malformed()
                }
                if message.count >= 4 + count { return try ClientHello(reading: message[4..<(4 + count)]) }
            }
            var records = WireReader(seen[position...])
            guard let type = records.peek else { return nil }
            guard type == ClientHelloReader.handshakeRecord else { throw WireReader.Malformed() }
            guard let header = try? records.take(5) else { return nil }
            let count = header.suffix(2).reduce(0) { $0 << 8 | Int($1) }
            guard header.dropFirst().first == 3, (1...16384).contains(count) else { throw WireReader.Malformed() }
            guard let fragment = try? records.take(count) else { return nil }
            message += fragment
            position += 5 + count
        }
    }
}
