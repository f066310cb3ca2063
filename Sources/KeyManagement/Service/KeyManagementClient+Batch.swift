public import Cryptography

extension KeyManagementClient {
    /// How many items a batch has at most.
    static let largestBatch = 1000

    /// Seals many messages under one key and context: asked for, decided and recorded once.
    ///
    /// - Parameter plaintexts: 1 to 1000, of 1 to 4096 bytes each.
    /// - Returns: the ciphertexts, in the same order.
    /// - Throws: as sealing one does; then nothing is sealed.
    public func encrypt(
        batch plaintexts: [[UInt8]], under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> [Ciphertext] {
        try await service.perform("Encrypt", as: caller) { log in
            note(KeyIdentifier(key), context, &log)
            try check(batch: plaintexts.count, &log)
            for plaintext in plaintexts where !(1...Ciphertext.largestPlaintext).contains(plaintext.count) {
                throw KeyManagementError(.validation, "a plaintext has 1 to 4096 bytes, not \(plaintext.count)")
            }
            try context.check()
            try await service.makeManagedKey(KeyIdentifier(key), "Encrypt", log, context: context)
            let (managed, state) = try use(KeyIdentifier(key), Encryption.self, "Encrypt", &log, context: context)
            let material = try await service.material(of: managed, managed.current, state, &log)
            log.materials.append(managed.record.materials[managed.current].id)
            var sealed: [Ciphertext] = []
            for plaintext in plaintexts {
                let ciphertext = try await material.seal(plaintext.span, context: context)
                sealed.append(ciphertext)
            }
            return sealed
        }
    }

    /// Opens many ciphertexts of one key and context: asked for, decided and recorded once.
    ///
    /// - Parameters:
    ///   - ciphertexts: 1 to 1000 of this key's, of any of its materials.
    ///   - key: the key.
    ///   - body: takes each item's place, and what it held; nil where it does not open.
    /// - Throws: as opening one does, but not for items that do not open.
    public func decrypt(
        batch ciphertexts: [Ciphertext], under key: some KeyReference<Encryption>, context: EncryptionContext = .none,
        _ body: (Int, borrowing SecretBytes?) -> Void
    ) async throws(KeyManagementError) {
        let all = try await service.perform("Decrypt", as: caller) { log in
            note(KeyIdentifier(key), context, &log)
            try check(batch: ciphertexts.count, &log)
            try context.check()
            var (managed, state) = try use(KeyIdentifier(key), Encryption.self, "Decrypt", &log, context: context)
            let (ids, known) = (ciphertexts.map { MaterialID($0.bytes[Ciphertext.materialRange]) }, managed.materials)
            if ids.contains(where: { id in id.map { !known.contains($0) } ?? true }) {
                // Material that another process has made since the last look is no stranger.
                state = try service.refreshedState()
                managed = state.keys[managed.place] ?? managed
                try checkState(managed, log)
            }
            var opened: [OpenedItem] = []
            for ciphertext in ciphertexts {
                let item = OpenedItem(try await self.open(ciphertext, managed, state, context, &log))
                opened.append(item)
            }
            KeyManagementClient.note(failures: opened.count { $0.secret == nil }, &log)
            return opened
        }
        // Nothing is released before it is recorded.
        for (place, item) in all.enumerated() { body(place, item.secret) }
    }

    /// Signs many messages: asked for, decided and recorded once.
    ///
    /// - Parameter messages: 1 to 1000, of 1 to 4096 bytes each.
    public func sign(
        batch messages: [[UInt8]], with key: some KeyReference<Signing>, using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) -> [[UInt8]] {
        try await service.perform("Sign", as: caller) { log in
            let signer = try self.signer(KeyIdentifier(key), algorithm, "RAW", "Sign", &log)
            try check(batch: messages.count, &log)
            for message in messages { try KeyManagementClient.check(message: message.span) }
            var signatures: [[UInt8]] = []
            for message in messages { signatures.append(try signer.sign(message.span, using: algorithm)) }
            return signatures
        }
    }

    /// Checks many signatures: asked for, decided and recorded once.
    ///
    /// - Returns: which of them are the key's.
    public func verify(
        batch items: [(signature: [UInt8], message: [UInt8])], with key: some KeyReference<Signing>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) -> [Bool] {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verificationKey(KeyIdentifier(key), algorithm, "RAW", &log)
            try check(batch: items.count, &log)
            for item in items { try KeyManagementClient.check(message: item.message.span) }
            let verdicts = try items.map { item in
                try key.isValid(item.signature.span, for: item.message.span, using: algorithm)
            }
            KeyManagementClient.note(failures: verdicts.count { !$0 }, &log)
            return verdicts
        }
    }

    /// Seals anew, under the key's newest material, what an older material has sealed; key and context stay.
    ///
    /// Needs `kms:ReEncryptFrom` and `kms:ReEncryptTo`.
    ///
    /// - Returns: a new ciphertext; the same where the material is the newest.
    public func rewrap(
        _ ciphertext: Ciphertext, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        try await service.perform("ReEncrypt", as: caller) { log in
            log.conditions["kms:reencryptonsamekey"] = ["true"]
            let opened = try await self.decrypt(ciphertext, context, nil, action: "ReEncryptFrom", &log)
            guard let name = log.resources.last else { throw KeyManagementError(.invalidCiphertext) }
            let id = MaterialID(ciphertext.bytes[Ciphertext.materialRange])
            // Another process may have rotated the key just now.
            try service.refreshedState()
            let (key, state) = try use(
                KeyIdentifier(name), Encryption.self, "ReEncryptTo", &log, context: context)
            guard key.materialID(key.current) != id else { return ciphertext }
            let material = try await service.material(of: key, key.current, state, &log)
            log.materials.append(key.record.materials[key.current].id)
            return try await KeyManagementClient.seal(opened, material, context)
        }
    }

    private func open(
        _ ciphertext: Ciphertext, _ key: ManagedKey, _ state: ServiceState, _ context: EncryptionContext,
        _ log: inout OperationLog
    ) async throws -> SecretBytes? {
        guard let id = MaterialID(ciphertext.bytes[Ciphertext.materialRange]),
            let index = key.materials.firstIndex(of: id), key.record.mayOpen(index)
        else { return nil }
        let material = try await service.material(of: key, index, state, &log)
        let name = key.record.materials[index].id
        if !log.materials.contains(name) { log.materials.append(name) }
        do {
            return try await material.open(ciphertext, context: context)
        } catch let error as CryptographyError where error.code == .authenticationFailure { return nil }
    }

    /// A secret in a list, which holds only what can be copied.
    private final class OpenedItem: Sendable {
        let secret: SecretBytes?

        init(_ secret: consuming SecretBytes?) { self.secret = secret }
    }

    /// The trail tells how many items were not what they claimed to be.
    private static func note(failures count: Int, _ log: inout OperationLog) {
        if count > 0 { log.additionalData.append(("failedItemCount", .number(count))) }
    }

    private func check(batch count: Int, _ log: inout OperationLog) throws(KeyManagementError) {
        log.parameters.append(("itemCount", .number(count)))
        let largestBatch = KeyManagementClient.largestBatch
        guard (1...largestBatch).contains(count) else {
            throw KeyManagementError(.validation, "a batch has 1 to \(largestBatch) items, not \(count)")
        }
        // The request itself was counted before.
        service.limiter.owe(count - 1, log.name, account: principal.account)
    }
}
