internal import FoundationEssentials
internal import KeyManagement

extension KMSOperation {
    /// Sealing, opening, and both.
    static let encryption: [String: KMSOperation] = [
        "Encrypt": KMSOperation("KeyId", "Plaintext") { call in
            let plaintext = call.input.blob("Plaintext") ?? []
            let algorithm = call.input.text("EncryptionAlgorithm") ?? KMSCall.symmetric
            if let asymmetric = try call.asymmetric(algorithm, "EncryptionContext") {
                let key = NamedKey<AsymmetricEncryption>(call.key)
                call.write("CiphertextBlob", try await call.client.encrypt(plaintext, under: key, using: asymmetric))
            } else {
                let sealed = try await call.client.encrypt(
                    plaintext, under: NamedKey<Encryption>(call.key), context: call.input.context("EncryptionContext"))
                call.write("CiphertextBlob", sealed.bytes)
            }
            call.output.field("KeyId", call.usedKey)
            call.output.field("EncryptionAlgorithm", algorithm)
        },
        "Decrypt": KMSOperation { call in
            let algorithm = call.input.text("EncryptionAlgorithm") ?? KMSCall.symmetric
            if let recipient = try call.recipient() {
                call.write(try await call.decrypt(for: recipient))
            } else {
                call.write("Plaintext", try await call.decrypt())
                if let material = call.report.materials.last { call.output.field("KeyMaterialId", material) }
            }
            call.output.field("KeyId", call.usedKey)
            call.output.field("EncryptionAlgorithm", algorithm)
        },
        "ReEncrypt": KMSOperation("DestinationKeyId") { call in
            let source = call.input.text("SourceEncryptionAlgorithm") ?? KMSCall.symmetric
            let destination = call.input.text("DestinationEncryptionAlgorithm") ?? KMSCall.symmetric
            call.write("CiphertextBlob", try await call.reEncrypt(source, destination))
            call.output.field("SourceKeyId", call.report.resources.first ?? "")
            call.output.field("KeyId", call.usedKey)
            call.output.field("SourceEncryptionAlgorithm", source)
            call.output.field("DestinationEncryptionAlgorithm", destination)
            if source == KMSCall.symmetric, let material = call.report.materials.first {
                call.output.field("SourceKeyMaterialId", material)
            }
            if destination == KMSCall.symmetric, let material = call.report.materials.last {
                call.output.field("DestinationKeyMaterialId", material)
            }
        },
    ]
}

extension KMSCall {
    static let symmetric = "SYMMETRIC_DEFAULT"

    /// The algorithm of a key pair; nil for symmetric encryption.
    func asymmetric(_ name: String, _ context: String) throws(KeyManagementError) -> EncryptionAlgorithm? {
        switch name {
        case KMSCall.symmetric: return nil
        case "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE":
            guard input.context(context).pairs.isEmpty else {
                throw KeyManagementError(.validation, "Algorithm \(name) does not take an encryption context.")
            }
            return name == "SM2PKE" ? .sm2PKE : name == "RSAES_OAEP_SHA_1" ? .rsaOAEPSHA1 : .rsaOAEPSHA256
        default: throw KeyManagementError(.unsupportedOperation, "Algorithm \(name) is not supported.")
        }
    }

    /// Who gets the answer in place of the caller; nil for nobody.
    func recipient() throws -> Recipient? {
        guard let source = input.recipient else { return nil }
        guard source.algorithm == nil || source.algorithm == "RSAES_OAEP_SHA_256" else {
            throw AWSFailure(violations: [
                "Value '\(source.algorithm ?? "")' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_256]"
            ])
        }
        guard source.algorithm != nil, let document = source.document.flatMap({ Data(base64Encoded: $0) }) else {
            throw KeyManagementError(
                .validation, "A recipient has a key encryption algorithm and an attestation document.")
        }
        guard (1...AttestationDocument.largest).contains(document.count) else {
            throw AWSFailure(violations: [
                "Value at 'recipient.attestationDocument' failed to satisfy constraint: Member must have length between 1 and \(AttestationDocument.largest)"
            ])
        }
        return Recipient(attestation: [UInt8](document))
    }

    mutating func write(_ envelope: RecipientEnvelope) { write("CiphertextForRecipient", envelope.bytes) }

