internal import Cryptography
internal import SwiftASN1

/// The name of an algorithm, attribute, extension or purpose (X.660), such as 2.5.29.19.
public struct ObjectIdentifier: Sendable, Hashable, LosslessStringConvertible, ExpressibleByStringLiteral {
    /// The identifier as it is encoded.
    private let encoded: DERObjectIdentifier

    init(_ encoded: DERObjectIdentifier) throws(PKIXError) {
        guard encoded.hasShortArcs else {
            throw PKIXError(.unsupported, "an identifier with an arc of 64 bits or more")
        }
        self.encoded = encoded
    }

    /// Reads numbers with dots between them, each below 2^63; nil for anything else.
    public init?(_ description: String) {
        guard description.utf8.count <= 256, let encoded = DERObjectIdentifier(description) else { return nil }
        self.encoded = encoded
    }

    /// An identifier that stands in the source.
    public init(stringLiteral value: StaticString) {
        guard let identifier = ObjectIdentifier("\(value)") else { preconditionFailure("no identifier: \(value)") }
        self = identifier
    }

    /// Numbers with dots between them.
    public var description: String { encoded.description }
}

extension ObjectIdentifier {
    /// Reads a node of the usual tag, or of another where the tag is implicit.
    init(_ node: ASN1Node, as identifier: ASN1Identifier = .objectIdentifier) throws {
        guard node.identifier == identifier, case .primitive(let content) = node.content else {
            throw PKIXError(.malformed, "an identifier")
        }
        try self.init(try DERObjectIdentifier(encoded: content.span))
    }

    /// Reads the next node.
    init(_ nodes: inout ASN1NodeCollection.Iterator) throws {
        guard let node = nodes.next() else { throw PKIXError(.malformed, "an identifier is missing") }
        try self.init(node)
    }

    func write(to coder: inout DER.Serializer, as identifier: ASN1Identifier = .objectIdentifier) {
        coder.appendPrimitiveNode(identifier: identifier) { $0 += encoded.encoded }
    }
}
