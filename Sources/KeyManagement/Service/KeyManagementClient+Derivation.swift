internal import Auditing
public import Cryptography

/// A message sealed so that the same message with the same context and key is the same again: it can be compared, and looked up.
///
/// Layout (Documentation/Formats/CiphertextBlob.md): `C5 01 03 | material id 32 | AES-SIV: vector 16, ciphertext`.
public struct DeterministicCiphertext: Sendable, Hashable {
    /// The blob.
    public let bytes: [UInt8]

    static let suite: UInt8 = 3
    /// What sealing adds to a message: 51 bytes.
    public static let overhead = 3 + 32 + 16

    /// Reads a blob.
    ///
    /// - Throws: `invalidCiphertext` for anything that is not one of version 1.
    public init(_ bytes: [UInt8]) throws(KeyManagementError) {
        guard (Self.overhead...(Self.overhead + Ciphertext.largestPlaintext)).contains(bytes.count), bytes[0] == 0xC5,
            bytes[1] == 1, bytes[2] == Self.suite
        else { throw KeyManagementError(.invalidCiphertext) }
        self.bytes = bytes
    }

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

extension KeyManagementClient {
    /// Seals up to 4096 bytes so that the same message, context and key give the same ciphertext.
    ///
    /// - Parameters:
    ///   - plaintext: 1 to 4096 bytes. Short or guessable ones can be found out by whoever may encrypt: let few do so.
    ///   - key: a key for deterministic encryption.
    ///   - context: separates fields: under another one the same message is another ciphertext.
    public func encryptDeterministically(
        _ plaintext: [UInt8], under key: some KeyReference<DeterministicEncryption>,
        context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> DeterministicCiphertext {
        try await service.perform("Encrypt", as: caller) { log in
            guard (1...Ciphertext.largestPlaintext).contains(plaintext.count) else {
                throw KeyManagementError(.validation, "a plaintext has 1 to 4096 bytes, not \(plaintext.count)")
            }
            let (cipher, head) = try self.deterministic(KeyIdentifier(key), context, "Encrypt", &log)
            return DeterministicCiphertext(unchecked: head + (try cipher.seal(plaintext.span, authenticating: [head])))
        }
    }

    /// Opens a ciphertext of a key for deterministic encryption.
    ///
    /// - Throws: `invalidCiphertext` for whatever does not open.
    public func decrypt(
        _ ciphertext: DeterministicCiphertext, under key: some KeyReference<DeterministicEncryption>,
        context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("Decrypt", as: caller) { log in
            let (cipher, head) = try self.deterministic(KeyIdentifier(key), context, "Decrypt", &log)
            let sealed = Array(ciphertext.bytes.dropFirst(head.count))
            guard ciphertext.bytes.starts(with: head) else { throw KeyManagementError(.invalidCiphertext) }
            do throws(CryptographyError) { return try cipher.open(sealed.span, authenticating: [head]) } catch {
                throw KeyManagementError(.invalidCiphertext)
            }
        }
    }

    /// A key for use outside, the same each time for the same key and context. Needs `kms:DeriveKey`.
    ///
    /// - Parameters:
    ///   - key: a key for derivation.
    ///   - context: what the derived key is for; shown in the audit trail.
    ///   - byteCount: 1 to 1024. A shorter key is the beginning of a longer one.
    public func deriveKey(
        from key: some KeyReference<Derivation>, context: EncryptionContext, byteCount: Int = 32
    ) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("DeriveKey", as: caller) { log in
            log.parameters.append(("numberOfBytes", .number(byteCount)))
            guard (1...1024).contains(byteCount) else {
                throw KeyManagementError(.validation, "a derived key has 1 to 1024 bytes, not \(byteCount)")
            }
            let (managed, authenticator) = try self.deriving(
                KeyIdentifier(key), Derivation.self, context, "DeriveKey", &log)
            return try KeyManagementClient.derive(
                authenticator, "Strongroom/KMS/derive/v1", managed, context, count: byteCount)
        }
    }

    private func deterministic(
        _ identifier: KeyIdentifier, _ context: EncryptionContext, _ action: String, _ log: inout OperationLog
    ) throws -> (cipher: AESSIV, head: [UInt8]) {
        let (key, authenticator) = try deriving(
            identifier, DeterministicEncryption.self, context, action, &log)
        let secret = try KeyManagementClient.derive(
            authenticator, "Strongroom/KMS/deterministic/v1", key, context, count: 64)
        let id = key.materialID(0)
        return (
            try AESSIV(key: secret), [0xC5, 1, DeterministicCiphertext.suite] + id.bytes.indices.map { id.bytes[$0] }
        )
    }

    /// The key, and its material as a function, where the principal may do this.
    private func deriving<Purpose: KeyPurpose>(
        _ identifier: KeyIdentifier, _ purpose: Purpose.Type, _ context: EncryptionContext, _ action: String,
        _ log: inout OperationLog
    ) throws -> (ManagedKey, HMAC) {
        log.parameters.append(("keyId", .text(identifier.description)))
        if !context.pairs.isEmpty { log.parameters.append(("encryptionContext", .map(context.pairs))) }
        try context.check()
        let algorithm = try find(identifier, at: log.time).0.record.specification
        let (key, state) = try use(
            identifier, Purpose.self, action, &log, context: context,
            conditions: ["kms:encryptionalgorithm": [algorithm]])
        guard case .authenticator(let authenticator) = try key.use(domains: state.domains) else {
            throw KeyManagementError(.tampered, "\(key.record.id) is of another kind")
        }
        log.materials.append(key.record.materials[0].id)
        return (key, authenticator)
    }

    /// HKDF-SHA-256 of `HMAC(material, label || 00 || material id || SHA-256(context))`.
    private static func derive(
        _ authenticator: HMAC, _ label: String, _ key: ManagedKey, _ context: EncryptionContext, count: Int
    ) throws -> SecretBytes {
        let id = key.materialID(0).bytes
        var input = Array(label.utf8) + [0]
        for index in id.indices { input.append(id[index]) }
        input += try HashFunction.sha256.hash(context.canonicalBytes).array
        // Whoever has the code has the key.
        let bytes = input.span
        let secret = try SecretBytes(count: 32) { code throws(CryptographyError) in
            var computation = try authenticator.begin()
            try computation.update(bytes)
            try computation.finish(into: &code)
        }
        let (salt, info): ([UInt8], [UInt8]) = ([], Array(label.utf8))
        return try HKDF(.sha256).derive(from: secret, salt: salt.span, info: info.span, count: count)
    }
}
