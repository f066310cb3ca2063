// Names as text (RFC 4514).
extension DistinguishedName: LosslessStringConvertible, ExpressibleByStringLiteral {
    /// Reads a name, or nil where it is none: `CN=Example Root, O=Example + OU=Test, C=DE`.
    public init?(_ description: String) {
        guard let name = try? DistinguishedName(text: description) else { return nil }
        self = name
    }

    /// A name that stands in the source.
    public init(stringLiteral value: StaticString) {
        guard let name = DistinguishedName("\(value)") else { preconditionFailure("no name: \(value)") }
        self = name
    }

    /// Reads a name, and says what is wrong with it.
    ///
    /// - Throws: `invalidValue`.
    public init(text: String) throws(PKIXError) {
        var reader = NameReader(text)
        try self.init(try reader.relativeNames().reversed())
    }

    /// The name as RFC 4514 writes it.
    public var description: String {
        relativeNames.reversed().map { attributes in
            attributes.map { "\($0.type)=\(DistinguishedName.escaped($0.value))" }.joined(separator: "+")
        }.joined(separator: ",")
    }

    /// RFC 4514, section 2.4.
    private static func escaped(_ value: String) -> String {
        var text = ""
        let last = value.unicodeScalars.count - 1
        for (index, scalar) in value.unicodeScalars.enumerated() {
            switch scalar {
            case ",", "+", "\"", "\\", "<", ">", ";": text += "\\\(scalar)"
            case "#" where index == 0: text += "\\#"
            case " " where index == 0 || index == last: text += "\\ "
            case "\u{0}": text += "\\00"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// Reads the text of a name.
private struct NameReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func relativeNames() throws(PKIXError) -> [[DistinguishedName.Attribute]] {
        var names: [[DistinguishedName.Attribute]] = []
        skipSpaces()
        guard position < text.count else { return [] }
        while true {
            var attributes = [try attribute()]
            while take(UInt8(ascii: "+")) { attributes.append(try attribute()) }
            names.append(attributes)
            guard position < text.count else { return names }
            guard take(UInt8(ascii: ",")) || take(UInt8(ascii: ";")) else { throw wrong("a comma is missing") }
        }
    }

    private mutating func attribute() throws(PKIXError) -> DistinguishedName.Attribute {
        skipSpaces()
        let start = position
        while position < text.count, text[position] != UInt8(ascii: "=") { position += 1 }
        var keyword = String(decoding: text[start..<position], as: UTF8.self)
        while keyword.hasSuffix(" ") { keyword.removeLast() }
        guard take(UInt8(ascii: "=")), let type = AttributeType(keyword: keyword) else {
            throw wrong("no attribute is called \(keyword)")
        }
        skipSpaces()
        return DistinguishedName.Attribute(type, try value())
    }

    private mutating func value() throws(PKIXError) -> String {
        var bytes: [UInt8] = []
        // Spaces at the end count only where they are escaped.
        var kept = 0
        while position < text.count {
            let byte = text[position]
            if [UInt8(ascii: ","), UInt8(ascii: "+"), UInt8(ascii: ";")].contains(byte) { break }
            position += 1
            if byte == UInt8(ascii: "\\") {
                bytes.append(try escape())
                kept = bytes.count
            } else {
                bytes.append(byte)
                if byte != UInt8(ascii: " ") { kept = bytes.count }
            }
        }
        bytes.removeLast(bytes.count - kept)
        guard let value = String(validating: bytes, as: UTF8.self) else { throw wrong("not UTF-8") }
        return value
    }

    private mutating func escape() throws(PKIXError) -> UInt8 {
        if position + 1 < text.count,
            let bytes = Hexadecimal.decode(String(decoding: text[position...(position + 1)], as: UTF8.self)),
            let byte = bytes.first
        {
            position += 2
            return byte
        }
        guard position < text.count, !text[position].isAlphanumeric else { throw wrong("a backslash before nothing") }
        position += 1
        return text[position - 1]
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpaces() { while take(UInt8(ascii: " ")) {} }

    private func wrong(_ reason: String) -> PKIXError {
        PKIXError(.invalidValue, "a name at byte \(position): \(reason)")
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
