internal import SwiftASN1

/// The names of a certificate's subject (RFC 5280, 4.2.1.6). A server's identity is one of these, and never its common name.
public struct SubjectAlternativeName: CodedExtension {
    /// The names, in order.
    public let names: [GeneralName]

    /// Takes names.
    public init(_ names: [GeneralName]) { self.names = names }

    /// 2.5.29.17.
    public static let identifier: ObjectIdentifier = "2.5.29.17"
    /// No, for a certificate that has a subject. Where that is empty, make it critical.
    public var isCriticalByDefault: Bool { false }

    init(_ node: ASN1Node) throws {
        names = try GeneralNames.names(node, .sequence)
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard !names.isEmpty else { throw PKIXError(.invalidValue, "no alternative name") }
        try GeneralNames.write(names, to: &serializer, as: .sequence)
    }
}

/// SEQUENCE OF GeneralName.
enum GeneralNames {
    /// - Throws: `malformed` where there are none.
    static func names(_ node: ASN1Node, _ identifier: ASN1Identifier) throws -> [GeneralName] {
        guard node.identifier == identifier, case .constructed(let nodes) = node.content else {
            throw PKIXError(.malformed, "names")
        }
        let names = try nodes.map { try GeneralName($0) }
        guard !names.isEmpty else { throw PKIXError(.malformed, "no names") }
        return names
    }

    static func write(
        _ names: [GeneralName], to coder: inout DER.Serializer, as identifier: ASN1Identifier
    ) throws {
        try coder.appendConstructedNode(identifier: identifier) { coder in
            for name in names { try name.write(to: &coder) }
        }
    }
}
