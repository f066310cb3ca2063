/// An issuer's number of a certificate: a positive integer of at most 20 bytes (RFC 5280, 4.1.2.2).
public struct SerialNumber: Sendable, Hashable, CustomStringConvertible {
    /// The integer in DER's form: most significant byte first, with a zero byte before a set first bit.
    public let bytes: [UInt8]

    /// A number that was read, whatever it is: old issuers have used zero, negative and longer ones.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A new number: 159 random bits, of which the first is set, so that all have one length (CA/Browser Forum Baseline
    /// Requirements, 7.1: above zero, below 2^159, at least 64 random bits).
    ///
    /// - Parameter source: where the bits come from.
    public static func random(from source: any RandomSource = SystemRandom()) throws(CryptographyError) -> SerialNumber
    {
        var bytes = [UInt8](repeating: 0, count: 20)
        do {
            var span = bytes.mutableSpan
            try source.fill(&span)
        }
        bytes[0] = bytes[0] & 0x7F | 0x40
        return SerialNumber(bytes)
    }

    /// Whether new certificates may have it.
    var isAllowed: Bool { (1...20).contains(bytes.count) && bytes[0] & 0x80 == 0 && bytes.contains { $0 != 0 } }

    /// Hexadecimal digits.
    public var description: String { Hexadecimal.encode(bytes) }
}
