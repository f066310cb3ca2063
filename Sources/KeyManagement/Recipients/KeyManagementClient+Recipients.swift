public import AccessPolicy
internal import Auditing
public import Cryptography

/// Who gets a secret in place of the caller: software that has proved what it is.
///
/// The answer is encrypted to the key in the attestation document, so that the caller, who carries it, cannot read it. Policies see
/// what runs there as `kms:RecipientAttestation:ImageSha384` (an enclave's register 0), `kms:RecipientAttestation:PCR0` and so on;
/// for a NitroTPM as `kms:RecipientAttestation:NitroTPMPCR4` and so on, all in lower-case hexadecimal digits.
public struct Recipient: Sendable, Hashable {
    /// An attestation document; see ``AttestationDocument``.
    public let attestation: [UInt8]

    /// Takes a document, unread: the service checks it at each use.
    public init(attestation: [UInt8]) { self.attestation = attestation }
}

/// A data key for a recipient.
public struct RecipientDataKey: Sendable {
    /// The key, for the recipient.
    public let envelope: RecipientEnvelope
    /// The same key, sealed under the managed key.
    public let ciphertext: Ciphertext
    /// The managed key that sealed it.
    public let keyARN: ARN
}

/// A data-key pair for a recipient.
public struct RecipientDataKeyPair: Sendable {
    /// The public half as a SubjectPublicKeyInfo.
    public let publicKey: [UInt8]
    /// The private half as PKCS #8, for the recipient.
    public let envelope: RecipientEnvelope
    /// The private half, sealed under the managed key.
    public let ciphertext: Ciphertext
    /// The managed key that sealed it.
    public let keyARN: ARN
}

extension KeyManagementClient {
    /// Opens a ciphertext for a recipient; see ``decrypt(_:context:under:)``.
    ///
    /// - Throws: `unsupportedOperation` where the service trusts nobody to vouch for recipients; `validation` for an attestation
    ///   document that does not convince, or has no RSA key.
    public func decrypt(
        _ ciphertext: Ciphertext, context: EncryptionContext = .none, under key: KeyIdentifier? = nil,
        for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientEnvelope {
        try await service.perform("Decrypt", as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            return try RecipientEnvelope(
                try await self.decrypt(ciphertext, context, key, action: "Decrypt", &log), for: recipient)
        }
    }

    /// Decrypts with a key pair for a recipient; see ``decrypt(_:with:using:)``.
    public func decrypt(
        _ ciphertext: [UInt8], with key: some KeyReference<AsymmetricEncryption>, using algorithm: EncryptionAlgorithm,
        for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientEnvelope {
        try await service.perform("Decrypt", as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            return try RecipientEnvelope(
                try self.decrypt(ciphertext, KeyIdentifier(key), algorithm, action: "Decrypt", &log), for: recipient)
        }
    }

    /// A new data key for a recipient, and the same sealed; see ``generateDataKey(under:byteCount:context:)``.
    public func generateDataKey(
        under key: some KeyReference<Encryption>, byteCount: Int = 32, context: EncryptionContext = .none,
        for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientDataKey {
        try await service.perform("GenerateDataKey", as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            let made = try await self.generateDataKey(
                KeyIdentifier(key), byteCount, context, action: "GenerateDataKey", &log)
            return RecipientDataKey(
                envelope: try RecipientEnvelope(made.plaintext, for: recipient), ciphertext: made.ciphertext,
                keyARN: made.keyARN)
        }
    }

    /// A new key pair for a recipient, and its private half sealed; see ``generateDataKeyPair(_:under:context:)``.
    public func generateDataKeyPair(
        _ kind: DataKeyPairKind, under key: some KeyReference<Encryption>, context: EncryptionContext = .none,
        for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientDataKeyPair {
        let name = "GenerateDataKeyPair"
        return try await service.perform(name, as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            let made = try await self.dataKeyPair(kind, KeyIdentifier(key), context, name, &log)
            return RecipientDataKeyPair(
                publicKey: made.publicKey, envelope: try RecipientEnvelope(made.privateKey, for: recipient),
                ciphertext: made.ciphertext, keyARN: made.keyARN)
        }
    }

    /// A shared secret for a recipient; see ``deriveSharedSecret(with:peer:)``.
    public func deriveSharedSecret(
        with key: some KeyReference<Agreement>, peer: [UInt8], for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientEnvelope {
        try await service.perform("DeriveSharedSecret", as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            return try RecipientEnvelope(
                try await self.sharedSecret(KeyIdentifier(key), peer, &log), for: recipient)
        }
    }

    /// Random bytes for a recipient; see ``generateRandom(byteCount:)``.
    public func generateRandom(
        byteCount: Int, for recipient: Recipient
    ) async throws(KeyManagementError) -> RecipientEnvelope {
        try await service.perform("GenerateRandom", as: caller) { log in
            let recipient = try self.admit(recipient, &log)
            return try RecipientEnvelope(try self.random(byteCount, &log), for: recipient)
        }
    }

    /// The key of a recipient whose attestation convinces. Policies and the trail see what it says from here on.
    private func admit(
        _ recipient: Recipient, _ log: inout OperationLog
    ) throws(KeyManagementError) -> RSA.PublicKey {
        guard !service.attestationRoots.isEmpty else {
            throw KeyManagementError(.unsupportedOperation, "The service trusts nobody to vouch for recipients.")
        }
        let document = try AttestationDocument(
            recipient.attestation, trusting: service.attestationRoots, at: log.time)
        let prefix = document.origin == .nitroEnclave ? "PCR" : "NitroTPMPCR"
        var shown = ["attestationDocumentModuleId": document.moduleID]
        for (index, value) in document.registers {
            let text = Hexadecimal.encode(value)
            log.conditions["kms:recipientattestation:\(prefix.lowercased())\(index)"] = [text]
            if document.origin == .nitroEnclave, index == 0 {
                log.conditions["kms:recipientattestation:imagesha384"] = [text]
                shown["attestationDocumentEnclaveImageDigest"] = text
            } else if value.contains(where: { $0 != 0 }) {
                // Registers that nothing was measured into are zero.
                shown["attestationDocument\(document.origin == .nitroEnclave ? "Enclave" : "")\(prefix)\(index)"] = text
            }
        }
        log.additionalData.append(("recipient", .map(shown)))
        guard let encoded = document.publicKey, let key = try? RSA.PublicKey(subjectPublicKeyInfo: encoded.span) else {
            throw AttestationDocument.refusal("has no RSA key of 2048 to 4096 bits")
        }
        return key
    }
}
