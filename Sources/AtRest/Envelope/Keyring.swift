public import KeyManagement

/// Seals data keys, and opens them again. Conformers: ``KMSKeyring`` and ``RawAESKeyring``.
public protocol Keyring: Sendable {
    /// Makes a data key where none is yet, and adds it sealed.
    func sealDataKey(in materials: inout EncryptionMaterials) async throws

    /// Opens one of the sealed data keys, if one is this keyring's. Where none is, it changes nothing.
    func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws
}

/// A keyring over a managed key: each message's data key is made and opened by the key service, in its audit trail.
public struct KMSKeyring: Keyring {
    private let client: KeyManagementClient
    private let key: Key<Encryption>

    /// The provider's name in messages.
    public static let provider = "aws-kms"

    /// Takes the client to ask as, and the key.
    public init(_ client: KeyManagementClient, _ key: Key<Encryption>) {
        self.client = client
        self.key = key
    }

    /// Has the service make a data key; or seal the one that another keyring has made.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        let ciphertext: Ciphertext
        if materials.hasDataKey {
            guard let secret = materials.takeDataKey() else { throw EnvelopeError(.invalidKeyring) }
            ciphertext = try await client.encrypt(secret, under: key, context: materials.context)
            try materials.setDataKey(secret)
        } else {
            let dataKey = try await client.generateDataKey(
                under: key, byteCount: materials.suite.keyByteCount, context: materials.context)
            ciphertext = dataKey.ciphertext
            try materials.setDataKey(dataKey.intoPlaintext())
        }
        materials.add(
            EncryptedDataKey(
                provider: KMSKeyring.provider, information: Array(key.arn.description.utf8),
                ciphertext: ciphertext.bytes))
    }

    /// Asks the service to open the data keys that name this key.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        let arn = Array(key.arn.description.utf8)
        for candidate in keys where candidate.provider == KMSKeyring.provider && candidate.information == arn {
            guard let ciphertext = try? Ciphertext(candidate.ciphertext) else { continue }
            do {
                let opened = try await client.decrypt(ciphertext, context: materials.context, under: KeyIdentifier(key))
                return try materials.setDataKey(opened)
            } catch let error as KeyManagementError
                where error == KeyManagementError(.invalidCiphertext) || error == KeyManagementError(.incorrectKey)
            {
                continue
            }
        }
    }
}
