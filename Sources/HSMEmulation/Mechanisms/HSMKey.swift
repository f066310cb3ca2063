internal import Auditing
public import Cryptography
internal import Synchronization

/// A key in an HSM: a handle that is used through its session, and never the bytes.
public struct HSMKey<Use>: Sendable {
    let session: HSMSession
    let object: HSMObject
    private let uses = UseLog()

    /// The public half of a pair as a SubjectPublicKeyInfo in DER; empty for a secret key.
    public let subjectPublicKeyInfo: [UInt8]

    /// Its name in the partition, which may be stored anywhere.
    public var handle: KeyHandle { object.handle }

    /// What is known of it now.
    ///
    /// - Throws: `objectHandleInvalid` where it is gone.
    public var attributes: KeyAttributes { get throws(HSMError) { try session.attributes(of: handle) } }

    /// Runs a use of the key and states its failure in the terms of Cryptography's protocols.
    func using<R: ~Copyable>(
        _ use: KeyUses, _ body: (KeyMaterial) throws -> R
    ) throws(CryptographyError) -> R {
        do {
            return try body(try session.material(object, for: use))
        } catch let error as CryptographyError {
            throw error
        } catch { throw CryptographyError(HSMError(wrapping: error)) }
    }

    /// Tells the audit trail of a use.
    func record(_ name: String, _ mechanism: String = "") throws(HSMError) {
        if let known = uses.template(name, mechanism, { event(name, mechanism).audited(in: session.partition) }) {
            try session.partition.record(known)
        } else {
            try session.partition.record(event(name, mechanism))
        }
    }

    private func event(_ name: String, _ mechanism: String) -> HSMEvent {
        HSMEvent(
            name: name, user: session.user, parameters: [("mechanism", .text(mechanism))],
            key: object.handle.description, isReadOnly: true)
    }

    static var otherUse: CryptographyError { CryptographyError(.unsupported, "a key for another use") }
}

/// What the audit trail is told of a key's uses, made once for each kind; nil where that cannot be.
private final class UseLog: Sendable {
    private let templates = Mutex<[(name: String, mechanism: String, template: AuditEventTemplate)]>([])

    func template(_ name: String, _ mechanism: String, _ event: () -> AuditEvent) -> AuditEventTemplate? {
        templates.withLock { templates in
            if let known = templates.first(where: { $0.mechanism == mechanism && $0.name == name }) {
                return known.template
            }
            guard let template = try? AuditEventTemplate(event()) else { return nil }
            templates.append((name, mechanism, template))
            return template
        }
    }
}

extension HSMKey: Signer, SynchronousSigner where Use == HSMSigning {
    /// The ways in which the key signs, best first.
    public var signatureAlgorithms: [SignatureAlgorithm] {
        (try? KeyAlgorithm(subjectPublicKeyInfo: subjectPublicKeyInfo.span))?.signatureAlgorithms ?? []
    }

    /// Signs a message. The audit trail tells of each signature.
    public func sign(
        _ message: Span<UInt8>, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> [UInt8] {
        try using(.sign) { material in
            guard let signer = material.signer else { throw HSMKey.otherUse }
            let signature = try signer.sign(message, using: algorithm)
            try record("Sign", algorithm.description)
            return signature
        }
    }

    /// Signs a message's digest. The audit trail tells of each signature.
    public func sign(digest: Digest, using algorithm: SignatureAlgorithm) throws(CryptographyError) -> [UInt8] {
        try using(.sign) { material in
            guard let signer = material.signer else { throw HSMKey.otherUse }
            let signature = try signer.sign(digest: digest, using: algorithm)
            try record("Sign", algorithm.description)
            return signature
        }
    }
}

extension HSMKey: MessageAuthenticator where Use == HSMAuthentication {
    /// The length of a tag in bytes.
    public var tagByteCount: Int {
        guard let attributes = try? attributes, case .hmac(let function) = attributes.type else { return 0 }
        return function.digestByteCount
    }

