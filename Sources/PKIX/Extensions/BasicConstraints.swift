internal import Cryptography
internal import SwiftASN1

/// Whether a certificate is an authority's, and how many authorities may stand below it (RFC 5280, 4.2.1.9).
public struct BasicConstraints: ExtensionContent {
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

    /// Reads a value.
    public init(derEncoded: [UInt8]) throws(PKIXError) {
        (isAuthority, pathLength) = try decoded("basic constraints") {
            var outer = DERReader(derEncoded.span)
            var reader = try outer.enter(.sequence)
            try outer.end()
            let isAuthority = try reader.takeFlag()
            let length: Int? = reader.isNext(.integer) ? try reader.takeSmall() : nil
            try reader.end()
            guard length == nil || isAuthority else { throw PKIXError(.malformed, "basic constraints") }
            return (isAuthority, length)
        }
    }

    /// The value in DER.
    public func derEncoded() throws(PKIXError) -> [UInt8] {
        guard (0...Int(Int32.max)).contains(pathLength ?? 0) else { throw PKIXError(.invalidValue, "a path's length") }
        return try encoded {
            var serializer = DER.Serializer()
            try serializer.appendConstructedNode(identifier: .sequence) { coder in
                if isAuthority { try coder.serialize(true) }
                if let pathLength { try coder.serialize(pathLength) }
            }
            return serializer.serializedBytes
        }
    }
}
