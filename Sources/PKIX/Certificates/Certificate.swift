public import Cryptography
internal import SwiftASN1
internal import Synchronization

/// A certificate of X.509, version 3 (RFC 5280).
///
/// Reading one checks its form; names and extensions are taken apart when asked for. What was read is written again byte for
/// byte. To read one is not to believe it: see ``PathValidator``.
public struct Certificate: Sendable, Hashable {
    private let storage: Storage

    private final class Storage: Sendable {
        let derEncoded: [UInt8]
        let signed: Range<Int>
        let fields: Fields
        let algorithm: SignatureAlgorithm?
        let signature: [UInt8]
        /// The key, read when it is first needed: an authority's checks many signatures.
        private let key = Mutex<(any VerificationKey)?>(nil)

        func verificationKey() throws(CryptographyError) -> any VerificationKey {
            if let known = key.withLock({ $0 }) { return known }
            let info = fields.subjectPublicKeyInfo
            let read = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
            key.withLock { $0 = read }
            return read
        }

        init(
            _ template: CertificateTemplate, _ bytes: [UInt8], _ bodyCount: Int, _ algorithm: SignatureAlgorithm,
            _ signature: [UInt8]
        ) {
            derEncoded = bytes
            // Before it stands the length of the whole, of one byte or more, behind it the rest.
            let start = bytes[1] < 0x80 ? 2 : 2 + Int(bytes[1] & 0x7F)
            signed = start..<(start + bodyCount)
            fields = Fields(template)
            self.algorithm = algorithm
            self.signature = signature
        }

        init(_ bytes: [UInt8]) throws {
            guard bytes.count <= SignedBytes.largest else {
                throw PKIXError(.unsupported, "a certificate of \(bytes.count) bytes")
            }
            var outer = DERReader(bytes.span)
            var parts = try outer.enter(.sequence)
            try outer.end()
            let start = bytes.count - parts.remaining
            let body = try parts.takeElement()
            signed = start..<(start + body.count)
            let algorithm = try parts.takeElement()
            signature = try parts.takeBits().array
            try parts.end()
            derEncoded = bytes
            fields = try Fields(body, algorithm)
            self.algorithm = SignatureAlgorithmIdentifier.decode(algorithm.array[...])
        }
    }

    /// A certificate that has just been written: it says what its template says.
    init(
        _ template: CertificateTemplate, body: [UInt8], algorithm: SignatureAlgorithm, identifier: [UInt8],
        signature: [UInt8]
    ) throws(PKIXError) {
        let bytes = try encoded { try SignedBytes.joined(body, identifier, signature) }
        storage = Storage(template, bytes, body.count, algorithm, signature)
    }

    /// Reads a certificate in DER.
    ///
    /// - Throws: `malformed`, `unsupported` for another version than 1 and 3.
    public init(derEncoded bytes: [UInt8]) throws(PKIXError) {
        storage = try decoded("a certificate") { try Storage(bytes) }
    }

    /// The certificate in DER.
    public var derEncoded: [UInt8] { storage.derEncoded }
    /// 1 or 3.
    public var version: Int { storage.fields.version }
    /// Its issuer's number of it.
    public var serialNumber: SerialNumber { storage.fields.serialNumber }
    /// Who issued it.
    public var issuer: DistinguishedName { storage.fields.issuer }
    /// From when until when it is valid.
    public var validity: Validity { storage.fields.validity }
    /// Whose it is.
    public var subject: DistinguishedName { storage.fields.subject }
    /// Its key as a SubjectPublicKeyInfo in DER.
    public var subjectPublicKeyInfo: [UInt8] { storage.fields.subjectPublicKeyInfo }
    /// Its extensions.
    public var extensions: CertificateExtensions { storage.fields.extensions }
    /// How it was signed; nil for a way that this library does not have.
    public var signatureAlgorithm: SignatureAlgorithm? { storage.algorithm }
    /// Its signature.
    public var signature: [UInt8] { storage.signature }
    /// What the signature is over.
    public var signedBytes: ArraySlice<UInt8> { storage.derEncoded[storage.signed] }

    /// Whether subject and issuer are the same: the top of a chain, or a link between an authority's old key and its new one.
    public var isSelfIssued: Bool { subject == issuer }

    /// Whether its signature is a key's.
    ///
    /// - Parameter subjectPublicKeyInfo: the issuer's key.
    /// - Throws: `unsupported` for an algorithm or a key that this library does not have; `malformed` for bytes that are no
    ///   key.
    public func isSigned(by subjectPublicKeyInfo: [UInt8]) throws(PKIXError) -> Bool {
        try SignedBytes.isValid(signature, signatureAlgorithm, over: signedBytes) {
            try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: subjectPublicKeyInfo.span)
        }
    }

    /// Whether its signature is the key's of another.
    func isSigned(by issuer: Certificate) throws(PKIXError) -> Bool {
        try SignedBytes.isValid(signature, signatureAlgorithm, over: signedBytes) {
            try issuer.storage.verificationKey()
        }
    }

    /// Compares the bytes.
    public static func == (left: Certificate, right: Certificate) -> Bool {
        left.storage === right.storage || left.derEncoded == right.derEncoded
    }

    /// Hashes the signature, which is another for other bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(signature) }
}

