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

    /// The eight digits of four bytes in ASCII, the first in the lowest byte: calculated at once, for what is written all day.
    package static func digits(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) -> UInt64 {
        // Each byte to a lane of 16 bits, and there its high digit before its low one.
        var lanes = UInt64(first) | UInt64(second) << 16 | UInt64(third) << 32 | UInt64(fourth) << 48
        lanes = lanes >> 4 & 0x000F_000F_000F_000F | (lanes & 0x000F_000F_000F_000F) << 8
        // "a" stands 39 behind what follows "9".
        let letters = (lanes + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return lanes + 0x3030_3030_3030_3030 + letters * 39
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
