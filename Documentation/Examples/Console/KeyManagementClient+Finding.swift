package import KeyManagement

extension KeyManagementClient {
    /// The key behind an alias, made on the first use.
    package func findOrCreateKey(_ alias: String) async throws(KeyManagementError) -> Key<Encryption> {
        if try await listAliases().contains(where: { $0.name == alias }) {
            return try await key(KeyIdentifier(alias), for: Encryption.self)
        }
        return try await createKey(.symmetric, alias: alias)
    }
}
