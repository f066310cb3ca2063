internal import Cryptography
internal import SwiftASN1

/// A name of the X.500 directory (RFC 5280, 4.1.2.4): a sequence of relative names, the most significant first.
///
/// ```swift
/// let name: DistinguishedName = "CN=Example Root, O=Example, C=DE"
/// ```
///
/// As text it is read and written as RFC 4514 says: the last relative name comes first. What was read keeps its bytes. Two
/// names are equal by RFC 5280, 7.1: case and the number of spaces do not matter.
public struct DistinguishedName: Sendable {
    /// One attribute of a relative name.
    public struct Attribute: Sendable, Hashable {
        /// What it is.
        public let type: AttributeType
        /// Its value; for one that is no string, `#` and its DER in hexadecimal digits.
        public let value: String

        /// Joins the two.
        public init(_ type: AttributeType, _ value: String) {
            self.type = type
            self.value = value
        }
    }

    /// The name in DER.
    public let derEncoded: [UInt8]

    /// A number that equal names share, of the letters without case and spaces: most unequal names differ in it.
    private let fold: UInt64

    /// The empty name, of certificates that have all their names in an extension.
    public static let empty = DistinguishedName(checked: [0x30, 0x00], fold: NameFold().value)

    private init(checked derEncoded: [UInt8], fold: UInt64) {
        self.derEncoded = derEncoded
        self.fold = fold
    }

    /// A name of relative names, the most significant first.
    ///
    /// - Throws: `invalidValue` for an empty value, one that is too long, or one with characters that its type does not have.
    public init(_ relativeNames: [[Attribute]]) throws(PKIXError) {
        for attribute in relativeNames.joined() { try DistinguishedName.check(attribute) }
        guard relativeNames.allSatisfy({ !$0.isEmpty }) else {
            throw PKIXError(.invalidValue, "a relative name without attributes")
        }
        try self.init(
            derEncoded: try encoded {
                var serializer = DER.Serializer()
                try serializer.appendConstructedNode(identifier: .sequence) { coder in
                    for attributes in relativeNames {
                        try coder.serializeSetOf(attributes.map { EncodedAttribute($0) })
                    }
                }
                return serializer.serializedBytes
            })
    }

    /// Reads an element, whose form is checked and whose values are left for later.
    init(reading element: Span<UInt8>) throws(CryptographyError) {
        fold = try DistinguishedName.checkForm(element)
        derEncoded = element.array
    }

    /// Reads a name in DER.
    ///
    /// - Throws: `malformed`.
    public init(derEncoded bytes: [UInt8]) throws(PKIXError) {
        self = try decoded("a distinguished name") { try DistinguishedName(reading: bytes.span) }
    }

    /// Whether there is no relative name.
    public var isEmpty: Bool { derEncoded.count == 2 }

    /// The relative names, the most significant first.
    public var relativeNames: [[Attribute]] {
        // Its form was checked when it was read.
        (try? DistinguishedName.values(of: derEncoded.span)) ?? []
    }

    /// The values of a type, in order.
    public func values(_ type: AttributeType) -> [String] {
        relativeNames.joined().filter { $0.type == type }.map(\.value)
    }
}

extension DistinguishedName: Hashable {
    /// Compares as RFC 5280, 7.1 says.
    public static func == (left: DistinguishedName, right: DistinguishedName) -> Bool {
        left.derEncoded == right.derEncoded || left.fold == right.fold && left.canonical == right.canonical
    }

    /// Hashes what equal names share.
    public func hash(into hasher: inout Hasher) { hasher.combine(fold) }

    /// The relative names without case and surplus spaces, each sorted: what is compared.
    var canonical: [[String]] {
        relativeNames.map { attributes in
            attributes.map { "\($0.type.identifier)=\(DistinguishedName.folded($0.value))" }.sorted()
        }
    }

