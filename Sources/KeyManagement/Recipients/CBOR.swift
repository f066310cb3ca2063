/// A value of CBOR (RFC 8949), as far as attestation documents have it: definite lengths, no floating-point numbers.
enum CBOR: Sendable, Hashable {
    case unsigned(UInt64)
    /// -1 minus the number.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    case map([CBOR: CBOR])
    indirect case tagged(UInt64, CBOR)
    case flag(Bool)
    case null

    /// Reads one value that is all there is; nil for anything else.
    init?(_ bytes: [UInt8]) {
        var reader = CBORReader(bytes[...])
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// A byte string's content.
    var content: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// A byte string, encoded.
    static func encode(bytes: [UInt8]) -> [UInt8] { header(2, bytes.count) + bytes }

    /// A text, encoded.
    static func encode(text: String) -> [UInt8] { header(3, text.utf8.count) + Array(text.utf8) }

    /// The head of an item in its shortest form (RFC 8949, 4.2.1).
    static func header(_ type: UInt8, _ count: Int) -> [UInt8] {
        let (first, bytes) = (type << 5, (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) })
        return switch count {
        case ..<24: [first | UInt8(count)]
        case ..<256: [first | 24] + bytes[3...]
        case ..<65536: [first | 25] + bytes[2...]
        default: [first | 26] + bytes
        }
    }
}

private struct CBORReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// Deeper than any document is.
    private static let deepest = 6

    mutating func value(depth: Int) -> CBOR? {
        guard depth <= CBORReader.deepest, let first = rest.popFirst(), let number = number(first & 0x1F) else {
            return nil
        }
        switch first >> 5 {
        case 0: return .unsigned(number)
        case 1: return .negative(number)
        case 2: return take(number).map { .bytes(Array($0)) }
        case 3: return take(number).flatMap { String(validating: $0, as: UTF8.self) }.map { .text($0) }
        case 4:
            guard number <= UInt64(rest.count) else { return nil }
            var items: [CBOR] = []
            for _ in 0..<number {
                guard let item = value(depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        case 5:
            guard number <= UInt64(rest.count / 2) else { return nil }
            var pairs: [CBOR: CBOR] = [:]
            for _ in 0..<number {
                // Who reads the first of two and who reads the second would not agree.
                guard let key = value(depth: depth + 1), let item = value(depth: depth + 1),
                    pairs.updateValue(item, forKey: key) == nil
                else { return nil }
            }
            return .map(pairs)
        case 6: return value(depth: depth + 1).map { .tagged(number, $0) }
        default:
            switch first {
            case 0xF4: return .flag(false)
            case 0xF5: return .flag(true)
            case 0xF6: return .null
            default: return nil
            }
        }
    }

    /// The number in or behind an item's first byte.
    private mutating func number(_ information: UInt8) -> UInt64? {
        guard information >= 24 else { return UInt64(information) }
        guard information < 28, let bytes = take(1 << (UInt64(information) - 24)) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(rest.count) else { return nil }
        let taken = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return taken
    }
}