    /// The tag of a message.
    public func authenticate(_ message: Span<UInt8>) throws(CryptographyError) -> Digest {
        try using(.sign) { material in
            guard let key = material.authenticator else { throw HSMKey.otherUse }
            return try key.authenticate(message)
        }
    }

    /// Whether `tag` is the message's, compared in constant time.
    public func isValid(_ tag: Span<UInt8>, for message: Span<UInt8>) throws(CryptographyError) -> Bool {
        try using(.verify) { material in
            guard let key = material.authenticator else { throw HSMKey.otherUse }
            return try key.isValid(tag, for: message)
        }
    }
}

extension HSMKey: Sealer where Use == HSMSealing {
    /// Encrypts by AES-GCM under a nonce that the HSM draws: `nonce || ciphertext || tag`.
    public func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8> = Span()
    ) throws(CryptographyError) -> [UInt8] {
        try using(.encrypt) { material in
            guard let cipher = material.cipher else { throw HSMKey.otherUse }
            return try cipher.seal(plaintext, authenticating: data)
        }
    }

    /// Encrypts by AES-GCM into the caller's buffers, under a nonce that the HSM draws. Allocates nothing.
    ///
    /// - Parameters:
    ///   - nonce: 12 bytes, which are filled.
    ///   - ciphertext: as long as the plaintext.
    ///   - tag: 16 bytes.
    public func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8> = Span(), drawing nonce: inout MutableSpan<UInt8>,
        ciphertext: inout MutableSpan<UInt8>, tag: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        guard nonce.count == AESGCM.nonceByteCount else { throw CryptographyError(.invalidLength, "a nonce") }
        let cipher = try using(.encrypt) { material in
            guard let cipher = material.cipher else { throw HSMKey.otherUse }
            return cipher
        }
        try cipher.countRandomNonce()
        try SystemRandom().fill(&nonce)
        try cipher.seal(
            plaintext, authenticating: data, uniqueNonce: nonce.span, ciphertext: &ciphertext, tag: &tag)
    }

    /// Decrypts into the caller's buffer. When the tag does not match, the buffer is zeroed. Allocates nothing.
    public func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, authenticating data: Span<UInt8> = Span(), nonce: Span<UInt8>,
        plaintext: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        let cipher = try using(.decrypt) { material in
            guard let cipher = material.cipher else { throw HSMKey.otherUse }
            return cipher
        }
        try cipher.open(ciphertext, tag: tag, authenticating: data, nonce: nonce, plaintext: &plaintext)
    }

    /// Decrypts `nonce || ciphertext || tag`.
    public func open(
        _ sealed: Span<UInt8>, authenticating data: Span<UInt8> = Span()
    ) throws(CryptographyError) -> SecretBytes {
        try using(.decrypt) { material in
            guard let cipher = material.cipher else { throw HSMKey.otherUse }
            return try cipher.open(sealed, authenticating: data)
        }
    }
}

extension HSMKey: Decryptor where Use == HSMDecryption {
    /// RSA-OAEP with every hash.
    public var encryptionAlgorithms: [EncryptionAlgorithm] {
        [.rsaOAEPSHA256, .rsaOAEPSHA384, .rsaOAEPSHA512, .rsaOAEPSHA1]
    }

    /// Decrypts. The audit trail tells of each time.
    public func decrypt(
        _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm
    ) throws(CryptographyError) -> SecretBytes {
        try using(.decrypt) { material in
            guard let key = material.rsa else { throw HSMKey.otherUse }
            let plaintext = try key.decrypt(ciphertext, using: algorithm)
            try record("Decrypt", algorithm.description)
            return plaintext
        }
    }
}

extension HSMKey: KeyAgreement where Use == HSMAgreement {
    /// The secret shared with the owner of a public key. The audit trail tells of each time.
    public func sharedSecret(withPublicKey peer: Span<UInt8>) async throws -> SecretBytes {
        let material = try session.material(object, for: .derive)
        guard let key = material.agreement else { throw HSMKey.otherUse }
        try record("DeriveKey")
        return try await key.sharedSecret(withPublicKey: peer)
    }
}
