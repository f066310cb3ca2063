public import Cryptography

extension KeyManagementClient {
    /// Encrypts for the one who may decrypt with a key pair.
    ///
    /// - Parameters:
    ///   - plaintext: 1 byte up to what the key takes: its length less 2 and two digests, such as 190 bytes for RSA_2048 and SHA-256.
    ///   - key: a key pair for encryption.
    ///   - algorithm: RSAES-OAEP with SHA-256, or with SHA-1; SM2PKE.
    /// - Returns: as many bytes as RSA's modulus has; ASN.1 for SM2.
    /// - Throws: `validation` for a plaintext that is too long; `invalidKeyUsage` for another algorithm; as with symmetric keys.
    public func encrypt(
        _ plaintext: Span<UInt8>, under key: some KeyReference<AsymmetricEncryption>,
        using algorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("Encrypt", as: caller) { log in
            try self.encrypt(plaintext, KeyIdentifier(key), algorithm, action: "Encrypt", &log)
        }
    }

    /// Encrypts an array; see ``encrypt(_:under:using:)-(Span<UInt8>,_,_)``.
    public func encrypt(
        _ plaintext: [UInt8], under key: some KeyReference<AsymmetricEncryption>, using algorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await encrypt(plaintext.span, under: key, using: algorithm)
    }

    /// Decrypts what anybody has encrypted with the public key.
    ///
    /// - Throws: `invalidCiphertext` for whatever does not decrypt.
    public func decrypt(
        _ ciphertext: [UInt8], with key: some KeyReference<AsymmetricEncryption>, using algorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("Decrypt", as: caller) { log in
            try self.decrypt(ciphertext, KeyIdentifier(key), algorithm, action: "Decrypt", &log)
        }
    }

    /// Decrypts with a key pair and seals under a symmetric key, without releasing what it was.
    ///
    /// Needs `kms:ReEncryptFrom` on the one key and `kms:ReEncryptTo` on the other.
    public func reEncrypt(
        _ ciphertext: [UInt8], with source: some KeyReference<AsymmetricEncryption>,
        using algorithm: EncryptionAlgorithm, under key: some KeyReference<Encryption>,
        newContext: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        try await service.perform("ReEncrypt", as: caller) { log in
            self.noteReEncryption(with: KeyIdentifier(source), to: KeyIdentifier(key), &log)
            let opened = try self.decrypt(ciphertext, KeyIdentifier(source), algorithm, action: "ReEncryptFrom", &log)
            let bytes = opened.bytes
            return try await self.encrypt(bytes, KeyIdentifier(key), newContext, action: "ReEncryptTo", &log)
        }
    }

    /// Opens a symmetric ciphertext and encrypts what it was for a key pair.
    public func reEncrypt(
        _ ciphertext: Ciphertext, context: EncryptionContext = .none, from source: KeyIdentifier? = nil,
        under key: some KeyReference<AsymmetricEncryption>, using algorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("ReEncrypt", as: caller) { log in
            try self.noteReEncryption(of: ciphertext, to: KeyIdentifier(key), &log)
            if self.caller.isDryRun {
                var trial = log
                _ = try self.decryptor(KeyIdentifier(key), algorithm, "ReEncryptTo", &trial)
            }
            let opened = try await self.decrypt(ciphertext, context, source, action: "ReEncryptFrom", &log)
            let bytes = opened.bytes
            return try self.encrypt(bytes, KeyIdentifier(key), algorithm, action: "ReEncryptTo", &log)
        }
    }

    /// Decrypts with one key pair and encrypts for another.
    public func reEncrypt(
        _ ciphertext: [UInt8], with source: some KeyReference<AsymmetricEncryption>,
        using algorithm: EncryptionAlgorithm, under key: some KeyReference<AsymmetricEncryption>,
        newAlgorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("ReEncrypt", as: caller) { log in
            self.noteReEncryption(with: KeyIdentifier(source), to: KeyIdentifier(key), &log)
            let opened = try self.decrypt(ciphertext, KeyIdentifier(source), algorithm, action: "ReEncryptFrom", &log)
            let bytes = opened.bytes
            return try self.encrypt(bytes, KeyIdentifier(key), newAlgorithm, action: "ReEncryptTo", &log)
        }
    }

