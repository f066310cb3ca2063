internal import SwiftASN1

/// The name of an algorithm, attribute, extension or purpose (X.660), such as 2.5.29.19.
public struct ObjectIdentifier: Sendable, Hashable, LosslessStringConvertible, ExpressibleByStringLiteral {
    let asn1: ASN1ObjectIdentifier

    init(_ asn1: ASN1ObjectIdentifier) { self.asn1 = asn1 }

    /// Reads numbers with dots between them; nil for anything else.
    public init?(_ description: String) {
        guard description.utf8.count <= 256, let asn1 = try? ASN1ObjectIdentifier(dotRepresentation: description) else {
            return nil
        }
        self.asn1 = asn1
    }

    /// An identifier that stands in the source.
    public init(stringLiteral value: StaticString) {
        guard let identifier = ObjectIdentifier("\(value)") else { preconditionFailure("no identifier: \(value)") }
        self = identifier
    }

    /// Numbers with dots between them.
    public var description: String { asn1.description }
}