    /// Without case and surplus spaces (RFC 4518, as far as RFC 5280, 7.1 asks for it).
    private static func folded(_ value: String) -> String {
        value.lowercased().split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

extension DistinguishedName {
    private static func check(_ attribute: Attribute) throws(PKIXError) {
        let (value, type) = (attribute.value, attribute.type)
        guard !value.isEmpty, value.unicodeScalars.count <= type.limit else {
            throw PKIXError(.invalidValue, "\(type) has 1 to \(type.limit) characters")
        }
        let isFitting: Bool
        switch type.stringType {
        case .printableString: isFitting = value.utf8.allSatisfy { isPrintable($0) }
        case .ia5String: isFitting = value.utf8.allSatisfy { $0 < 0x80 }
        default: isFitting = !value.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        }
        guard isFitting, type != .country || value.utf8.count == 2 else {
            throw PKIXError(.invalidValue, "\(type) cannot be \(value)")
        }
    }

    /// The characters of PrintableString (X.680, 41.4).
    private static func isPrintable(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: Array(" '()+,-./:=?".utf8).contains(byte)
        }
    }

    /// SEQUENCE OF SET OF SEQUENCE { identifier, anything }.
    ///
    /// - Returns: the number that equal names share.
    private static func checkForm(_ element: Span<UInt8>) throws(CryptographyError) -> UInt64 {
        var fold = NameFold()
        var outer = DERReader(element)
        var sets = try outer.enter(.sequence)
        try outer.end()
        while !sets.isAtEnd {
            var attributes = try sets.enter(.set)
            repeat {
                var attribute = try attributes.enter(.sequence)
                // One that cannot be named later would hide all the others.
                guard try attribute.takeIdentifier().hasShortArcs else {
                    throw CryptographyError(.unsupported, "a name")
                }
                guard let tag = attribute.nextTag, tag.rawValue & 0x1F != 0x1F else {
                    throw CryptographyError(.invalidEncoding)
                }
                fold.add(tag.rawValue, try attribute.take(tag))
                try attribute.end()
            } while !attributes.isAtEnd
        }
        return fold.value
    }

    private static func values(of element: Span<UInt8>) throws -> [[Attribute]] {
        var outer = DERReader(element)
        var sets = try outer.enter(.sequence)
        var names: [[Attribute]] = []
        while !sets.isAtEnd {
            var (set, attributes) = (try sets.enter(.set), [Attribute]())
            while !set.isAtEnd {
                var attribute = try set.enter(.sequence)
                let type = AttributeType(try ObjectIdentifier(try attribute.takeIdentifier()))
                attributes.append(Attribute(type, DirectoryString.text(try attribute.takeElement())))
            }
            names.append(attributes)
        }
        return names
    }
}

/// The number that names share which are equal: a sum over their values, each hashed (FNV-1a) by its ASCII letters without case
/// and spaces. It needs no strings, and the order of a set makes no difference.
private struct NameFold {
    private(set) var value: UInt64 = 0

    /// - Parameter tag: of the string type, which tells how wide characters are: of BMPString two bytes, of UniversalString four.
    mutating func add(_ tag: UInt8, _ bytes: Span<UInt8>) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let width = tag == 0x1E ? 2 : tag == 0x1C ? 4 : 1
        var wide: UInt32 = 0
        for index in bytes.indices {
            let byte = bytes[index]
            wide = index % width == 0 ? UInt32(byte) : wide << 8 | UInt32(byte)
            guard index % width == width - 1, wide < 0x80, wide != 0x20 else { continue }
            let folded = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            hash = (hash ^ UInt64(folded)) &* 0x100_0000_01B3
        }
        value &+= hash
    }
}

/// An attribute as it is written.
private struct EncodedAttribute: DERSerializable {
    let attribute: DistinguishedName.Attribute

    init(_ attribute: DistinguishedName.Attribute) { self.attribute = attribute }

    func serialize(into coder: inout DER.Serializer) throws {
        coder.appendConstructedNode(identifier: .sequence) { coder in
            attribute.type.identifier.write(to: &coder)
            coder.appendPrimitiveNode(identifier: attribute.type.stringType) { $0 += attribute.value.utf8 }
        }
    }
}

/// The string types that values come in.
private enum DirectoryString {
    /// A value as text; for one that is no string, `#` and its DER in hexadecimal digits.
    static func text(_ element: Span<UInt8>) -> String {
        var reader = DERReader(element)
        if let tag = reader.nextTag, let content = try? reader.take(tag).array,
            let text = text(tag.rawValue, content[...])
        {
            return text
        }
        return "#" + Hexadecimal.encode(element)
    }

    private static func text(_ tag: UInt8, _ bytes: ArraySlice<UInt8>) -> String? {
        switch tag {
        // UTF8String.
        case 0x0C: String(validating: bytes, as: UTF8.self)
        // NumericString, PrintableString, IA5String, VisibleString.
        case 0x12, 0x13, 0x16, 0x1A:
            bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        // T.61 is taken for Latin-1, as everybody does.
        case 0x14: String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        // BMPString, UniversalString.
        case 0x1E: text(bytes, width: 2)
        case 0x1C: text(bytes, width: 4)
        default: nil
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>, width: Int) -> String? {
        guard bytes.count % width == 0 else { return nil }
        var scalars = String.UnicodeScalarView()
        var rest = bytes
        while !rest.isEmpty {
            guard let scalar = Unicode.Scalar(rest.prefix(width).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) else {
                return nil
            }
            scalars.append(scalar)
            rest = rest.dropFirst(width)
        }
        return String(scalars)
    }
}
