/// Reads DER (X.690) strictly, over bytes that it never copies: definite lengths in their shortest form, tags of one
/// byte, nothing left over. For the encodings of keys and signatures, so that a private key passes through no array.
package struct DERReader: ~Escapable {
    private var rest: Span<UInt8>

    /// Reads from the start of the bytes.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) { rest = bytes }

    /// Whether everything has been read.
    package var isAtEnd: Bool { rest.isEmpty }

    /// The tag of the next element, where there is one.
    package var nextTag: DERTag? { rest.isEmpty ? nil : DERTag(rawValue: rest[0]) }

    /// Whether an element of this tag comes next.
    package func isNext(_ tag: DERTag) -> Bool { nextTag == tag }

    /// The content of the next element, which must have this tag.
    @_lifetime(copy self)
    package mutating func take(_ tag: DERTag) throws(CryptographyError) -> Span<UInt8> {
        guard isNext(tag), rest.count >= 2 else { throw DERReader.malformed }
        var (start, count) = (2, Int(rest[1]))
        if count >= 0x80 {
            // Two octets of length suffice for what a 16-bit key can need, three for every key there is.
            let octets = count - 0x80
            guard (1...3).contains(octets), rest.count >= 2 + octets else { throw DERReader.malformed }
            count = 0
            for index in 2..<(2 + octets) { count = count << 8 | Int(rest[index]) }
            start += octets
            // The shortest form: no leading zero, and no long form where the short one does.
            guard rest[2] != 0, count >= 0x80 else { throw DERReader.malformed }
        }
        guard count <= rest.count - start else { throw DERReader.malformed }
        let content = rest.extracting(start..<(start + count))
        rest = rest.extracting((start + count)...)
        return content
    }

    /// How many bytes have not been read yet.
    package var remaining: Int { rest.count }

    /// The next element whole, tag and length included, whatever it is.
    @_lifetime(copy self)
    package mutating func takeElement() throws(CryptographyError) -> Span<UInt8> {
        // Tags of more than one byte are nowhere in what this reads.
        guard let tag = nextTag, tag.rawValue & 0x1F != 0x1F else { throw DERReader.malformed }
        let before = rest
        _ = try take(tag)
        return before.extracting(..<(before.count - rest.count))
    }

    /// A reader of the content of the next element.
    @_lifetime(copy self)
    package mutating func enter(_ tag: DERTag) throws(CryptographyError) -> DERReader {
        DERReader(try take(tag))
    }

    /// The magnitude of the next INTEGER, which is not negative: most significant byte first, without a leading zero.
    @_lifetime(copy self)
    package mutating func takeUnsigned() throws(CryptographyError) -> Span<UInt8> {
        let bytes = try take(.integer)
        guard bytes.count >= 1, bytes[0] < 0x80 else { throw DERReader.malformed }
        guard bytes.count > 1, bytes[0] == 0 else { return bytes }
        guard bytes[1] >= 0x80 else { throw DERReader.malformed }
        return bytes.extracting(1...)
    }

    /// The next INTEGER, from 0 to 2^31 - 1.
    package mutating func takeSmall() throws(CryptographyError) -> Int {
        let bytes = try takeUnsigned()
        guard bytes.count < 4 || bytes.count == 4 && bytes[0] < 0x80 else { throw DERReader.malformed }
        var value = 0
        for index in bytes.indices { value = value << 8 | Int(bytes[index]) }
        return value
    }

    /// The content of the next BIT STRING, which has whole bytes only.
    @_lifetime(copy self)
    package mutating func takeBits(_ tag: DERTag = .bitString) throws(CryptographyError) -> Span<UInt8> {
        let bytes = try take(tag)
        guard bytes.count >= 1, bytes[0] == 0 else { throw DERReader.malformed }
        return bytes.extracting(1...)
    }

    /// The next BOOLEAN, or the default where another element comes, which DER leaves out (X.690, 11.5).
    package mutating func takeFlag() throws(CryptographyError) -> Bool {
        guard isNext(.boolean) else { return false }
        let bytes = try take(.boolean)
        guard bytes.count == 1, bytes[0] == 0xFF else { throw DERReader.malformed }
        return true
    }

    /// The next OBJECT IDENTIFIER.
    package mutating func takeIdentifier() throws(CryptographyError) -> DERObjectIdentifier {
        try DERObjectIdentifier(encoded: try take(.objectIdentifier))
    }

    /// Refuses bytes that nothing has read.
    package func end() throws(CryptographyError) {
        guard isAtEnd else { throw DERReader.malformed }
    }

    static var malformed: CryptographyError { CryptographyError(.invalidEncoding, "not the DER that was expected") }
}

/// The first byte of an element.
package struct DERTag: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let integer = DERTag(rawValue: 0x02)
    package static let bitString = DERTag(rawValue: 0x03)
    package static let octetString = DERTag(rawValue: 0x04)
    package static let boolean = DERTag(rawValue: 0x01)
    package static let null = DERTag(rawValue: 0x05)
    package static let utcTime = DERTag(rawValue: 0x17)
    package static let generalizedTime = DERTag(rawValue: 0x18)
    package static let objectIdentifier = DERTag(rawValue: 0x06)
    package static let sequence = DERTag(rawValue: 0x30)
    package static let set = DERTag(rawValue: 0x31)

    /// `[number]` around other elements.
    package static func constructed(_ number: UInt8) -> DERTag { DERTag(rawValue: 0xA0 | number & 0x1F) }
    /// `[number] IMPLICIT` in place of a primitive tag.
    package static func primitive(_ number: UInt8) -> DERTag { DERTag(rawValue: 0x80 | number & 0x1F) }
}
