internal import Cryptography

/// What an external key has encrypted: another ciphertext, of the material that the service keeps.
///
/// Layout (Documentation/Formats/CiphertextBlob.md): `C5 01 02 | material id 32 | metadata's length 1 | metadata | vector's length 1 |
/// vector | tag 16 | ciphertext`.
struct ExternalCiphertext: Sendable, Hashable {
    /// What the proxy wants back.
    let metadata: [UInt8]
    let vector: [UInt8]
    let tag: [UInt8]
    let ciphertext: [UInt8]

    init(metadata: [UInt8], vector: [UInt8], tag: [UInt8], ciphertext: [UInt8]) {
        (self.metadata, self.vector, self.tag, self.ciphertext) = (metadata, vector, tag, ciphertext)
    }

    /// Takes a blob apart; nil where it is none of these.
    init?(_ blob: [UInt8]) {
        var rest = blob.dropFirst(Ciphertext.materialRange.upperBound)
        func take(_ count: Int) -> [UInt8]? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        guard let length = rest.popFirst(), length <= XKS.largestMetadata, let metadata = take(Int(length)),
            let size = rest.popFirst(), size == 12 || size == 16, let vector = take(Int(size)), let tag = take(16)
        else { return nil }
        self.init(metadata: metadata, vector: vector, tag: tag, ciphertext: Array(rest))
    }

    func blob(_ id: MaterialID) -> Ciphertext {
        Ciphertext(
            unchecked: ExternalCiphertext.head(id) + [UInt8(metadata.count)] + metadata + [UInt8(vector.count)] + vector
                + tag + ciphertext)
    }

    /// What the external key authenticates: which material it is about, and the context. The proxy sees a hash of that.
    static func associatedData(
        _ id: MaterialID, _ context: EncryptionContext
    ) throws(CryptographyError) -> [UInt8] {
        try head(id) + HashFunction.sha256.hash(context.canonicalBytes).array
    }

    private static func head(_ id: MaterialID) -> [UInt8] {
        [0xC5, 1, Ciphertext.externalSuite] + id.bytes.indices.map { id.bytes[$0] }
    }
}
