/// A private key as PKCS #8 carries it (RFC 5958): version 1, or 2 with the public key beside.
struct PrivateKeyInfo: ~Escapable {
    let algorithm: KeyAlgorithm
    /// The content of the key's OCTET STRING.
    let key: Span<UInt8>
    /// The public key, where it is there.
    let publicKey: Span<UInt8>?

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) throws(CryptographyError) {
        var outer = DERReader(bytes)
        var reader = try outer.enter(.sequence)
        try outer.end()
        let version = try reader.takeSmall()
        guard version <= 1 else { throw DERReader.malformed }
        algorithm = try KeyAlgorithm(&reader)
        key = try reader.take(.octetString)
        // Attributes say nothing about the key itself.
        if reader.isNext(.constructed(0)) { _ = try reader.take(.constructed(0)) }
        if version == 1, reader.isNext(.primitive(1)) {
            publicKey = try reader.takeBits(.primitive(1))
        } else {
            publicKey = nil
        }
        try reader.end()
    }

    /// Writes version 1 around what `body` appends as the content of the key.
    static func encode<E: Error>(
        _ algorithm: KeyAlgorithm, _ body: (inout DERWriter) throws(E) -> Void
    ) throws(E) -> SecretBytes {
        var writer = DERWriter(capacity: algorithm == .rsa ? 4096 : 512)
        try writer.append(.sequence) { writer throws(E) in
            writer.appendSmall(0)
            algorithm.append(to: &writer)
            try writer.append(.octetString, body)
        }
        return writer.secret()
    }
}
