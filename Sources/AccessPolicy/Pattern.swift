/// A text with `*` for any characters, `?` for one and `${...}` for a condition key's value, prepared for matching.
///
/// Source: IAM User Guide, "IAM policy elements: Variables and tags".
struct Pattern: Sendable {
    /// A piece of a pattern.
    enum Unit: Sendable, Hashable {
        case byte(UInt8)
        case anything
        case oneByte
        /// A condition key's value, or what stands for it where there is none.
        case variable(String, otherwise: [UInt8]?)
    }

    private enum Form: Sendable {
        case anything
        case literal([UInt8])
        case prefix([UInt8])
        case general([Unit])
        case variable([Unit])
    }

    private let form: Form
    private let ignoresCase: Bool

    /// Prepares a text without variables.
    init(_ text: String, ignoringCase: Bool = false) {
        self.init(text.utf8.map(Pattern.wildcard), ignoringCase: ignoringCase)
    }

    /// Prepares pieces.
    init(_ units: [Unit], ignoringCase: Bool = false) {
        let units = ignoringCase ? units.map(Pattern.lowercased) : units
        let bytes = units.compactMap { unit -> UInt8? in if case .byte(let byte) = unit { byte } else { nil } }
        ignoresCase = ignoringCase
        if units == [.anything] {
            form = .anything
        } else if bytes.count == units.count {
            form = .literal(bytes)
        } else if bytes.count == units.count - 1, units.last == .anything {
            form = .prefix(bytes)
        } else {
            let hasVariables = units.contains { unit in if case .variable = unit { true } else { false } }
            form = hasVariables ? .variable(units) : .general(units)
        }
    }

    /// The pieces of a text in which variables have values, and wildcards their meaning or not.
    static func units(_ text: String, hasWildcards: Bool, hasVariables: Bool) throws(PolicyError) -> [Unit] {
        var units: [Unit] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            guard hasVariables, rest.starts(with: "${".utf8) else {
                units.append(hasWildcards ? wildcard(byte) : .byte(byte))
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                throw PolicyError("\(text): a variable without end")
            }
            let name = String(decoding: rest[rest.index(rest.startIndex, offsetBy: 2)..<end], as: UTF8.self)
            units.append(try variable(name, text))
            rest = rest[rest.index(after: end)...]
        }
        return units
    }

    private static func variable(_ content: String, _ text: String) throws(PolicyError) -> Unit {
        // `${*}`, `${?}` and `${$}` are the characters themselves.
        if let byte = content.utf8.first, content.utf8.count == 1, "*?$".utf8.contains(byte) { return .byte(byte) }
        let parts = content.split(separator: ",", maxSplits: 1)
        let name = (parts.first ?? "").split(separator: " ").joined()
        guard !name.isEmpty, name.contains(":") else { throw PolicyError("\(text): \(content) is no variable") }
        guard parts.count == 2 else { return .variable(name.lowercased(), otherwise: nil) }
        let quoted = parts[1].drop { $0 == " " }
        guard quoted.count >= 2, quoted.first == "'", quoted.last == "'" else {
            throw PolicyError("\(text): \(content) is no variable")
        }
        return .variable(name.lowercased(), otherwise: Array(quoted.dropFirst().dropLast().utf8))
    }

    /// Whether everything matches.
    var isAnything: Bool { if case .anything = form { true } else { false } }

    /// Whether a text matches, for a request that gives variables their values. One without a single value matches nothing.
    func matches(_ text: String, _ request: AccessRequest? = nil) -> Bool {
        switch form {
        case .anything: return true
        case .literal(let bytes):
            return text.utf8.count == bytes.count && zip(text.utf8, bytes).allSatisfy { folded($0) == $1 }
        case .prefix(let bytes):
            return text.utf8.count >= bytes.count && zip(text.utf8, bytes).allSatisfy { folded($0) == $1 }
        case .general(let pattern): return Pattern.matches(text.utf8.map { folded($0) }, pattern)
        case .variable(let pattern):
            guard let resolved = resolved(pattern, request) else { return false }
            return Pattern.matches(text.utf8.map { folded($0) }, resolved)
        }
    }

    /// The pieces with each variable's value, in which wildcards are characters as others.
    private func resolved(_ units: [Unit], _ request: AccessRequest?) -> [Unit]? {
        var resolved: [Unit] = []
        for unit in units {
            guard case .variable(let name, let otherwise) = unit else {
                resolved.append(unit)
                continue
            }
            let values = request?.context(name) ?? []
            guard values.count <= 1, let value = values.first.map({ Array($0.utf8) }) ?? otherwise else { return nil }
            resolved += value.map { .byte(folded($0)) }
        }
        return resolved
    }

    /// Remembers the last star only: every earlier one has matched as little as it must, so time is at most the product
    /// of the lengths.
    private static func matches(_ text: [UInt8], _ pattern: [Unit]) -> Bool {
        var (position, index) = (0, 0)
        var retry: (position: Int, index: Int)?
        while position < text.count {
            if index < pattern.count, pattern[index] == .anything {
                retry = (position, index)
                index += 1
            } else if index < pattern.count, pattern[index] == .oneByte || pattern[index] == .byte(text[position]) {
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
        return pattern[index...].allSatisfy { $0 == .anything }
    }

    /// Letters of ASCII only: actions and the texts of conditions that ignore case have no others by custom.
    private func folded(_ byte: UInt8) -> UInt8 { ignoresCase ? Pattern.lowercased(byte) : byte }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func lowercased(_ unit: Unit) -> Unit {
        if case .byte(let byte) = unit { .byte(lowercased(byte)) } else { unit }
    }

    private static func wildcard(_ byte: UInt8) -> Unit {
        switch byte {
        case UInt8(ascii: "*"): .anything
        case UInt8(ascii: "?"): .oneByte
        default: .byte(byte)
        }
    }
}
