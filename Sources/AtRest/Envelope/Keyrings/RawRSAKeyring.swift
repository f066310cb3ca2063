public import Cryptography

/// A keyring over an RSA key pair: who has the public half seals, who has the private one opens.
///
/// The private half may be anywhere: it is any ``Decryptor``, in software, an HSM or a key service. RSA does not bind the
/// encryption context to the data key; the message's header does (AWS Encryption SDK specification,
/// framework/raw-rsa-keyring). OAEP uses one hash function for content and mask.
public struct RawRSAKeyring: Keyring {
    private let namespace: String
    private let name: [UInt8]
    private let algorithm: EncryptionAlgorithm
    private let publicKey: RSA.PublicKey?
    private let decryptor: (any Decryptor)?

    /// Takes one or both halves of a key pair.
    ///
    /// - Parameters:
    ///   - namespace: stands in messages in clear.
    ///   - name: stands in messages in clear.
    ///   - algorithm: OAEP with SHA-1, SHA-256, SHA-384 or SHA-512; or PKCS #1 v1.5, for old messages, whose decryptor is an
    ///     ``RSA/LegacyDecryptor``.
    ///   - publicKey: seals. Without it, this keyring only opens.
    ///   - decryptor: opens. Without it, this keyring only seals.
    /// - Throws: `invalidKeyring` for a namespace that begins with "aws-kms", for no key at all, for halves of two pairs, and
    ///   for an algorithm that the decryptor or the format does not have.
    public init(
        namespace: String, name: String, algorithm: EncryptionAlgorithm, publicKey: RSA.PublicKey? = nil,
        decryptor: (any Decryptor)? = nil
    ) throws {
        try checkNamespace(namespace)
        let known: [EncryptionAlgorithm] = [
            .rsaOAEPSHA1, .rsaOAEPSHA256, .rsaOAEPSHA384, .rsaOAEPSHA512, .rsaPKCS1v15,
        ]
        guard known.contains(algorithm), decryptor?.encryptionAlgorithms.contains(algorithm) != false else {
            throw EnvelopeError(.invalidKeyring, "\(algorithm) is not for this keyring")
        }
        guard publicKey != nil || decryptor != nil else {
            throw EnvelopeError(.invalidKeyring, "a keyring without a key")
        }
        if let publicKey, let decryptor {
            guard try decryptor.subjectPublicKeyInfo == publicKey.subjectPublicKeyInfo else {
                throw EnvelopeError(.invalidKeyring, "the halves are of two key pairs")
            }
        }
        self.namespace = namespace
        self.name = Array(name.utf8)
        self.algorithm = algorithm
        self.publicKey = publicKey
        self.decryptor = decryptor
    }

    /// Seals the data key to the public key.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        guard let publicKey else { throw EnvelopeError(.invalidKeyring, "a keyring without a public key only opens") }
        try materials.generateDataKeyIfNeeded()
        let sealed = try materials.withDataKey { key in
            try publicKey.encrypt(SecretBytes(copying: key), using: algorithm)
        }
        materials.add(EncryptedDataKey(provider: namespace, information: name, ciphertext: sealed))
    }

    /// Opens the data keys that carry this keyring's namespace and name.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        for candidate in keys where candidate.provider == namespace && candidate.information == name {
            guard let decryptor else {
                throw EnvelopeError(.invalidKeyring, "a keyring without a private key only seals")
            }
            do {
                let opened = try await decryptor.decrypt(candidate.ciphertext.span, using: algorithm)
                // What PKCS #1 v1.5 makes up for a wrong padding is of a wrong length, or shows in the header.
                if materials.setDataKey(opened) { return }
            } catch let error as CryptographyError where error.code == .authenticationFailure { continue }
        }
    }
}
