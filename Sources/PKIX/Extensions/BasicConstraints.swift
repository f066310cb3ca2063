internal import SwiftASN1

/// Whether a certificate is an authority's, and how many authorities may stand below it (RFC 5280, 4.2.1.9).
public struct BasicConstraints: CodedExtension {
    /// Whether its key signs certificates.
    public let isAuthority: Bool
    /// How many authorities that issued others may follow it in a path; nil for any number.
    public let pathLength: Int?

    /// An authority.
    public static func authority(pathLength: Int? = nil) -> BasicConstraints {
        BasicConstraints(isAuthority: true, pathLength: pathLength)
    }

    /// None.
    public static let endEntity = BasicConstraints(isAuthority: false, pathLength: nil)

    private init(isAuthority: Bool, pathLength: Int?) {
        self.isAuthority = isAuthority
        self.pathLength = pathLength
    }

    /// 2.5.29.19.
    public static let identifier: ObjectIdentifier = "2.5.29.19"
    /// For authorities.
    public var isCriticalByDefault: Bool { isAuthority }

    init(_ node: ASN1Node) throws {
        (isAuthority, pathLength) = try DER.sequence(node, identifier: .sequence) { nodes in
            let isAuthority = try DER.decodeDefault(&nodes, identifier: .boolean, defaultValue: false) {
                try Bool(derEncoded: $0, withIdentifier: .boolean)
            }
            let length: Int? = try DER.optionalImplicitlyTagged(&nodes, tag: .integer)
            return (isAuthority, length)
        }
        guard pathLength.map({ $0 >= 0 && isAuthority }) ?? true else {
            throw PKIXError(.malformed, "basic constraints")
        }
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard pathLength.map({ $0 >= 0 }) ?? true else { throw PKIXError(.invalidValue, "a path's length below 0") }
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            if isAuthority { try coder.serialize(true) }
            if let pathLength { try coder.serialize(pathLength) }
        }
    }
}
