public import AccessPolicy
internal import Auditing
public import Cryptography

/// Public keys of others: kept under a name, a policy and a trail, without their private halves.
extension KeyManagementClient {
    /// Keeps somebody else's public key.
    ///
    /// - Parameters:
    ///   - publicKey: a SubjectPublicKeyInfo in DER: of RSA with 2048, 3072 or 4096 bits, and for verification also of P-256, P-384, P-521,
    ///     secp256k1, Ed25519 or ML-DSA. It is its owner's; see that it came from them.
    ///   - purpose: ``Verification`` or ``PublicEncryption``.
    /// - Throws: `validation` for what is no such key; otherwise as
    ///   ``createKey(_:alias:description:tags:policy:multiRegion:bypassingLockoutCheck:)``.
    public func importPublicKey<Purpose: PublicKeyPurpose>(
        _ publicKey: [UInt8], for purpose: Purpose.Type, alias: String? = nil, description: String = "",
        tags: [String: String] = [:], policy: PolicyDocument? = nil
    ) async throws(KeyManagementError) -> Key<Purpose> {
        let name: String
        do throws(CryptographyError) {
            name = try MaterialKind.name(publicKey: publicKey.span)
            guard let kind = MaterialKind.kind(name, usage: Purpose.ownerUsage) else {
                throw CryptographyError(.unsupported, "\(name) is not for \(Purpose.usage)")
            }
            _ = try CustodialKey.Use(publicKey: publicKey.span, of: kind)
        } catch { throw KeyManagementError(.validation, error.description) }
        let creation = KeyCreation(
            alias: alias, description: description, tags: tags, policy: policy, origin: KeyRecord.publicKey)
        return try await createKey(KeySpecification<Purpose>(name: name), creation) { record, log, state in
            log.parameters.append(("origin", .text(creation.origin)))
            record.origin = creation.origin
            let id = try MaterialID(random: SystemRandom())
            // No secret, but wrapped like one nobody exchanges it.
            record.materials = [
                try record.material(
                    id, SecretBytes(copying: publicKey), at: log.time, domain: state.activeDomain,
                    under: state.wrappingDomain)
            ]
            return []
        }
    }

    /// Checks a signature of a message by the owner of a public key. Needs `kms:Verify`.
    ///
    /// - Parameter message: 1 to 4096 bytes; of a longer one, give the digest.
    /// - Throws: `invalidSignature` where it is not theirs.
    public func verify(
        _ signature: [UInt8], for message: [UInt8], by key: some KeyReference<Verification>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verifier(KeyIdentifier(key), algorithm, "RAW", &log)
            try KeyManagementClient.verify(signature, message.span, key, algorithm)
        }
    }

    /// Checks a signature of a digest by the owner of a public key.
    ///
    /// - Throws: `invalidSignature` where it is not theirs.
    public func verify(
        _ signature: [UInt8], forDigest digest: Digest, by key: some KeyReference<Verification>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verifier(KeyIdentifier(key), algorithm, "DIGEST", &log)
            try KeyManagementClient.verify(signature, digest, key, algorithm)
        }
    }

    /// Encrypts to the owner of a public key. Needs `kms:Encrypt`.
    ///
    /// - Parameter plaintext: 1 byte up to what the key takes.
    /// - Returns: as many bytes as the modulus has.
    public func encrypt(
        _ plaintext: [UInt8], to key: some KeyReference<PublicEncryption>, using algorithm: EncryptionAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("Encrypt", as: caller) { log in
            try service.algorithms.check(algorithm.description)
            let (use, record) = try self.use(
                KeyIdentifier(key), PublicEncryption.self, algorithm, "Encrypt", &log)
            guard case .encryptor(let publicKey) = use else {
                throw KeyManagementError(.tampered, "\(record.id) is of another kind")
            }
            return try KeyManagementClient.encrypt(plaintext.span, publicKey, record, algorithm)
        }
    }

    private func verifier(
        _ identifier: KeyIdentifier, _ algorithm: SignatureAlgorithm, _ type: String, _ log: inout OperationLog
    ) throws -> any VerificationKey {
        guard case .verifier(let key) = try use(identifier, Verification.self, algorithm, type, "Verify", &log) else {
            throw KeyManagementError(.tampered, "\(identifier) is of another kind")
        }
        return key
    }
}
