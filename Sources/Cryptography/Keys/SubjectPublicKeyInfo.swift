/// A public key as certificates carry it (RFC 5280, 4.1.2.7).
struct SubjectPublicKeyInfo: ~Escapable {
    let algorithm: KeyAlgorithm
    /// The bits of the key: a point, an RSAPublicKey, or 32 bytes.
    let key: Span<UInt8>

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws(CryptographyError) {
        var outer = DERReader(bytes)
        var reader = try outer.enter(.sequence)
        try outer.end()
        algorithm = try KeyAlgorithm(&reader)
        key = try reader.takeBits()
        try reader.end()
    }

    static func encode(_ algorithm: KeyAlgorithm, _ key: Span<UInt8>) -> [UInt8] {
        var writer = DERWriter(capacity: 128 + key.count)
        writer.append(.sequence) { writer in
            algorithm.append(to: &writer)
            writer.appendBits(key)
        }
        return writer.array()
    }
}
