internal import Cryptography

/// Writes JSON in the order of its calls. An event is written on each use of a key, so this appends to one array.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init() { bytes.reserveCapacity(1024) }

    package mutating func open() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    package mutating func close() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    package mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member that is a text.
    ///
    /// - Returns: where the text's first character stands.
    @discardableResult
    package mutating func field(_ name: String, _ text: String) -> Int {
        key(name)
        let place = bytes.count + 1
        string(text)
        needsComma = true
        return place
    }

    /// A text in a list.
    package mutating func text(_ text: String) {
        separate()
        string(text)
        needsComma = true
    }

    /// A value that is JSON as it stands.
    package mutating func literal(_ name: String, _ value: String) {
        key(name)
        bytes += value.utf8
        needsComma = true
    }

    package mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        open()
        body(&self)
        close()
    }

    package mutating func list<T>(_ values: [T], _ body: (inout JSONWriter, T) -> Void) {
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        for value in values { body(&self, value) }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    package mutating func parameters(_ name: String, _ parameters: [(String, AuditEvent.Value)]) {
        guard !parameters.isEmpty else { return literal(name, "null") }
        object(name) { writer in
            for (name, value) in parameters {
                switch value {
                case .text(let text): writer.field(name, text)
                case .number(let number): writer.literal(name, String(number))
                case .flag(let flag): writer.literal(name, flag ? "true" : "false")
                case .map(let map):
                    writer.object(name) { writer in
                        for (key, text) in map.sorted(by: { $0.key < $1.key }) { writer.field(key, text) }
                    }
                }
            }
        }
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    /// RFC 8259, section 7: quotation mark, reverse solidus and control characters are escaped. What needs none, which is
    /// nearly everything, is copied in pieces.
    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let characters = text.utf8Span.span
        // Without a way out in the middle, this looks at many at once.
        var found: UInt8 = 0
        for index in characters.indices { found |= JSONWriter.needsEscape(characters[index]) ? 1 : 0 }
        if found != 0 {
            escaped(characters)
        } else {
            bytes.append(copying: characters)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        (byte < 0x20) != (byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\"))
    }

    private mutating func escaped(_ characters: Span<UInt8>) {
        var start = 0
        for index in characters.indices where JSONWriter.needsEscape(characters[index]) {
            bytes.append(copying: characters.extracting(start..<index))
            escape(characters[index])
            start = index + 1
        }
        bytes.append(copying: characters.extracting(start...))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        guard byte < 0x20 else { return bytes.append(byte) }
        bytes += "u00".utf8
        bytes.append(byte >> 4 + 48)
        bytes.append(byte & 15 < 10 ? byte & 15 + 48 : byte & 15 + 87)
    }
}
