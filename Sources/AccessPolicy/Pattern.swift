/// A text with `*` for any characters and `?` for one, prepared for matching.
struct Pattern: Sendable {
    private enum Form: Sendable {
        case anything
        case literal([UInt8])
        case prefix([UInt8])
        case general([UInt8])
    }

    private let form: Form
    private let ignoresCase: Bool

    init(_ text: String, ignoringCase: Bool = false) {
        let bytes = text.utf8.map { ignoringCase ? Pattern.lowercased($0) : $0 }
        let wildcards = bytes.filter { $0 == Pattern.star || $0 == Pattern.question }
        ignoresCase = ignoringCase
        if bytes == [Pattern.star] {
            form = .anything
        } else if wildcards.isEmpty {
            form = .literal(bytes)
        } else if wildcards == [Pattern.star], bytes.last == Pattern.star {
            form = .prefix(Array(bytes.dropLast()))
        } else {
            form = .general(bytes)
        }
    }

    /// A text in which stars and question marks mean themselves.
    init(literal text: String, ignoringCase: Bool = false) {
        form = .literal(text.utf8.map { ignoringCase ? Pattern.lowercased($0) : $0 })
        ignoresCase = ignoringCase
    }

    func matches(_ text: String) -> Bool {
        switch form {
        case .anything: return true
        case .literal(let bytes):
            return text.utf8.count == bytes.count && zip(text.utf8, bytes).allSatisfy { folded($0) == $1 }
        case .prefix(let bytes):
            return text.utf8.count >= bytes.count && zip(text.utf8, bytes).allSatisfy { folded($0) == $1 }
        case .general(let pattern): return Pattern.matches(text.utf8.map { folded($0) }, pattern)
        }
    }

    /// Remembers the last star only: every earlier one has matched as little as it must, so time is at most the product
    /// of the lengths.
    private static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (position, index) = (0, 0)
        var retry: (position: Int, index: Int)?
        while position < text.count {
            if index < pattern.count, pattern[index] == star {
                retry = (position, index)
                index += 1
            } else if index < pattern.count, pattern[index] == question || pattern[index] == text[position] {
                position += 1
                index += 1
            } else if let last = retry {
                retry = (last.position + 1, last.index)
                position = last.position + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == star }
    }

    /// Letters of ASCII only: actions and the texts of conditions that ignore case have no others by custom.
    private func folded(_ byte: UInt8) -> UInt8 { ignoresCase ? Pattern.lowercased(byte) : byte }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static let star = UInt8(ascii: "*")
    private static let question = UInt8(ascii: "?")
}
