// Integers, most significant byte first: the order of every format here. One overload a width, because a generic one is not
// specialised for other modules, and headers are written for each message.
extension [UInt8] {
    /// Appends 16 bits.
    package mutating func appendBigEndian(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends 32 bits.
    package mutating func appendBigEndian(_ value: UInt32) {
        appendBigEndian(UInt16(truncatingIfNeeded: value >> 16))
        appendBigEndian(UInt16(truncatingIfNeeded: value))
    }

    /// Appends 64 bits.
    package mutating func appendBigEndian(_ value: UInt64) {
        appendBigEndian(UInt32(truncatingIfNeeded: value >> 32))
        appendBigEndian(UInt32(truncatingIfNeeded: value))
    }

    /// Appends a text's UTF-8 after its length in 32 bits.
    package mutating func append(lengthPrefixed text: String) {
        appendBigEndian(UInt32(clamping: text.utf8.count))
        self += text.utf8
    }
}
