/// Seals data keys, and opens them again. Conformers: ``KMSKeyring``, ``KMSDiscoveryKeyring``, ``RawAESKeyring``,
/// ``RawRSAKeyring``, ``RawECDHKeyring`` and ``MultiKeyring``.
public protocol Keyring: Sendable {
    /// Makes a data key where none is yet, and adds it sealed.
    func sealDataKey(in materials: inout EncryptionMaterials) async throws

    /// Opens one of the sealed data keys, if one is this keyring's. Where none is, it changes nothing.
    ///
    /// - Throws: what kept it from trying, such as a refusal of the key service. A data key that does not open is no error.
    func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws
}

/// The providers' names that AWS's keyrings over managed keys use begin so. Raw keyrings must not.
let reservedProviderPrefix = "aws-kms"

func checkNamespace(_ namespace: String) throws(EnvelopeError) {
    guard !namespace.hasPrefix(reservedProviderPrefix) else {
        throw EnvelopeError(.invalidKeyring, "namespaces that begin with \(reservedProviderPrefix) are reserved")
    }
}
