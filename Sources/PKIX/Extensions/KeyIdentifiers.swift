internal import SwiftASN1

/// A short name of the certificate's own key (RFC 5280, 4.2.1.2).
public struct SubjectKeyIdentifier: CodedExtension {
    /// The name.
    public let bytes: [UInt8]

    /// A name that was read.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The first 160 bits of the SHA-256 of the key's bits (RFC 7093, section 2, method 1).
    ///
    /// - Throws: `malformed` for bytes that are no SubjectPublicKeyInfo.
    public init(hashing subjectPublicKeyInfo: [UInt8]) throws(PKIXError) {
        let key = try decoded("a public key") {
            try DER.sequence(DER.parse(subjectPublicKeyInfo), identifier: .sequence) { nodes in
                _ = nodes.next()
                return try ASN1BitString(derEncoded: &nodes).bytes
            }
        }
        bytes = try decoded("a public key") { Array(try HashFunction.sha256.hash(Array(key)).array.prefix(20)) }
    }

    /// 2.5.29.14.
    public static let identifier: ObjectIdentifier = "2.5.29.14"
    /// Never.
    public var isCriticalByDefault: Bool { false }

    init(_ node: ASN1Node) throws { bytes = Array(try ASN1OctetString(derEncoded: node).bytes) }

    func write(to serializer: inout DER.Serializer) throws {
        try serializer.serialize(ASN1OctetString(contentBytes: bytes[...]))
    }
}

/// The short name of the issuer's key, and which of the issuer's certificates is meant (RFC 5280, 4.2.1.1).
public struct AuthorityKeyIdentifier: CodedExtension {
    /// The issuer's key's name.
    public let keyIdentifier: [UInt8]?
    /// The issuer of the issuer's certificate.
    public let issuer: [GeneralName]
    /// The issuer's certificate's serial number.
    public let serialNumber: SerialNumber?

    /// The issuer's key's name alone, as new certificates have it.
    public init(_ keyIdentifier: [UInt8]) {
        self.keyIdentifier = keyIdentifier
        issuer = []
        serialNumber = nil
    }

    /// 2.5.29.35.
    public static let identifier: ObjectIdentifier = "2.5.29.35"
    /// Never.
    public var isCriticalByDefault: Bool { false }

    init(_ node: ASN1Node) throws {
        (keyIdentifier, issuer, serialNumber) = try DER.sequence(node, identifier: .sequence) { nodes in
            let key = try DER.optionalImplicitlyTagged(
                &nodes, tagNumber: 0, tagClass: .contextSpecific
            ) { try ASN1OctetString(derEncoded: $0, withIdentifier: $0.identifier) }
            let issuer = try DER.optionalImplicitlyTagged(
                &nodes, tagNumber: 1, tagClass: .contextSpecific
            ) { try GeneralNames.names($0, $0.identifier) }
            let serial = try DER.optionalImplicitlyTagged(
                &nodes, tagNumber: 2, tagClass: .contextSpecific
            ) { node in
                guard case .primitive(let number) = node.content, !number.isEmpty else {
                    throw PKIXError(.malformed, "a serial number")
                }
                return SerialNumber(Array(number))
            }
            return (key.map { Array($0.bytes) }, issuer ?? [], serial)
        }
    }

    func write(to serializer: inout DER.Serializer) throws {
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            func tag(_ number: UInt) -> ASN1Identifier {
                ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
            }
            if let keyIdentifier { coder.appendPrimitiveNode(identifier: tag(0)) { $0 += keyIdentifier } }
            if !issuer.isEmpty { try GeneralNames.write(issuer, to: &coder, as: tag(1)) }
            if let serialNumber { coder.appendPrimitiveNode(identifier: tag(2)) { $0 += serialNumber.bytes } }
        }
    }
}
