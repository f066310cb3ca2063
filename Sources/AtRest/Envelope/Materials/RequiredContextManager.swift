/// Requires names in the encryption context, and keeps their pairs out of messages: whoever opens one must know them.
///
/// For pairs that should not stand in clear next to the ciphertext, such as a tenant's name, and to make sure that nobody
/// seals or opens without stating them. (AWS Encryption SDK specification, framework/required-encryption-context-cmm.)
public struct RequiredContextManager: CryptographicMaterialsManager {
    private let names: Set<String>
    private let inner: any CryptographicMaterialsManager

    /// Takes the names, and the manager that provides the keys.
    public init(_ names: Set<String>, _ inner: any CryptographicMaterialsManager) {
        self.names = names
        self.inner = inner
    }

    /// Takes the names, and a keyring.
    public init(_ names: Set<String>, keyring: any Keyring) {
        self.init(names, DefaultMaterialsManager(keyring))
    }

    /// Passes the request on with the names held out.
    ///
    /// - Throws: `contextMismatch` where a name is missing.
    public func encryptionMaterials(for request: EncryptionMaterialsRequest) async throws -> EncryptionMaterials {
        try request.context.check(has: names)
        var request = request
        request.requiredContextNames.formUnion(names)
        let materials = try await inner.encryptionMaterials(for: request)
        guard materials.requiredContextNames.isSuperset(of: names) else {
            throw EnvelopeError(.invalidKeyring, "the inner manager stores what must be held out")
        }
        return materials
    }

    /// Passes the request on, if it states every name.
    ///
    /// - Throws: `contextMismatch` where a name is missing.
    public func decryptionMaterials(for request: DecryptionMaterialsRequest) async throws -> DecryptionMaterials {
        try request.expectedContext.check(has: names)
        let materials = try await inner.decryptionMaterials(for: request)
        try materials.context.check(has: names)
        return materials
    }
}
