public import KeyManagement

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
        if let made = materials.copiedDataKey() {
            ciphertext = try await client.encrypt(made, under: key, context: materials.context)
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
            if try await client.open(candidate, KeyIdentifier(key), in: &materials) { return }
        }
    }
}

extension KeyManagementClient {
    /// Asks the service to open a data key that names a key of its own.
    ///
    /// - Returns: false where it is not what that key sealed.
    func open(
        _ candidate: EncryptedDataKey, _ key: KeyIdentifier, in materials: inout DecryptionMaterials
    ) async throws(KeyManagementError) -> Bool {
        guard let ciphertext = try? Ciphertext(candidate.ciphertext) else { return false }
        do {
            return materials.setDataKey(try await decrypt(ciphertext, context: materials.context, under: key))
        } catch  where [.invalidCiphertext, .incorrectKey].contains(error.code) {
            return false
        }
    }
}
