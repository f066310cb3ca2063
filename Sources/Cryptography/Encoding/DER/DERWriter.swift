/// Writes DER into secret memory. Constructed elements are written in place: their length goes in front once it is known.
package struct DERWriter: ~Copyable {
    private var bytes: SecretBytes
    private var count = 0

    /// Begins with room for `capacity` bytes; more is found when it is needed.
    package init(capacity: Int = 512) {
        bytes = SecretBytes(count: max(capacity, 16)) { _ in }
    }

    /// Appends a primitive element.
    package mutating func append(_ tag: DERTag, _ content: Span<UInt8>) {
        open(tag, content.count)
        append(content)
    }

    /// Appends an INTEGER of an unsigned magnitude, leaving out its leading zeros.
    package mutating func appendUnsigned(_ magnitude: Span<UInt8>) {
        var start = 0
        while start < magnitude.count - 1, magnitude[start] == 0 { start += 1 }
        let content = magnitude.extracting(start...)
        let needsZero = content.isEmpty || content[0] >= 0x80
        open(.integer, content.count + (needsZero ? 1 : 0))
        if needsZero { append(byte: 0) }
        append(content)
    }

    /// Appends an INTEGER.
    package mutating func appendSmall(_ value: UInt32) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        appendUnsigned(bytes.span)
    }

    /// Appends an OBJECT IDENTIFIER.
    package mutating func append(_ identifier: DERObjectIdentifier) {
        append(.objectIdentifier, identifier.encoded.span)
    }

    /// Appends a NULL.
    package mutating func appendNull() { append(.null, Span()) }

    /// Appends a BIT STRING of whole bytes.
    package mutating func appendBits(_ content: Span<UInt8>, _ tag: DERTag = .bitString) {
        open(tag, content.count + 1)
        append(byte: 0)
        append(content)
    }

    /// Appends an element around what `body` appends.
    package mutating func append<E: Error>(
        _ tag: DERTag, _ body: (inout DERWriter) throws(E) -> Void
    ) throws(E) {
        let start = count
        try body(&self)
        let content = count - start
        let header = InlineHeader(tag, content)
        reserve(header.count)
        let (end, shift) = (count, header.count)
        bytes.withMutableBytes { bytes in
            for index in stride(from: end - 1, through: start, by: -1) { bytes[index + shift] = bytes[index] }
            for index in 0..<shift { bytes[start + index] = header[index] }
        }
        count += shift
    }

    /// What was written, as a secret.
    package consuming func secret() -> SecretBytes { bytes.slice(..<count) }

    /// What was written, where it is no secret.
    package consuming func array() -> [UInt8] {
        let count = count
        return bytes.withBytes { bytes in (0..<count).map { bytes[$0] } }
    }

    private mutating func open(_ tag: DERTag, _ content: Int) {
        let header = InlineHeader(tag, content)
        for index in 0..<header.count { append(byte: header[index]) }
    }

    private mutating func append(byte: UInt8) {
        reserve(1)
        let end = count
        bytes.withMutableBytes { $0[end] = byte }
        count += 1
    }

    private mutating func append(_ content: Span<UInt8>) {
        reserve(content.count)
        let end = count
        bytes.withMutableBytes { $0.overwrite(at: end, with: content) }
        count += content.count
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > bytes.count else { return }
        let used = count
        let larger = SecretBytes(count: max(2 * bytes.count, used + more)) { new in
            bytes.withBytes { old in new.overwrite(with: old.extracting(..<used)) }
        }
        bytes = larger
    }
}

/// Tag and length of an element: 2 to 5 bytes.
private struct InlineHeader {
    private var bytes: InlineArray<6, UInt8> = .init(repeating: 0)
    private(set) var count = 1

    init(_ tag: DERTag, _ content: Int) {
        bytes[0] = tag.rawValue
        if content < 0x80 {
            append(content)
            return
        }
        let octets = (content.bitWidth - content.leadingZeroBitCount + 7) / 8
        append(0x80 | octets)
        for octet in stride(from: octets - 1, through: 0, by: -1) { append(content >> (8 * octet)) }
    }

    subscript(index: Int) -> UInt8 { bytes[index] }

    private mutating func append(_ byte: Int) {
        bytes[count] = UInt8(truncatingIfNeeded: byte)
        count += 1
    }
}
