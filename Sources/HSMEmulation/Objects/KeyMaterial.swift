internal import Cryptography

/// A key opened for its uses.
final class KeyMaterial: Sendable {
    let cipher: AESGCM?
    let wrappers: (plain: AESKeyWrap, padded: AESKeyWrap)?
    let authenticator: HMAC?
    let signer: (any SynchronousSigner)?
    let rsa: RSA.PrivateKey?
    let agreement: (any KeyAgreement)?

    /// Reads a key: raw bytes, or PKCS #8 for a private key.
    ///
    /// - Throws: `invalidKey` where it is of another type.
    init(_ type: KeyType, _ uses: KeyUses, _ encoded: Span<UInt8>) throws(CryptographyError) {
        var (cipher, wrappers, authenticator): (AESGCM?, (AESKeyWrap, AESKeyWrap)?, HMAC?) = (nil, nil, nil)
        var (signer, rsa, agreement): ((any SynchronousSigner)?, RSA.PrivateKey?, (any KeyAgreement)?) = (nil, nil, nil)
        switch type {
        case .aes(let bits):
            try KeyMaterial.check(encoded.count * 8 == bits)
            let key = SecretBytes(copying: encoded)
            if uses.isDisjoint(with: [.wrap, .unwrap]) {
                cipher = try AESGCM(key: key)
            } else {
                wrappers = (try AESKeyWrap(.plain, key: key), try AESKeyWrap(.padded, key: key))
            }
        case .hmac(let function):
            try KeyMaterial.check(encoded.count == function.digestByteCount)
            authenticator = try HMAC(function, key: SecretBytes(copying: encoded))
        case .ellipticCurve(let curve):
            let key = try ECDSA.PrivateKey(pkcs8: encoded)
            try KeyMaterial.check(key.curve == curve)
            signer = key
            if uses.contains(.derive) { agreement = try ECDH.PrivateKey(pkcs8: encoded) }
        case .ed25519: signer = try Ed25519.PrivateKey(pkcs8: encoded)
        case .x25519: agreement = try X25519.PrivateKey(pkcs8: encoded)
        case .rsa(let bits):
            let key = try RSA.PrivateKey(pkcs8: encoded)
            try KeyMaterial.check(key.modulusByteCount * 8 == bits)
            (signer, rsa) = (key, key)
        }
        self.cipher = cipher
        self.wrappers = wrappers
        self.authenticator = authenticator
        self.signer = signer
        self.rsa = rsa
        self.agreement = agreement
    }

    /// The public half as a SubjectPublicKeyInfo; empty for a secret key.
    var subjectPublicKeyInfo: [UInt8] {
        get throws {
            if let signer { return try signer.subjectPublicKeyInfo }
            return try agreement?.subjectPublicKeyInfo ?? []
        }
    }

    private static func check(_ isOfType: Bool) throws(CryptographyError) {
        guard isOfType else { throw CryptographyError(.invalidKey, "a key of another type") }
    }
}

extension KeyType {
    /// A new key of this type: raw bytes, or PKCS #8.
    func generate() throws(CryptographyError) -> SecretBytes {
        switch self {
        case .aes(let bits): try .random(count: bits / 8)
        case .hmac(let function): try .random(count: function.digestByteCount)
        case .ellipticCurve(let curve): try ECDSA.PrivateKey(curve).pkcs8()
        case .ed25519: try Ed25519.PrivateKey().pkcs8()
        case .x25519: try X25519.PrivateKey().pkcs8()
        case .rsa(let bits): try RSA.PrivateKey(bits: bits).pkcs8()
        }
    }
}
