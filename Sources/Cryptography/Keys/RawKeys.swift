internal import OpenSSLShim

/// The two algorithms over Curve25519, whose keys are 32 bytes (RFC 8410).
enum RawKeyKind: String, Sendable {
    case ed25519 = "ED25519"
    case x25519 = "X25519"

    var algorithm: KeyAlgorithm { self == .ed25519 ? .ed25519 : .x25519 }
    static let byteCount = 32
}

/// A public key that is 32 bytes.
struct RawPublicKey: Sendable {
    let key: NativeKey
    let kind: RawKeyKind
    let bytes: [UInt8]

    init(_ kind: RawKeyKind, _ bytes: Span<UInt8>) throws(CryptographyError) {
        guard bytes.count == RawKeyKind.byteCount else {
            throw CryptographyError(.invalidKey, "an \(kind.rawValue) key has \(RawKeyKind.byteCount) bytes")
        }
        let key = try bridged { () throws(NativeError) in try NativeKey.publicKey(raw: kind.rawValue, bytes) }
        self.bytes = try bridged { () throws(NativeError) in try key.rawPublicKey() }
        self.key = key
        self.kind = kind
    }

    init(_ kind: RawKeyKind, subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
        let info = try SubjectPublicKeyInfo(bytes)
        guard info.algorithm == kind.algorithm else {
            throw CryptographyError(.unsupported, "not an \(kind.rawValue) key")
        }
        try self.init(kind, info.key)
    }

    var subjectPublicKeyInfo: [UInt8] { SubjectPublicKeyInfo.encode(kind.algorithm, bytes.span) }
}

/// A private key that is 32 bytes, with its public half.
struct RawKeyPair: Sendable {
    let key: NativeKey
    let kind: RawKeyKind

    init(_ kind: RawKeyKind) throws(CryptographyError) {
        key = try bridged { () throws(NativeError) in try NativeKey.generate(raw: kind.rawValue) }
        self.kind = kind
    }

    init(_ kind: RawKeyKind, _ bytes: Span<UInt8>) throws(CryptographyError) {
        guard bytes.count == RawKeyKind.byteCount else {
            throw CryptographyError(.invalidKey, "an \(kind.rawValue) key has \(RawKeyKind.byteCount) bytes")
        }
        key = try bridged { () throws(NativeError) in try NativeKey.privateKey(raw: kind.rawValue, bytes) }
        self.kind = kind
    }

    /// Reads PKCS #8, where the key stands in an OCTET STRING within the OCTET STRING (RFC 8410, section 7).
    init(_ kind: RawKeyKind, pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
        let info = try PrivateKeyInfo(bytes)
        guard info.algorithm == kind.algorithm else {
            throw CryptographyError(.unsupported, "not an \(kind.rawValue) key")
        }
        var reader = DERReader(info.key)
        let pair = try RawKeyPair(kind, try reader.take(.octetString))
        try reader.end()
        if let publicKey = info.publicKey { try pair.check(publicKey) }
        self = pair
    }

    /// Signing for a public key that is not one's own gives the private key away.
    private func check(_ given: Span<UInt8>) throws(CryptographyError) {
        let own = try publicKey.bytes
        guard given.isEqualInConstantTime(to: own.span) else {
            throw CryptographyError(.invalidKey, "the public key is not the private key's")
        }
    }

    var publicKey: RawPublicKey {
        get throws(CryptographyError) {
            let bytes = try bridged { () throws(NativeError) in try key.rawPublicKey() }
            return try RawPublicKey(kind, bytes.span)
        }
    }

    func privateBytes() throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: RawKeyKind.byteCount) { bytes throws(CryptographyError) in
            do throws(NativeError) { try key.writeRawPrivateKey(into: &bytes) } catch { throw CryptographyError(error) }
        }
    }

    func pkcs8() throws(CryptographyError) -> SecretBytes {
        let secret = try privateBytes()
        return PrivateKeyInfo.encode(kind.algorithm) { writer in writer.append(.octetString, secret.bytes) }
    }
}
