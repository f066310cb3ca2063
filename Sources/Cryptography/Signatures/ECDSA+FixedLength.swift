/// The two forms of a signature: DER, and r || s in the curve's length (IEEE P1363), which PKCS #11, JOSE and COSE use.
extension ECDSA {
    /// A DER signature as r || s.
    ///
    /// - Throws: `invalidEncoding` for what is not a signature on the curve.
    public static func fixedLength(der: Span<UInt8>, _ curve: EllipticCurve) throws(CryptographyError) -> [UInt8] {
        let count = curve.coordinateByteCount
        var outer = DERReader(der)
        var reader = try outer.enter(.sequence)
        try outer.end()
        var signature = [UInt8](repeating: 0, count: 2 * count)
        for end in [count, 2 * count] {
            let number = try reader.takeUnsigned()
            guard number.count <= count else { throw DERReader.malformed }
            for index in number.indices { signature[end - number.count + index] = number[index] }
        }
        try reader.end()
        return signature
    }

    /// A signature r || s as DER.
    ///
    /// - Throws: `invalidEncoding` for another length.
    public static func der(fixedLength signature: Span<UInt8>, _ curve: EllipticCurve) throws(CryptographyError)
        -> [UInt8]
    {
        let count = curve.coordinateByteCount
        guard signature.count == 2 * count else {
            throw CryptographyError(.invalidEncoding, "a signature on \(curve.rawValue) has \(2 * count) bytes")
        }
        var writer = DERWriter(capacity: 2 * count + 16)
        writer.append(.sequence) { writer in
            writer.appendUnsigned(signature.extracting(..<count))
            writer.appendUnsigned(signature.extracting(count...))
        }
        return writer.array()
    }
}
