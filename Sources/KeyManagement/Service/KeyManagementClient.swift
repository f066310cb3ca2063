public import AccessPolicy
public import Cryptography
internal import FoundationEssentials

/// The key service as one principal sees it: what it asks, it asks as them.
public struct KeyManagementClient: Sendable {
    let service: KeyManagementService

    let caller: Caller

    /// On whose behalf.
    public var principal: Principal { caller.principal }

    init(service: KeyManagementService, caller: Caller) {
        self.service = service
        self.caller = caller
    }
}

/// A data key: for use now, and sealed to be kept with what it encrypts.
public struct DataKey: ~Copyable, Sendable {
    /// The key itself. Use it and let it go.
    public let plaintext: SecretBytes
    /// The same key, sealed under the managed key.
    public let ciphertext: Ciphertext
    /// The managed key that sealed it.
    public let keyARN: ARN

    /// The key alone, for a caller that keeps the ciphertext elsewhere.
    public consuming func intoPlaintext() -> SecretBytes { plaintext }
}

extension KeyManagementClient {
    /// Seals up to 4096 bytes.
    ///
    /// - Parameters:
    ///   - plaintext: 1 to 4096 bytes; more goes into an envelope.
    ///   - key: a key for encryption.
    ///   - context: authenticated with it, shown in the audit trail, needed again to open.
    /// - Throws: `accessDenied`, `disabled`, `invalidState`, `notFound`, `validation`.
    public func encrypt(
        _ plaintext: Span<UInt8>, under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        try await service.perform("Encrypt", as: caller) { log in
            try await self.encrypt(plaintext, KeyIdentifier(key), context, action: "Encrypt", &log)
        }
    }

    /// Seals an array; see ``encrypt(_:under:context:)-(Span<UInt8>,_,_)``.
    public func encrypt(
        _ plaintext: [UInt8], under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        try await service.perform("Encrypt", as: caller) { log in
            try await self.encrypt(plaintext.span, KeyIdentifier(key), context, action: "Encrypt", &log)
        }
    }

    /// Seals a secret; see ``encrypt(_:under:context:)-(Span<UInt8>,_,_)``.
    public func encrypt(
        _ plaintext: borrowing SecretBytes, under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        let bytes = plaintext.bytes
        return try await encrypt(bytes, under: key, context: context)
    }