    private func encrypt(
        _ plaintext: Span<UInt8>, _ identifier: KeyIdentifier, _ algorithm: EncryptionAlgorithm, action: String,
        _ log: inout OperationLog
    ) throws -> [UInt8] {
        // What was encrypted so before is still decrypted.
        try service.algorithms.check(algorithm.description)
        let (key, record) = try decryptor(identifier, algorithm, action, &log)
        return try KeyManagementClient.encrypt(plaintext, key.encryptionKey, record, algorithm)
    }

    static func encrypt(
        _ plaintext: Span<UInt8>, _ key: any EncryptionKey, _ record: KeyRecord, _ algorithm: EncryptionAlgorithm
    ) throws -> [UInt8] {
        let largest = key.maximumPlaintextByteCount(algorithm)
        guard !plaintext.isEmpty else { throw KeyManagementError(.validation, "a plaintext has a byte at least") }
        guard plaintext.count <= largest else {
            throw KeyManagementError(
                .validation,
                "Algorithm \(algorithm) and key spec \(record.specification) cannot encrypt data larger than \(largest) bytes."
            )
        }
        return try key.encrypt(SecretBytes(copying: plaintext), using: algorithm)
    }

    func decrypt(
        _ ciphertext: [UInt8], _ identifier: KeyIdentifier, _ algorithm: EncryptionAlgorithm, action: String,
        _ log: inout OperationLog
    ) throws -> SecretBytes {
        let (key, _) = try decryptor(identifier, algorithm, action, &log)
        do throws(CryptographyError) {
            return try key.decrypt(ciphertext.span, using: algorithm)
        } catch { throw KeyManagementError(.invalidCiphertext) }
    }

    private func decryptor(
        _ identifier: KeyIdentifier, _ algorithm: EncryptionAlgorithm, _ action: String, _ log: inout OperationLog
    ) throws -> (any DecryptionKey, KeyRecord) {
        let (use, record) = try use(identifier, AsymmetricEncryption.self, algorithm, action, &log)
        guard case .decryptor(let decryptor) = use else {
            throw KeyManagementError(.tampered, "\(record.id) is of another kind")
        }
        return (decryptor, record)
    }

    /// A key that encrypts or decrypts, where the principal may have it do so in this way.
    func use<Purpose: KeyPurpose>(
        _ identifier: KeyIdentifier, _ purpose: Purpose.Type, _ algorithm: EncryptionAlgorithm, _ action: String,
        _ log: inout OperationLog
    ) throws -> (CustodialKey.Use, KeyRecord) {
        log.parameters += [
            ("keyId", .text(identifier.description)), ("encryptionAlgorithm", .text(algorithm.description)),
        ]
        let (key, state) = try use(
            identifier, purpose, action, &log,
            conditions: ["kms:encryptionalgorithm": [algorithm.description]])
        guard key.encryptionAlgorithms.contains(algorithm) else {
            throw KeyManagementError(
                .invalidKeyUsage, "Algorithm \(algorithm) is incompatible with key spec \(key.record.specification).")
        }
        return (try key.use(domains: state.domains), key.record)
    }
}

extension ManagedKey {
    var encryptionAlgorithms: [EncryptionAlgorithm] { record.pairKind?.managedEncryptionAlgorithms ?? [] }
}

extension CustodialKeyKind {
    /// How messages to keys of the kind are encrypted, in the service's lists.
    var managedEncryptionAlgorithms: [EncryptionAlgorithm] {
        switch self {
        case .rsaDecryption: [.rsaOAEPSHA256, .rsaOAEPSHA1]
        case .sm2Decryption: [.sm2PKE]
        default: []
        }
    }
}
