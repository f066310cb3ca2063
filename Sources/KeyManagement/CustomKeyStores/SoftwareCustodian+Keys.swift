public import Cryptography

// The keys that a software custodian hands out. Each use asks the custodian again: a destroyed key is gone everywhere.
extension SoftwareCustodian {
    /// A key for sealing.
    public func sealer(_ handle: KeyHandle) throws -> any Sealer {
        let sealer = CustodialSealer(custodian: self, handle: handle)
        _ = try sealer.key()
        return sealer
    }

    /// A key for authenticating messages.
    public func authenticator(_ handle: KeyHandle) throws -> any MessageAuthenticator {
        guard case .authenticator(let key) = try key(handle).use else { throw SoftwareCustodian.wrongUse }
        return CustodialAuthenticator(custodian: self, handle: handle, tagByteCount: key.tagByteCount)
    }

    /// A key for signing.
    public func signer(_ handle: KeyHandle) throws -> any Signer {
        guard case .signer(let key) = try key(handle).use else { throw SoftwareCustodian.wrongUse }
        return CustodialSigner(
            custodian: self, handle: handle, subjectPublicKeyInfo: try key.subjectPublicKeyInfo,
            signatureAlgorithms: key.signatureAlgorithms)
    }

    /// A key for decrypting short secrets.
    public func decryptor(_ handle: KeyHandle) throws -> any Decryptor {
        guard case .decryptor(let key) = try key(handle).use else { throw SoftwareCustodian.wrongUse }
        return CustodialDecryptor(
            custodian: self, handle: handle, subjectPublicKeyInfo: try key.subjectPublicKeyInfo,
            encryptionAlgorithms: key.encryptionAlgorithms)
    }

    /// A key for agreeing on secrets.
    public func keyAgreement(_ handle: KeyHandle) throws -> any KeyAgreement {
        guard case .agreement(let key) = try key(handle).use else { throw SoftwareCustodian.wrongUse }
        return CustodialKeyAgreement(
            custodian: self, handle: handle, subjectPublicKeyInfo: try key.subjectPublicKeyInfo)
    }

    fileprivate static var wrongUse: CryptographyError { CryptographyError(.unsupported, "a key for another use") }
}

private struct CustodialSealer: Sealer {
    let custodian: SoftwareCustodian
    let handle: KeyHandle

    func key() throws -> AESGCM {
        guard case .sealer(let key) = try custodian.key(handle).use else { throw SoftwareCustodian.wrongUse }
        return key
    }

    func seal(_ plaintext: Span<UInt8>, authenticating data: Span<UInt8>) throws -> [UInt8] {
        try key().seal(plaintext, authenticating: data)
    }

    func open(_ sealed: Span<UInt8>, authenticating data: Span<UInt8>) throws -> SecretBytes {
        try key().open(sealed, authenticating: data)
    }
}

private struct CustodialAuthenticator: MessageAuthenticator {
    let custodian: SoftwareCustodian
    let handle: KeyHandle
    let tagByteCount: Int

    func authenticate(_ message: Span<UInt8>) throws -> Digest {
        guard case .authenticator(let key) = try custodian.key(handle).use else { throw SoftwareCustodian.wrongUse }
        return try key.authenticate(message)
    }
}

private struct CustodialSigner: SynchronousSigner {
    let custodian: SoftwareCustodian
    let handle: KeyHandle
    let subjectPublicKeyInfo: [UInt8]
    let signatureAlgorithms: [SignatureAlgorithm]

    private func key() throws -> any SynchronousSigner {
        guard case .signer(let key) = try custodian.key(handle).use else { throw SoftwareCustodian.wrongUse }
        return key
    }

    func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) throws -> [UInt8] {
        try key().sign(message, using: algorithm)
    }

    func sign(digest: Digest, using algorithm: SignatureAlgorithm) throws -> [UInt8] {
        try key().sign(digest: digest, using: algorithm)
    }
}

private struct CustodialDecryptor: Decryptor {
    let custodian: SoftwareCustodian
    let handle: KeyHandle
    let subjectPublicKeyInfo: [UInt8]
    let encryptionAlgorithms: [EncryptionAlgorithm]

    func decrypt(_ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm) throws -> SecretBytes {
        guard case .decryptor(let key) = try custodian.key(handle).use else { throw SoftwareCustodian.wrongUse }
        return try key.decrypt(ciphertext, using: algorithm)
    }
}

private struct CustodialKeyAgreement: KeyAgreement {
    let custodian: SoftwareCustodian
    let handle: KeyHandle
    let subjectPublicKeyInfo: [UInt8]

    func sharedSecret(withPublicKey peer: Span<UInt8>) async throws -> SecretBytes {
        guard case .agreement(let key) = try custodian.key(handle).use else { throw SoftwareCustodian.wrongUse }
        return try await key.sharedSecret(withPublicKey: peer)
    }
}