    /// What there is to decrypt.
    private func ciphertext() throws -> [UInt8] {
        guard let ciphertext = input.blob("CiphertextBlob") else {
            throw AWSFailure(violations: [
                "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"
            ])
        }
        return ciphertext
    }

    /// Whether the request asks what would be, whatever the ciphertext.
    private var ignoresCiphertext: Bool {
        input.flag("DryRun") && input.texts("DryRunModifiers").contains("IGNORE_CIPHERTEXT")
    }

    /// The algorithm of a key pair, which the request must name.
    private func pairAlgorithm() throws(KeyManagementError) -> EncryptionAlgorithm? {
        let name = input.text("EncryptionAlgorithm") ?? KMSCall.symmetric
        guard let algorithm = try asymmetric(name, "EncryptionContext") else { return nil }
        guard input.has("KeyId") else {
            throw KeyManagementError(.validation, "KeyId is required to decrypt with an asymmetric KMS key.")
        }
        return algorithm
    }

    /// Where the request has a rehearsal in mind, this throws what comes of it.
    private func rehearseDecryption() async throws {
        guard ignoresCiphertext else { return }
        let algorithm = try pairAlgorithm()
        guard input.has("KeyId") else {
            throw KeyManagementError(.validation, "KeyId is required where the ciphertext is ignored.")
        }
        try await client.rehearseDecryption(
            with: key, context: input.context("EncryptionContext"), using: algorithm)
    }

    fileprivate func decrypt() async throws -> SecretBytes {
        try await rehearseDecryption()
        let ciphertext = try ciphertext()
        if let algorithm = try pairAlgorithm() {
            return try await client.decrypt(
                ciphertext, with: NamedKey<AsymmetricEncryption>(key), using: algorithm)
        }
        return try await client.decrypt(
            Ciphertext(ciphertext), context: input.context("EncryptionContext"),
            under: input.text("KeyId").map { KeyIdentifier($0) })
    }

    fileprivate func decrypt(for recipient: Recipient) async throws -> RecipientEnvelope {
        try await rehearseDecryption()
        let ciphertext = try ciphertext()
        if let algorithm = try pairAlgorithm() {
            return try await client.decrypt(
                ciphertext, with: NamedKey<AsymmetricEncryption>(key), using: algorithm, for: recipient)
        }
        return try await client.decrypt(
            Ciphertext(ciphertext), context: input.context("EncryptionContext"),
            under: input.text("KeyId").map { KeyIdentifier($0) }, for: recipient)
    }

    fileprivate func reEncrypt(_ source: String, _ destination: String) async throws -> [UInt8] {
        let named = input.text("SourceKeyId").map { KeyIdentifier($0) }
        let to = KeyIdentifier(required("DestinationKeyId"))
        let contexts = (input.context("SourceEncryptionContext"), input.context("DestinationEncryptionContext"))
        let from = try asymmetric(source, "SourceEncryptionContext")
        let into = try asymmetric(destination, "DestinationEncryptionContext")
        if ignoresCiphertext {
            guard let named else {
                throw KeyManagementError(.validation, "SourceKeyId is required where the ciphertext is ignored.")
            }
            try await client.rehearseReEncryption(
                from: named, context: contexts.0, using: from, under: to, newContext: contexts.1, newAlgorithm: into)
        }
        let bytes = try ciphertext()
        switch (from, into) {
        case (nil, nil):
            return try await client.reEncrypt(
                Ciphertext(bytes), context: contexts.0, from: named, under: NamedKey(to), newContext: contexts.1
            ).bytes
        case (nil, let algorithm?):
            return try await client.reEncrypt(
                Ciphertext(bytes), context: contexts.0, from: named, under: NamedKey<AsymmetricEncryption>(to),
                using: algorithm)
        case (let algorithm?, _):
            guard let named else {
                throw KeyManagementError(
                    .validation, "SourceKeyId is required to re-encrypt from an asymmetric KMS key.")
            }
            let pair = NamedKey<AsymmetricEncryption>(named)
            guard let into else {
                return try await client.reEncrypt(
                    bytes, with: pair, using: algorithm, under: NamedKey(to), newContext: contexts.1
                ).bytes
            }
            return try await client.reEncrypt(
                bytes, with: pair, using: algorithm, under: NamedKey<AsymmetricEncryption>(to), newAlgorithm: into)
        }
    }
}
