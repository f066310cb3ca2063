/// An address of the internet protocol, version 4 or 6.
public struct IPAddress: Sendable, Hashable, LosslessStringConvertible {
    /// 4 or 16 bytes.
    public let bytes: [UInt8]

    /// Takes 4 or 16 bytes; nil for another number.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads `192.0.2.1`, or `2001:db8::1` (RFC 4291, section 2.2); nil for anything else.
    public init?(_ description: String) {
        guard let bytes = description.contains(":") ? IPAddress.version6(description) : IPAddress.version4(description)
        else { return nil }
        self.bytes = bytes
    }

    /// The address of version 4 that one of version 6 stands for (`::ffff:192.0.2.1`; RFC 4291, 2.5.5.2), or itself.
    public var unmapped: IPAddress {
        guard bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else {
            return self
        }
        return IPAddress(Array(bytes[12...])) ?? self
    }

    /// The usual text; of version 6 without the shortening of zeros.
    public var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    private static func version4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        // No leading zeros: some read them as octal.
        let bytes = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || !part.hasPrefix("0") else {
                return nil
            }
            return UInt8(part)
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func version6(_ text: String) -> [UInt8]? {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, let front = halves.first, let first = groups(front, isLast: halves.count == 1) else {
            return nil
        }
        guard halves.count == 2 else { return first.count == 16 ? first : nil }
        guard let last = groups(halves[1], isLast: true), first.count + last.count <= 14 else { return nil }
        return first + [UInt8](repeating: 0, count: 16 - first.count - last.count) + last
    }

    private static func groups(_ text: Substring, isLast: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if isLast, index == parts.count - 1, part.contains(".") {
                guard let tail = version4(part) else { return nil }
                bytes += tail
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                    let value = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return bytes
    }
}
