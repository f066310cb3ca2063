/// Hexadecimal digits (RFC 4648, section 8), written in lower case and read in either.
public enum Hexadecimal {
    /// Two digits a byte.
    public static func encode(_ bytes: Span<UInt8>) -> String { String(decoding: digits(bytes), as: UTF8.self) }

    /// Two digits a byte, in ASCII.
    package static func digits(_ bytes: Span<UInt8>) -> [UInt8] {
        var characters: [UInt8] = []
        characters.reserveCapacity(bytes.count * 2)
        for index in bytes.indices {
            characters.append(alphabet[Int(bytes[index] >> 4)])
            characters.append(alphabet[Int(bytes[index] & 15)])
        }
        return characters
    }

    /// Two digits a byte.
    public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

    /// The bytes of an even number of digits, or nil.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 0x30...0x39: digit = character - 0x30
            case 0x41...0x46: digit = character - 0x37
            case 0x61...0x66: digit = character - 0x57
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }

    private static let alphabet = Array("0123456789abcdef".utf8)
}