    /// Opens a ciphertext. The key is found by what the ciphertext says.
    ///
    /// - Parameters:
    ///   - ciphertext: what encrypt or a data key returned.
    ///   - context: the pairs that it was sealed with, exactly.
    ///   - key: where given, the only key that may have sealed it.
    /// - Throws: `invalidCiphertext` for whatever does not open; `incorrectKey`, `accessDenied`, `disabled`,
    ///   `invalidState`.
    public func decrypt(
        _ ciphertext: Ciphertext, context: EncryptionContext = .none, under key: KeyIdentifier? = nil
    ) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("Decrypt", as: caller) { log in
            try await self.decrypt(ciphertext, context, key, action: "Decrypt", &log)
        }
    }

    /// A new data key of 1 to 1024 bytes, and the same sealed.
    public func generateDataKey(
        under key: some KeyReference<Encryption>, byteCount: Int = 32, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> DataKey {
        try await service.perform("GenerateDataKey", as: caller) { log in
            try await self.generateDataKey(KeyIdentifier(key), byteCount, context, action: "GenerateDataKey", &log)
        }
    }

    /// A new data key that is not released now: for the one who stores what another will open.
    public func generateDataKeyWithoutPlaintext(
        under key: some KeyReference<Encryption>, byteCount: Int = 32, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        let name = "GenerateDataKeyWithoutPlaintext"
        return try await service.perform(name, as: caller) { log in
            try await self.generateDataKey(KeyIdentifier(key), byteCount, context, action: name, &log).ciphertext
        }
    }

    /// Opens a ciphertext and seals its content under another key or context, without releasing it.
    ///
    /// Needs `kms:ReEncryptFrom` on the one key and `kms:ReEncryptTo` on the other.
    ///
    /// - Parameter source: where given, the only key that may have sealed it.
    public func reEncrypt(
        _ ciphertext: Ciphertext, context: EncryptionContext = .none, from source: KeyIdentifier? = nil,
        under key: some KeyReference<Encryption>, newContext: EncryptionContext = .none
    ) async throws(KeyManagementError) -> Ciphertext {
        try await service.perform("ReEncrypt", as: caller) { log in
            try self.noteReEncryption(of: ciphertext, to: KeyIdentifier(key), &log)
            try self.tryDestination(KeyIdentifier(key), newContext, &log)
            let opened = try await self.decrypt(ciphertext, context, source, action: "ReEncryptFrom", &log)
            let bytes = opened.bytes
            return try await self.encrypt(bytes, KeyIdentifier(key), newContext, action: "ReEncryptTo", &log)
        }
    }

    func encrypt(
        _ plaintext: Span<UInt8>, _ identifier: KeyIdentifier, _ context: EncryptionContext, action: String,
        _ log: inout OperationLog
    ) async throws -> Ciphertext {
        note(identifier, context, &log)
        guard (1...Ciphertext.largestPlaintext).contains(plaintext.count) else {
            throw KeyManagementError(.validation, "a plaintext has 1 to 4096 bytes, not \(plaintext.count)")
        }
        try context.check()
        if identifier.mayBeAlias { try await service.makeManagedKey(identifier, action, log, context: context) }
        let (key, state) = try use(identifier, Encryption.self, action, &log, context: context)
        let material = try await service.material(of: key, key.current, state, &log)
        log.note(material.backing)
        return try await material.seal(plaintext, context: context)
    }

    func decrypt(
        _ ciphertext: Ciphertext, _ context: EncryptionContext, _ identifier: KeyIdentifier?, action: String,
        _ log: inout OperationLog
    ) async throws -> SecretBytes {
        note(identifier, context, &log)
        try context.check()
        guard let id = MaterialID(ciphertext.bytes[Ciphertext.materialRange]) else {
            throw KeyManagementError(.invalidCiphertext)
        }
        var state = try service.state()
        // Material that another process has made since the last look is no stranger.
        if state.materials[id] == nil { state = try service.refreshedState() }
        guard let (key, index) = state.materials[id], key.state(at: log.time) != nil else {
            throw KeyManagementError(.invalidCiphertext)
        }
        if let identifier {
            let named = try state.key(identifier, account: principal.account, scope: service.scope, at: log.time)
            guard named === key else {
                throw KeyManagementError(
                    .incorrectKey, "The key ID in the request does not identify a CMK that can perform this operation.")
            }
        }
        // A stranger is told no more of a key than that it may not be used.
        log.use(key)
        try service.authorize(
            action, on: key, in: state, log, context: context, alias: identifier?.alias)
        try checkState(key, log)
        do {
            let material = try await service.material(of: key, index, state, &log)
            log.note(material.backing)
            return try await material.open(ciphertext, context: context)
        } catch let error as CryptographyError where error.code == .authenticationFailure {
            throw KeyManagementError(.invalidCiphertext)
        }
    }

    func generateDataKey(
        _ identifier: KeyIdentifier, _ count: Int, _ context: EncryptionContext, action: String,
        _ log: inout OperationLog
    ) async throws -> DataKey {
        guard (1...1024).contains(count) else {
            throw KeyManagementError(.validation, "a data key has 1 to 1024 bytes, not \(count)")
        }
        log.parameters.append(("numberOfBytes", .number(count)))
        note(identifier, context, &log)
        try context.check()
        if identifier.mayBeAlias { try await service.makeManagedKey(identifier, action, log, context: context) }
        let (key, state) = try use(identifier, Encryption.self, action, &log, context: context)
        let plaintext = try SecretBytes.random(count: count)
        let material = try await service.material(of: key, key.current, state, &log)
        log.note(material.backing)
        let ciphertext = try await KeyManagementClient.seal(plaintext, material, context)
        return DataKey(plaintext: plaintext, ciphertext: ciphertext, keyARN: key.arn)
    }

    /// Tells policies whether a re-encryption stays with its key. Where the source is not found, the operation will fail for it.
    private func noteReEncryption(
        from source: ManagedKey?, to identifier: KeyIdentifier, _ log: inout OperationLog
    ) {
        guard let source else { return }
        // A key that is yet to be made is another one.
        let key = try? find(identifier, at: log.time).0
        log.conditions["kms:reencryptonsamekey"] = [String(key?.place == source.place)]
    }

    func noteReEncryption(
        of ciphertext: Ciphertext, to identifier: KeyIdentifier, _ log: inout OperationLog
    ) throws(KeyManagementError) {
        guard let id = MaterialID(ciphertext.bytes[Ciphertext.materialRange]) else { return }
        var source = try service.state().materials[id]?.key
        if source == nil { source = try service.refreshedState().materials[id]?.key }
        noteReEncryption(from: source, to: identifier, &log)
    }

    func noteReEncryption(with source: KeyIdentifier, to identifier: KeyIdentifier, _ log: inout OperationLog) {
        noteReEncryption(from: try? find(source, at: log.time).0, to: identifier, &log)
    }

    /// Seals a secret by material that the caller may use.
    static func seal(
        _ secret: borrowing SecretBytes, _ material: MaterialInUse, _ context: EncryptionContext
    ) async throws -> Ciphertext {
        let bytes = secret.bytes
        return try await material.seal(bytes, context: context)
    }

    func note(_ identifier: KeyIdentifier?, _ context: EncryptionContext, _ log: inout OperationLog) {
        log.parameters.reserveCapacity(log.parameters.count + 3)
        if let identifier { log.parameters.append(("keyId", .text(identifier.description))) }
        log.parameters.append(("encryptionAlgorithm", .text("SYMMETRIC_DEFAULT")))
        if !context.pairs.isEmpty { log.parameters.append(("encryptionContext", .map(context.pairs))) }
    }

    /// The key that is named. One that another process has made since the last look is no stranger.
    func find(_ identifier: KeyIdentifier, at time: Date) throws(KeyManagementError) -> (
        ManagedKey, ServiceState
    ) {
        let (scope, account) = (service.scope, principal.account)
        let known = try service.state()
        if let key = try? known.key(identifier, account: account, scope: scope, at: time) { return (key, known) }
        let fresh = try service.refreshedState()
        return (try fresh.key(identifier, account: account, scope: scope, at: time), fresh)
    }

    /// The key that is named, for an operation that the principal may do, in a state that allows it, of the right usage.
    func use<Purpose: KeyPurpose>(
        _ identifier: KeyIdentifier, _ purpose: Purpose.Type, _ action: String, _ log: inout OperationLog,
        context: EncryptionContext = .none, conditions: [String: [String]] = [:]
    ) throws(KeyManagementError) -> (ManagedKey, ServiceState) {
        let (key, state) = try find(identifier, at: log.time)
        log.use(key)
        // A stranger is told no more of a key than that it may not be used.
        try service.authorize(
            action, on: key, in: state, log, context: context, conditions: conditions, alias: identifier.alias)
        try checkState(key, log)
        try checkTime(key, action, log)
        try service.algorithms.check(key.record.specification)
        guard key.record.isFor(Purpose.self) else {
            throw KeyManagementError(
                .invalidKeyUsage, "\(key.arnText) key usage is \(key.record.usage) which is not valid for \(log.name).")
        }
        return (key, state)
    }

    func checkState(_ key: ManagedKey, _ log: OperationLog) throws(KeyManagementError) {
        switch key.state(at: log.time) {
        case .enabled: return
        case .disabled: throw KeyManagementError(.disabled, "\(key.arnText) is disabled.")
        case .pendingDeletion: throw KeyManagementError(.invalidState, "\(key.arnText) is pending deletion.")
        case .pendingReplicaDeletion:
            throw KeyManagementError(.invalidState, "\(key.arnText) is pending replica deletion.")
        case .pendingImport: throw KeyManagementError(.invalidState, "\(key.arnText) is pending import.")
        case .unavailable: throw KeyManagementError(.invalidState, "\(key.arnText) is unavailable.")
        case nil: throw KeyManagementError(.notFound, "Key '\(key.arnText)' does not exist")
        }
    }
}
