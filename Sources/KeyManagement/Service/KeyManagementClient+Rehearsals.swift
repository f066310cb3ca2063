package import Cryptography

/// Dry runs without a ciphertext (AWS's IGNORE_CIPHERTEXT): whether the principal may, and the key can.
extension KeyManagementClient {
    /// Tries to decrypt whatever a key has sealed in a context.
    ///
    /// - Parameter algorithm: of a key pair; nil for symmetric encryption.
    /// - Throws: `dryRun` where it would succeed with the right ciphertext.
    package func rehearseDecryption(
        with identifier: KeyIdentifier, context: EncryptionContext, using algorithm: EncryptionAlgorithm?
    ) async throws(KeyManagementError) {
        try await trying.service.perform("Decrypt", as: trying.caller) { log in
            try await rehearse(identifier, context, algorithm, "Decrypt", &log)
        }
    }

    /// Tries to re-encrypt from one key to another.
    ///
    /// - Throws: `dryRun` where it would succeed with the right ciphertext.
    package func rehearseReEncryption(
        from source: KeyIdentifier, context: EncryptionContext, using algorithm: EncryptionAlgorithm?,
        under destination: KeyIdentifier, newContext: EncryptionContext, newAlgorithm: EncryptionAlgorithm?
    ) async throws(KeyManagementError) {
        try await trying.service.perform("ReEncrypt", as: trying.caller) { log in
            noteReEncryption(with: source, to: destination, &log)
            // A key in a key store ends its own rehearsal; the other is asked about all the same.
            do { try await rehearse(source, context, algorithm, "ReEncryptFrom", &log) } catch {
                guard (error as? KeyManagementError)?.code == .dryRun else { throw error }
            }
            try await rehearse(destination, newContext, newAlgorithm, "ReEncryptTo", &log)
        }
    }

    /// In a dry run, a source in a key store ends the operation before the destination is asked about: so it is asked first.
    func tryDestination(_ identifier: KeyIdentifier, _ context: EncryptionContext, _ log: inout OperationLog) throws {
        guard caller.isDryRun else { return }
        var trial = log
        do { _ = try use(identifier, Encryption.self, "ReEncryptTo", &trial, context: context) } catch {
            log = trial
            throw error
        }
    }

    private func rehearse(
        _ identifier: KeyIdentifier, _ context: EncryptionContext, _ algorithm: EncryptionAlgorithm?, _ action: String,
        _ log: inout OperationLog
    ) async throws {
        if let algorithm {
            if action == "ReEncryptTo" { try service.algorithms.check(algorithm.description) }
            _ = try use(identifier, AsymmetricEncryption.self, algorithm, action, &log)
        } else {
            note(identifier, context, &log)
            try context.check()
            let (key, state) = try use(identifier, Encryption.self, action, &log, context: context)
            _ = try await service.material(of: key, key.current, state, &log)
        }
    }
}
