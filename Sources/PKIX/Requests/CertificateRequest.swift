public import Cryptography
internal import SwiftASN1

/// A request for a certificate (PKCS #10, RFC 2986), signed with the key that it is for.
public struct CertificateRequest: Sendable, Hashable {
    /// The request in DER.
    public let derEncoded: [UInt8]
    /// Whose certificate it is to be.
    public let subject: DistinguishedName
    /// The key as a SubjectPublicKeyInfo in DER.
    public let subjectPublicKeyInfo: [UInt8]
    /// The extensions that are asked for (extensionRequest, RFC 2985, 5.4.2).
    public let extensions: CertificateExtensions
    /// How it was signed; nil for a way that this library does not have.
    public let signatureAlgorithm: SignatureAlgorithm?

    private let signature: [UInt8]
    private let signed: Range<Int>

    /// Reads a request in DER.
    ///
    /// - Throws: `malformed`.
    public init(derEncoded bytes: [UInt8]) throws(PKIXError) {
        self = try decoded("a certificate request") { try CertificateRequest(parsing: bytes) }
    }

    private init(parsing bytes: [UInt8]) throws {
        let malformed = PKIXError(.malformed, "a certificate request")
        guard bytes.count <= SignedBytes.largest else {
            throw PKIXError(.unsupported, "a request of \(bytes.count) bytes")
        }
        let root = try DER.parse(bytes)
        guard root.identifier == .sequence, case .constructed(let outer) = root.content else { throw malformed }
        var parts = outer.makeIterator()
        guard let body = parts.next(), body.identifier == .sequence, case .constructed(let fields) = body.content,
            let algorithm = parts.next()
        else { throw malformed }
        let signature = try ASN1BitString(derEncoded: &parts)
        guard parts.next() == nil, signature.paddingBits == 0 else { throw malformed }
        var inner = fields.makeIterator()
        guard try Int(derEncoded: &inner) == 0, let subject = inner.next(), let key = inner.next(),
            key.identifier == .sequence, let attributes = inner.next(),
            attributes.identifier == ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific), inner.next() == nil
        else { throw malformed }
        derEncoded = bytes
        self.subject = try DistinguishedName(derEncoded: Array(subject.encodedBytes))
        subjectPublicKeyInfo = Array(key.encodedBytes)
        extensions = try CertificateRequest.extensions(attributes)
        signatureAlgorithm = SignatureAlgorithmIdentifier.decode(algorithm.encodedBytes)
        self.signature = Array(signature.bytes)
        signed = body.encodedBytes.startIndex..<body.encodedBytes.endIndex
    }

    private static let extensionRequest: ObjectIdentifier = "1.2.840.113549.1.9.14"

    private static func extensions(_ attributes: ASN1Node) throws -> CertificateExtensions {
        guard case .constructed(let nodes) = attributes.content else { throw PKIXError(.malformed, "attributes") }
        var found = CertificateExtensions.none
        for node in nodes {
            try DER.sequence(node, identifier: .sequence) { parts in
                let type = try ObjectIdentifier(&parts)
                guard let values = parts.next(), values.identifier == .set, case .constructed(let set) = values.content
                else { throw PKIXError(.malformed, "an attribute") }
                guard type == extensionRequest else { return }
                var iterator = set.makeIterator()
                guard found.isEmpty, let value = iterator.next(), iterator.next() == nil else {
                    throw PKIXError(.malformed, "an extension request")
                }
                found = try CertificateExtensions(reading: value.encodedBytes.span)
            }
        }
        return found
    }

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - subject: whose certificate it is to be.
    ///   - extensions: what is asked for, such as ``SubjectAlternativeName``.
    ///   - signer: the key that the certificate is for.
    ///   - algorithm: how to sign; the signer's best way where nil.
    /// - Throws: `signerFailure`, `unsupported`.
    public static func make(
        subject: DistinguishedName, extensions: CertificateExtensions = .none, signedBy signer: some Signer,
        using algorithm: SignatureAlgorithm? = nil
    ) async throws(PKIXError) -> CertificateRequest {
        let (algorithm, identifier) = try SignedBytes.algorithm(signer, algorithm)
        let body = try encoded {
            var serializer = DER.Serializer()
            try serializer.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(0)
                coder.serializeRawBytes(subject.derEncoded)
                coder.serializeRawBytes(try signer.subjectPublicKeyInfo)
                try coder.appendConstructedNode(
                    identifier: ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
                ) { coder in
                    guard !extensions.isEmpty else { return }
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        extensionRequest.write(to: &coder)
                        try coder.appendConstructedNode(identifier: .set) { try extensions.write(to: &$0) }
                    }
                }
            }
            return serializer.serializedBytes
        }
        let signature = try await Issuance.sign(body, signer, algorithm)
        return try CertificateRequest(derEncoded: try encoded { try SignedBytes.joined(body, identifier, signature) })
    }

    /// Whether it is signed with its own key: whoever made it has that key.
    ///
    /// - Throws: `unsupported`, `malformed` for a key that is none.
    public var isSelfSigned: Bool {
        get throws(PKIXError) {
            let info = subjectPublicKeyInfo
            return try SignedBytes.isValid(signature, signatureAlgorithm, over: derEncoded[signed]) {
                try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
            }
        }
    }

    /// Compares the bytes.
    public static func == (left: CertificateRequest, right: CertificateRequest) -> Bool {
        left.derEncoded == right.derEncoded
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(derEncoded) }
}
