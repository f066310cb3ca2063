internal import Cryptography
internal import SwiftASN1

/// An extension of a certificate or a request (RFC 5280, 4.2), its value unread.
public struct CertificateExtension: Sendable, Hashable {
    /// What it is.
    public let identifier: ObjectIdentifier
    /// Whether whoever does not understand it must refuse the certificate.
    public let isCritical: Bool
    /// The content of its OCTET STRING.
    public let value: [UInt8]

    /// An extension of any kind.
    public init(_ identifier: ObjectIdentifier, isCritical: Bool, value: [UInt8]) {
        self.identifier = identifier
        self.isCritical = isCritical
        self.value = value
    }

    /// An extension of a kind that this library knows.
    ///
    /// - Parameter isCritical: what the standard says for its kind where nil.
    /// - Throws: `invalidValue` for a value that cannot be written.
    public init<Content: ExtensionContent>(_ content: Content, isCritical: Bool? = nil) throws(PKIXError) {
        identifier = Content.identifier
        self.isCritical = isCritical ?? content.isCriticalByDefault
        value = try encoded {
            var serializer = DER.Serializer()
            try content.write(to: &serializer)
            return serializer.serializedBytes
        }
    }
}

/// A kind of extension whose value this library reads and writes.
///
/// Conformers: ``BasicConstraints``, ``KeyUsage``, ``ExtendedKeyUsage``, ``SubjectAlternativeName``, ``NameConstraints``,
/// ``SubjectKeyIdentifier``, ``AuthorityKeyIdentifier``, ``AuthorityInformationAccess``, ``CRLDistributionPoints`` and
/// ``CertificatePolicies``.
public protocol ExtensionContent: Sendable, Hashable {
    /// What kind it is.
    static var identifier: ObjectIdentifier { get }
    /// Whether the standard has it critical.
    var isCriticalByDefault: Bool { get }
    /// Reads a value.
    init(derEncoded: [UInt8]) throws(PKIXError)
    /// The value in DER.
    func derEncoded() throws(PKIXError) -> [UInt8]
}

/// How this module's kinds read and write themselves.
protocol CodedExtension: ExtensionContent {
    init(_ node: ASN1Node) throws
    func write(to serializer: inout DER.Serializer) throws
}

extension ExtensionContent {
    fileprivate func write(to serializer: inout DER.Serializer) throws {
        serializer.serializeRawBytes(try derEncoded())
    }
}

extension CodedExtension {
    /// Reads a value.
    public init(derEncoded bytes: [UInt8]) throws(PKIXError) {
        self = try decoded("the extension \(Self.identifier)") { try Self(DER.parse(bytes)) }
    }

    /// The value in DER.
    public func derEncoded() throws(PKIXError) -> [UInt8] {
        try encoded {
            var serializer = DER.Serializer()
            try write(to: &serializer)
            return serializer.serializedBytes
        }
    }
}

/// The extensions of a certificate or a request, each kind once.
public struct CertificateExtensions: Sendable, Hashable, RandomAccessCollection {
    private var all: [CertificateExtension] = []

    /// Takes extensions.
    ///
    /// - Throws: `malformed` where one kind stands twice (RFC 5280, 4.2).
    public init(_ extensions: [CertificateExtension] = []) throws(PKIXError) {
        for one in extensions { try append(one) }
    }

    /// None.
    public static let none = CertificateExtensions()

    private init() {}

    /// Adds an extension.
    ///
    /// - Throws: `malformed` where its kind is there already.
    public mutating func append(_ one: CertificateExtension) throws(PKIXError) {
        guard self[one.identifier] == nil else {
            throw PKIXError(.malformed, "the extension \(one.identifier) stands twice")
        }
        all.append(one)
    }

    /// The extension of a kind, unread; nil where there is none.
    public subscript(identifier: ObjectIdentifier) -> CertificateExtension? {
        all.first { $0.identifier == identifier }
    }

    /// The value of a kind; nil where there is none.
    ///
    /// - Throws: `malformed`, `unsupported`.
    public func value<Content: ExtensionContent>(_ kind: Content.Type) throws(PKIXError) -> Content? {
        guard let found = self[Content.identifier] else { return nil }
        return try Content(derEncoded: found.value)
    }

    /// The first place.
    public var startIndex: Int { 0 }
    /// The place behind the last.
    public var endIndex: Int { all.count }
    /// The extension of a place.
    public subscript(index: Int) -> CertificateExtension { all[index] }
}

extension CertificateExtensions {
    /// Reads a SEQUENCE OF Extension.
    init(reading element: Span<UInt8>) throws {
        self.init()
        var outer = DERReader(element)
        var list = try outer.enter(.sequence)
        try outer.end()
        while !list.isAtEnd {
            // Each is compared with all before it.
            guard count < 256 else { throw PKIXError(.unsupported, "more than 256 extensions") }
            var one = try list.enter(.sequence)
            let identifier = try ObjectIdentifier(try one.takeIdentifier())
            let isCritical = try one.takeFlag()
            let value = try one.take(.octetString).array
            try one.end()
            try append(CertificateExtension(identifier, isCritical: isCritical, value: value))
        }
        guard !isEmpty else { throw PKIXError(.malformed, "a list of no extensions") }
    }

    /// Writes a SEQUENCE OF Extension.
    func write(to coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { coder in
            for one in all {
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    one.identifier.write(to: &coder)
                    if one.isCritical { try coder.serialize(true) }
                    coder.appendPrimitiveNode(identifier: .octetString) { $0 += one.value }
                }
            }
        }
    }
}
