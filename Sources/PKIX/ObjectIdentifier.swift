internal import SwiftASN1

/// The name of an algorithm, attribute, extension or purpose (X.660), such as 2.5.29.19.
public struct ObjectIdentifier: Sendable, Hashable, LosslessStringConvertible, ExpressibleByStringLiteral {
    let asn1: ASN1ObjectIdentifier

    init(_ asn1: ASN1ObjectIdentifier) { self.asn1 = asn1 }

    /// Reads numbers with dots between them; nil for anything else.
    public init?(_ description: String) {
        let arcs =
            description.utf8.count <= 256 ? description.split(separator: ".", omittingEmptySubsequences: false) : []
        let numbers = arcs.compactMap { arc in UInt(arc).flatMap { String($0) == arc ? $0 : nil } }
        // The first two arcs share one number of the encoding (X.690, 8.19.4).
        guard numbers.count == arcs.count, numbers.count >= 2, numbers[0] < 2 ? numbers[1] < 40 : numbers[0] == 2,
            numbers[1] < UInt.max - 80, let asn1 = try? ASN1ObjectIdentifier(elements: numbers)
        else { return nil }
        self.asn1 = asn1
    }

    /// An identifier that stands in the source.
    public init(stringLiteral value: StaticString) {
        guard let identifier = ObjectIdentifier("\(value)") else { preconditionFailure("no identifier: \(value)") }
        self = identifier
    }

    /// Numbers with dots between them.
    public var description: String {
        var arcs = asn1.oidComponents
        // Below 2 there may be any number, which swift-asn1 1.7.4 shows as an arc above 2.
        if arcs.count >= 2, arcs[0] > 2 {
            arcs[1] += (arcs[0] - 2) * 40
            arcs[0] = 2
        }
        return arcs.map(String.init).joined(separator: ".")
    }
}
