public import Cryptography

/// A secret that only one recipient opens: CMS EnvelopedData (RFC 5652, 6) with a content key of AES-256-CBC that is encrypted by
/// RSAES-OAEP with SHA-256 (RFC 4055, 4.1), as AWS KMS answers calls with an attestation.
///
/// It says nothing of who made it: whoever has the public key can make one.
public struct RecipientEnvelope: Sendable, Hashable {
    /// A ContentInfo in DER.
    public let bytes: [UInt8]

    /// Takes an envelope that was received.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Seals a secret for a key.
    public init(
        _ secret: borrowing SecretBytes, for recipient: RSA.PublicKey
    ) throws(CryptographyError) {
        let key = try SecretBytes.random(count: 32)
        let vector = try SecretBytes.random(count: 16)
        let encryptedKey = try recipient.encrypt(key, using: .rsaOAEPSHA256)
        let cipher = try UnauthenticatedAES.CBC(key: key)
        let plaintext = secret.bytes
        let initializationVector = vector.bytes
        let content = try cipher.encrypt(plaintext, initializationVector: initializationVector)
        // The key's name (RFC 7093, section 2, method 1): the beginning of the hash of its bits.
        let name = try HashFunction.sha256.hash(recipient.pkcs1.span).array.prefix(20)
        var writer = DERWriter(capacity: content.count + 512)
        writer.append(.sequence) { writer in
            writer.append(Identifier.envelopedData)
            writer.append(.constructed(0)) { writer in
                writer.append(.sequence) { writer in
                    writer.appendSmall(2)
                    writer.append(.set) { writer in
                        writer.append(.sequence) { writer in
                            writer.appendSmall(2)
                            writer.append(.primitive(0), name.span)
                            RecipientEnvelope.appendOAEP(&writer)
                            writer.append(.octetString, encryptedKey.span)
                        }
                    }
                    writer.append(.sequence) { writer in
                        writer.append(Identifier.data)
                        writer.append(.sequence) { writer in
                            writer.append(Identifier.aes256CBC)
                            writer.append(.octetString, initializationVector)
                        }
                        writer.append(.primitive(0), content.span)
                    }
                }
            }
        }
        bytes = writer.array()
    }

    /// Opens it with the recipient's key. One recipient, DER.
    ///
    /// - Throws: `invalidCiphertext` for whatever does not open.
    public func open(with recipient: some Decryptor) async throws(KeyManagementError) -> SecretBytes {
        do {
            let parts = try parse()
            let key = try await recipient.decrypt(parts.key.span, using: .rsaOAEPSHA256)
            return try UnauthenticatedAES.CBC(key: key).decrypt(
                parts.content.span, initializationVector: parts.vector.span)
        } catch { throw KeyManagementError(.invalidCiphertext) }
    }

    private func parse() throws(CryptographyError) -> (key: [UInt8], vector: [UInt8], content: [UInt8]) {
        var outer = DERReader(bytes.span)
        var info = try outer.enter(.sequence)
        try outer.end()
        try RecipientEnvelope.require(Identifier.envelopedData, &info)
        var explicit = try info.enter(.constructed(0))
        try info.end()
        var enveloped = try explicit.enter(.sequence)
        try explicit.end()
        guard try enveloped.takeSmall() == 2 else { throw RecipientEnvelope.malformed }
        var recipients = try enveloped.enter(.set)
        var recipient = try recipients.enter(.sequence)
        try recipients.end()
        guard try recipient.takeSmall() == 2 else { throw RecipientEnvelope.malformed }
        _ = try recipient.take(.primitive(0))
        try RecipientEnvelope.requireOAEP(&recipient)
        let key = try recipient.take(.octetString).array
        try recipient.end()
        var content = try enveloped.enter(.sequence)
        try enveloped.end()
        try RecipientEnvelope.require(Identifier.data, &content)
        var cipher = try content.enter(.sequence)
        try RecipientEnvelope.require(Identifier.aes256CBC, &cipher)
        let vector = try cipher.take(.octetString).array
        try cipher.end()
        let encrypted = try content.take(.primitive(0)).array
        try content.end()
        return (key, vector, encrypted)
    }

    private static var malformed: CryptographyError { CryptographyError(.invalidEncoding) }

    private static func require(
        _ identifier: DERObjectIdentifier, _ reader: inout DERReader
    ) throws(CryptographyError) {
        guard try reader.takeIdentifier() == identifier else { throw malformed }
    }

    private enum Identifier {
        static let envelopedData = DERObjectIdentifier(1, 2, 840, 113549, 1, 7, 3)
        static let data = DERObjectIdentifier(1, 2, 840, 113549, 1, 7, 1)
        static let aes256CBC = DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 1, 42)
        static let oaep = DERObjectIdentifier(1, 2, 840, 113549, 1, 1, 7)
        static let mgf1 = DERObjectIdentifier(1, 2, 840, 113549, 1, 1, 8)
        static let sha256 = DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 2, 1)
    }
}

/// RSAES-OAEP-params with SHA-256 for hash and mask (RFC 4055, 4.1).
extension RecipientEnvelope {
    private static func appendOAEP(_ writer: inout DERWriter) {
        writer.append(.sequence) { writer in
            writer.append(Identifier.oaep)
            writer.append(.sequence) { writer in
                writer.append(.constructed(0)) { appendHash(&$0) }
                writer.append(.constructed(1)) { writer in
                    writer.append(.sequence) { writer in
                        writer.append(Identifier.mgf1)
                        appendHash(&writer)
                    }
                }
            }
        }
    }

    private static func appendHash(_ writer: inout DERWriter) {
        writer.append(.sequence) { writer in
            writer.append(Identifier.sha256)
            writer.appendNull()
        }
    }

    private static func requireOAEP(_ reader: inout DERReader) throws(CryptographyError) {
        var algorithm = try reader.enter(.sequence)
        try require(Identifier.oaep, &algorithm)
        var parameters = try algorithm.enter(.sequence)
        try algorithm.end()
        var hash = try parameters.enter(.constructed(0))
        try requireHash(&hash)
        var mask = try parameters.enter(.constructed(1))
        try parameters.end()
        var function = try mask.enter(.sequence)
        try mask.end()
        try require(Identifier.mgf1, &function)
        try requireHash(&function)
    }

    /// The parameters may be absent or NULL (RFC 4055, 2.1).
    private static func requireHash(_ reader: inout DERReader) throws(CryptographyError) {
        var algorithm = try reader.enter(.sequence)
        try reader.end()
        try require(Identifier.sha256, &algorithm)
        if !algorithm.isAtEnd { _ = try algorithm.take(.null) }
        try algorithm.end()
    }
}
