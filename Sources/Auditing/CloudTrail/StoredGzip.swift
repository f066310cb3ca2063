/// The gzip format (RFC 1952) around stored blocks (RFC 1951, 3.2.4): every tool reads it, and nothing is compressed. Archives that
/// are to be small are compressed by whoever keeps them.
enum StoredGzip {
    static func wrap(_ content: [UInt8]) -> [UInt8] {
        // Deflate, no flags, no time, no level, no system.
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        bytes.reserveCapacity(content.count + content.count / 0xFFFF * 5 + 32)
        var rest = content[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            bytes.append(rest.isEmpty ? 1 : 0)
            append(UInt32(block.count), bytes: 2, to: &bytes)
            append(UInt32(block.count) ^ 0xFFFF, bytes: 2, to: &bytes)
            bytes += block
        } while !rest.isEmpty
        append(checksum(content), bytes: 4, to: &bytes)
        append(UInt32(truncatingIfNeeded: content.count), bytes: 4, to: &bytes)
        return bytes
    }

    private static func append(_ value: UInt32, bytes count: Int, to bytes: inout [UInt8]) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    /// CRC-32 (RFC 1952, section 8).
    private static func checksum(_ content: [UInt8]) -> UInt32 {
        ~content.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}
