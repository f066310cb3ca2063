internal import SwiftASN1

/// Which names an authority may certify, in all certificates below it (RFC 5280, 4.2.1.10).
///
/// A name of a kind that permitted subtrees speak of must be in one of them; a name in an excluded subtree is refused
/// whatever is permitted.
public struct NameConstraints: CodedExtension {
    /// What is allowed.
    public let permitted: [GeneralName]
    /// What is not.
    public let excluded: [GeneralName]

    /// Takes subtrees: a domain with all below it as ``GeneralName/dns(_:)``, a network as ``GeneralName/ip(_:)`` with its
    /// mask, and so on.
    public init(permitted: [GeneralName] = [], excluded: [GeneralName] = []) {
        self.permitted = permitted
        self.excluded = excluded
    }

    /// 2.5.29.30.
    public static let identifier: ObjectIdentifier = "2.5.29.30"
    /// Always.
    public var isCriticalByDefault: Bool { true }

    init(_ node: ASN1Node) throws {
        (permitted, excluded) = try DER.sequence(node, identifier: .sequence) { nodes in
            let permitted = try NameConstraints.subtrees(&nodes, 0)
            return (permitted, try NameConstraints.subtrees(&nodes, 1))
        }
        guard !permitted.isEmpty || !excluded.isEmpty else { throw PKIXError(.malformed, "constraints of nothing") }
    }

    /// The minimum must be 0 and there must be no maximum (RFC 5280, 4.2.1.10).
    private static func subtrees(_ nodes: inout ASN1NodeCollection.Iterator, _ tag: UInt) throws -> [GeneralName] {
        try DER.optionalImplicitlyTagged(&nodes, tagNumber: tag, tagClass: .contextSpecific) { node in
            guard case .constructed(let subtrees) = node.content else { throw PKIXError(.malformed, "subtrees") }
            let names = try subtrees.map { subtree in
                try DER.sequence(subtree, identifier: .sequence) { nodes in
                    guard let base = nodes.next() else { throw PKIXError(.malformed, "a subtree") }
                    guard nodes.next() == nil else {
                        throw PKIXError(.unsupported, "a subtree with a minimum or maximum")
                    }
                    return try GeneralName(base)
                }
            }
            guard !names.isEmpty else { throw PKIXError(.malformed, "no subtrees") }
            return names
        } ?? []
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard !permitted.isEmpty || !excluded.isEmpty else { throw PKIXError(.invalidValue, "constraints of nothing") }
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            for (tag, names) in [(UInt(0), permitted), (1, excluded)] where !names.isEmpty {
                try coder.appendConstructedNode(
                    identifier: ASN1Identifier(tagWithNumber: tag, tagClass: .contextSpecific)
                ) { coder in
                    for name in names {
                        try coder.appendConstructedNode(identifier: .sequence) { try name.write(to: &$0) }
                    }
                }
            }
        }
    }
}
