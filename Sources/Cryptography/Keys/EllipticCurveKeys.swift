internal import OpenSSLShim

/// A point on a curve: the public half of signing and of agreement keys alike.
struct EllipticCurvePoint<Curve: KeyCurve>: Sendable {
    let key: NativeKey
    let curve: Curve
    /// 04 || x || y (SEC 1, 2.3.3).
    let uncompressed: [UInt8]

    /// Reads an encoded point, compressed or not, and refuses one that is not on the curve.
    init(_ curve: Curve, encoded: Span<UInt8>) throws(CryptographyError) {
        do {
            key = try NativeKey.publicKey(curve: curve.name, point: encoded)
            let isUncompressed = encoded.count == 1 + 2 * curve.coordinateByteCount && encoded[0] == 4
            uncompressed = try isUncompressed ? encoded.array : key.publicPoint()
        } catch {
            throw CryptographyError(.invalidKey, "not a point on \(curve.name)")
        }
        self.curve = curve
    }

    init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
        let info = try SubjectPublicKeyInfo(bytes)
        guard let curve = Curve(info.algorithm) else {
            throw CryptographyError(.unsupported, "not a key on an elliptic curve")
        }
        try self.init(curve, encoded: info.key)
    }

    var subjectPublicKeyInfo: [UInt8] { SubjectPublicKeyInfo.encode(curve.algorithm, uncompressed.span) }

    /// 02 or 03, by y's last bit, and x.
    var compressed: [UInt8] {
        let count = curve.coordinateByteCount
        return [2 | (uncompressed.last ?? 0) & 1] + uncompressed[1...count]
    }
}

/// A private number with its point.
struct EllipticCurveKeyPair<Curve: KeyCurve>: Sendable {
    let key: NativeKey
    let curve: Curve

    init(_ curve: Curve) throws(CryptographyError) {
        key = try bridged { () throws(NativeError) in try curve.generate() }
        self.curve = curve
    }

    /// Takes a private number of the curve's length, from 1 to the order less 1.
    init(_ curve: Curve, scalar: Span<UInt8>) throws(CryptographyError) {
        guard scalar.count == curve.coordinateByteCount else {
            throw CryptographyError(.invalidKey, "a private number on \(curve.name) has another length")
        }
        do throws(NativeError) {
            key = try NativeKey.privateKey(curve: curve.name, scalar: scalar)
        } catch {
            if case .length = error { throw CryptographyError(.invalidKey, "a private number out of range") }
            throw CryptographyError(error)
        }
        self.curve = curve
    }

    init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
        let info = try PrivateKeyInfo(bytes)
        guard let curve = Curve(info.algorithm) else {
            throw CryptographyError(.unsupported, "not a key on an elliptic curve")
        }
        try self.init(sec1: info.key, curve)
        if let publicKey = info.publicKey { try check(publicKey) }
    }

    /// Reads an ECPrivateKey (RFC 5915), whose curve is known or stands in it.
    init(sec1 bytes: Span<UInt8>, _ known: Curve? = nil) throws(CryptographyError) {
        var outer = DERReader(bytes)
        var reader = try outer.enter(.sequence)
        try outer.end()
        guard try reader.takeSmall() == 1 else { throw DERReader.malformed }
        let scalar = try reader.take(.octetString)
        var curve = known
        if reader.isNext(.constructed(0)) {
            var parameters = try reader.enter(.constructed(0))
            let named = try parameters.takeIdentifier()
            try parameters.end()
            let found = Curve.allCases.first { $0.identifier == named }
            guard let found else { throw CryptographyError(.unsupported, "a key on the curve \(named)") }
            guard known == nil || known == found else { throw CryptographyError(.invalidKey, "two curves in one key") }
            curve = found
        }
        guard let curve else { throw CryptographyError(.invalidEncoding, "a key without its curve") }
        try self.init(curve, scalar: scalar)
        if reader.isNext(.constructed(1)) {
            var publicKey = try reader.enter(.constructed(1))
            try check(try publicKey.takeBits())
            try publicKey.end()
        }
        try reader.end()
    }

    var point: EllipticCurvePoint<Curve> {
        get throws(CryptographyError) {
            let encoded = try bridged { () throws(NativeError) in try key.publicPoint() }
            return try EllipticCurvePoint(curve, encoded: encoded.span)
        }
    }

    func scalar() throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: curve.coordinateByteCount) { bytes throws(CryptographyError) in
            do throws(NativeError) { try key.write("priv", into: &bytes) } catch { throw CryptographyError(error) }
        }
    }

    func sec1() throws(CryptographyError) -> SecretBytes {
        var writer = DERWriter()
        try append(to: &writer, namesCurve: true)
        return writer.secret()
    }

    func pkcs8() throws(CryptographyError) -> SecretBytes {
        try PrivateKeyInfo.encode(curve.algorithm) { writer throws(CryptographyError) in
            try append(to: &writer, namesCurve: false)
        }
    }

    private func append(to writer: inout DERWriter, namesCurve: Bool) throws(CryptographyError) {
        let scalar = try scalar()
        let point = try bridged { () throws(NativeError) in try key.publicPoint() }
        writer.append(.sequence) { writer in
            writer.appendSmall(1)
            writer.append(.octetString, scalar.bytes)
            if namesCurve { writer.append(.constructed(0)) { $0.append(curve.identifier) } }
            writer.append(.constructed(1)) { $0.appendBits(point.span) }
        }
    }

    /// A public key that came with the private one must be its own: tools that trust it would sign for another's.
    private func check(_ publicKey: Span<UInt8>) throws(CryptographyError) {
        let given = try EllipticCurvePoint(curve, encoded: publicKey)
        let own = try bridged { () throws(NativeError) in try key.publicPoint() }
        guard given.uncompressed == own else {
            throw CryptographyError(.invalidKey, "the public key is not the private key's")
        }
    }
}
