internal import Cryptography

/// A private key that decrypts at once, and its public half.
protocol DecryptionKey: Decryptor {
    var encryptionKey: any EncryptionKey { get throws(CryptographyError) }
    func pkcs8() throws(CryptographyError) -> SecretBytes
    func decrypt(
        _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm
    ) throws(CryptographyError) -> SecretBytes
}

extension RSA.PrivateKey: DecryptionKey {
    var encryptionKey: any EncryptionKey { publicKey }
}

extension SM2.PrivateKey: DecryptionKey {
    var encryptionKey: any EncryptionKey {
        get throws(CryptographyError) { try publicKey }
    }
}

/// A key of a software custodian, opened.
struct CustodialKey: Sendable {
    /// The key, by what it is for.
    enum Use: Sendable {
        case sealer(AESGCM)
        case wrapper(AESKeyWrap)
        case authenticator(HMAC)
        case signer(any SynchronousSigner)
        case decryptor(any DecryptionKey)
        case agreement(any KeyAgreement)
        case verifier(any VerificationKey)
        case encryptor(any EncryptionKey)
    }

    let version: UInt64
    let kind: CustodialKeyKind
    let use: Use
}

extension CustodialKeyKind {
    /// A new key of this kind: raw bytes, or PKCS #8.
    func generate() throws(CryptographyError) -> SecretBytes {
        switch self {
        case .sealing, .wrapping: try .random(count: 32)
        case .authentication(let function): try .random(count: function.digestByteCount)
        case .ecdsa(let curve): try ECDSA.PrivateKey(curve).pkcs8()
        case .ed25519: try Ed25519.PrivateKey().pkcs8()
        case .mlDSA(let parameters): try MLDSA.PrivateKey(parameters).pkcs8()
        case .sm2Signing, .sm2Decryption: try SM2.PrivateKey().pkcs8()
        case .rsaSigning(let bits), .rsaDecryption(let bits): try RSA.PrivateKey(bits: bits).pkcs8()
        case .ecdh(let curve): try ECDH.PrivateKey(curve).pkcs8()
        case .x25519: try X25519.PrivateKey().pkcs8()
        }
    }
}

extension CustodialKey.Use {
    /// Reads a public key, which is all that there is of the pair.
    init(publicKey bytes: Span<UInt8>, of kind: CustodialKeyKind) throws(CryptographyError) {
        self =
            switch kind {
            case .rsaDecryption, .sm2Decryption:
                .encryptor(try KeyAlgorithm.encryptionKey(subjectPublicKeyInfo: bytes))
            default: .verifier(try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: bytes))
            }
    }

    /// Reads a key of a kind.
    init(_ kind: CustodialKeyKind, _ encoded: borrowing SecretBytes) throws(CryptographyError) {
        try self.init(kind, encoded.bytes)
    }

    /// Reads a key of a kind.
    ///
    /// - Throws: `invalidKey` where it is of another kind.
    init(_ kind: CustodialKeyKind, _ encoded: Span<UInt8>) throws(CryptographyError) {
        switch kind {
        case .sealing: self = .sealer(try AESGCM(key: try CustodialKey.Use.raw(encoded, count: 32)))
        case .wrapping: self = .wrapper(try AESKeyWrap(.padded, key: try CustodialKey.Use.raw(encoded, count: 32)))
        case .authentication(let function):
            let key = try CustodialKey.Use.raw(encoded, count: function.digestByteCount)
            self = .authenticator(try HMAC(function, key: key))
        case .ecdsa(let curve):
            let key = try ECDSA.PrivateKey(pkcs8: encoded)
            try CustodialKey.Use.check(key.curve == curve)
            self = .signer(key)
        case .ed25519: self = .signer(try Ed25519.PrivateKey(pkcs8: encoded))
        case .mlDSA(let parameters):
            let key = try MLDSA.PrivateKey(pkcs8: encoded)
            try CustodialKey.Use.check(key.parameters == parameters)
            self = .signer(key)
        case .sm2Signing: self = .signer(try SM2.PrivateKey(pkcs8: encoded))
        case .sm2Decryption: self = .decryptor(try SM2.PrivateKey(pkcs8: encoded))
        case .rsaSigning(let bits): self = .signer(try CustodialKey.Use.rsa(encoded, bits))
        case .rsaDecryption(let bits): self = .decryptor(try CustodialKey.Use.rsa(encoded, bits))
        case .ecdh(let curve):
            let key = try ECDH.PrivateKey(pkcs8: encoded)
            try CustodialKey.Use.check(key.curve == curve)
            self = .agreement(key)
        case .x25519: self = .agreement(try X25519.PrivateKey(pkcs8: encoded))
        }
    }

    private static func raw(_ encoded: Span<UInt8>, count: Int) throws(CryptographyError) -> SecretBytes {
        try check(encoded.count == count)
        return SecretBytes(copying: encoded)
    }

    private static func rsa(_ encoded: Span<UInt8>, _ bits: Int) throws(CryptographyError) -> RSA.PrivateKey {
        let key = try RSA.PrivateKey(pkcs8: encoded)
        try check(key.modulusByteCount * 8 == bits)
        return key
    }

    private static func check(_ isOfKind: Bool) throws(CryptographyError) {
        guard isOfKind else { throw CryptographyError(.invalidKey, "a key of another kind") }
    }
}
