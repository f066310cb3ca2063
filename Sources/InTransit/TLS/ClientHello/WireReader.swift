/// Reads what stands after its length, as TLS writes everything (RFC 8446, 3.4). Total: it fails where bytes are missing.
struct WireReader {
    /// Bytes are missing, or too many.
    struct Malformed: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    var peek: UInt8? { rest.first }

    mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw Malformed() }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func takeNumber() throws(Malformed) -> UInt16 {
        try take(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    /// Bytes after a length of one byte.
    mutating func takeVector8() throws(Malformed) -> ArraySlice<UInt8> { try take(Int(try take(1).reduce(0) { $1 })) }

    /// Bytes after a length of two bytes.
    mutating func takeVector16() throws(Malformed) -> ArraySlice<UInt8> { try take(Int(try takeNumber())) }

    /// Numbers of two bytes each.
    static func numbers(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> [UInt16] {
        guard bytes.count % 2 == 0 else { throw Malformed() }
        var reader = WireReader(bytes)
        var numbers: [UInt16] = []
        while !reader.isAtEnd { numbers.append(try reader.takeNumber()) }
        return numbers
    }
}