extension Certificate: CustomStringConvertible {
    /// Subject and serial number.
    public var description: String { "\(subject.isEmpty ? "(no subject)" : subject.description) [\(serialNumber)]" }
}

/// The parts of a TBSCertificate (RFC 5280, 4.1.2).
private struct Fields {
    let version: Int
    let serialNumber: SerialNumber
    let issuer: DistinguishedName
    let validity: Validity
    let subject: DistinguishedName
    let subjectPublicKeyInfo: [UInt8]
    let extensions: CertificateExtensions

    /// What a template says.
    init(_ template: CertificateTemplate) {
        version = 3
        serialNumber = template.serialNumber
        issuer = template.issuer
        validity = template.validity
        subject = template.subject
        subjectPublicKeyInfo = template.subjectPublicKeyInfo
        extensions = template.extensions
    }

    /// - Parameter algorithm: the identifier outside, which the one inside must equal (4.1.1.2).
    init(_ body: Span<UInt8>, _ algorithm: Span<UInt8>) throws {
        let malformed = PKIXError(.malformed, "a certificate")
        var whole = DERReader(body)
        var reader = try whole.enter(.sequence)
        // DER leaves the default out; version 2 was never used.
        if reader.isNext(.constructed(0)) {
            var version = try reader.enter(.constructed(0))
            guard try version.takeSmall() == 2 else {
                throw PKIXError(.unsupported, "certificates of another version")
            }
            try version.end()
            self.version = 3
        } else {
            version = 1
        }
        let number = try reader.take(.integer)
        guard
            number.count == 1
                || number.count > 1 && !(number[0] == 0 && number[1] < 0x80)
                    && !(number[0] == 0xFF && number[1] >= 0x80)
        else { throw malformed }
        serialNumber = SerialNumber(number.array)
        let inner = try reader.takeElement()
        guard inner[0] == DERTag.sequence.rawValue, inner.array == algorithm.array else { throw malformed }
        issuer = try DistinguishedName(reading: try reader.takeElement())
        validity = try Validity(&reader)
        subject = try DistinguishedName(reading: try reader.takeElement())
        guard reader.isNext(.sequence) else { throw malformed }
        subjectPublicKeyInfo = try reader.takeElement().array
        // Identifiers of issuer and subject are long gone, and still read over.
        for tag in [DERTag.primitive(1), .primitive(2)] where version == 3 && reader.isNext(tag) {
            _ = try reader.take(tag)
        }
        if version == 3, reader.isNext(.constructed(3)) {
            var outer = try reader.enter(.constructed(3))
            extensions = try CertificateExtensions(reading: try outer.takeElement())
            try outer.end()
        } else {
            extensions = .none
        }
        try reader.end()
    }
}

/// What certificates and requests have in common: bytes, and a signature over them.
enum SignedBytes {
    /// A mebibyte: more than any honest one has.
    static let largest = 1 << 20

    static func isValid(
        _ signature: [UInt8], _ algorithm: SignatureAlgorithm?, over bytes: ArraySlice<UInt8>,
        by key: () throws -> any VerificationKey
    ) throws(PKIXError) -> Bool {
        guard let algorithm else { throw PKIXError(.unsupported, "the signature's algorithm") }
        return try decoded("a public key") {
            let key = try key()
            let message = Array(bytes)
            do throws(CryptographyError) {
                return try key.isValid(signature.span, for: message.span, using: algorithm)
            } catch {
                // A key of another kind has not made it.
                if error.code == .unsupported { return false }
                throw error
            }
        }
    }

    /// SEQUENCE { bytes, algorithm, signature }.
    static func joined(_ bytes: [UInt8], _ algorithm: [UInt8], _ signature: [UInt8]) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            coder.serializeRawBytes(bytes)
            coder.serializeRawBytes(algorithm)
            try coder.serialize(ASN1BitString(bytes: signature[...]))
        }
        return serializer.serializedBytes
    }

    /// The algorithm that a signer uses where none is asked for: its best one that certificates have.
    static func algorithm(
        _ signer: some Signer, _ wanted: SignatureAlgorithm?
    ) throws(PKIXError) -> (SignatureAlgorithm, derEncoded: [UInt8]) {
        if let wanted { return (wanted, try SignatureAlgorithmIdentifier.encode(wanted)) }
        for algorithm in signer.signatureAlgorithms {
            if let derEncoded = try? SignatureAlgorithmIdentifier.encode(algorithm) { return (algorithm, derEncoded) }
        }
        throw PKIXError(.unsupported, "the key signs in no way that certificates have")
    }
}
