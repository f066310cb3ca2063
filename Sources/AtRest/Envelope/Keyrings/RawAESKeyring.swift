public import Cryptography

/// A keyring over an AES key that the caller keeps.
///
/// Namespace and name stand in messages in clear, and both sides must use the same. Wrapping is AES-GCM with the
/// encryption context as additional data (AWS Encryption SDK specification, framework/raw-aes-keyring). One key wraps at
/// most 2^32 data keys, the limit of random nonces.
public struct RawAESKeyring: Keyring {
    private let namespace: String
    private let cipher: AESGCM
    /// Name, tag length in bits and nonce length in bytes, 32 bits each.
    private let prefix: [UInt8]

    /// Takes a key of 16, 24 or 32 bytes.
    ///
    /// - Throws: `invalidKeyring` for a namespace that begins with "aws-kms".
    public init(namespace: String, name: String, key: borrowing SecretBytes) throws {
        try checkNamespace(namespace)
        self.namespace = namespace
        cipher = try AESGCM(key: key)
        var prefix = Array(name.utf8)
        prefix.appendBigEndian(UInt32(AESGCM.tagByteCount * 8))
        prefix.appendBigEndian(UInt32(AESGCM.nonceByteCount))
        self.prefix = prefix
    }

    /// Seals the data key under the wrapping key.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        try materials.generateDataKeyIfNeeded()
        let context = try MessageHeader.serialize(materials.context)
        let sealed = try materials.withDataKey { key in try cipher.seal(key, authenticating: context.span) }
        materials.add(
            EncryptedDataKey(
                provider: namespace, information: prefix + sealed.prefix(AESGCM.nonceByteCount),
                ciphertext: Array(sealed.dropFirst(AESGCM.nonceByteCount))))
    }

    /// Opens the data keys that carry this keyring's namespace and name.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        let context = try MessageHeader.serialize(materials.context)
        for candidate in keys where candidate.provider == namespace {
            guard candidate.information.count == prefix.count + AESGCM.nonceByteCount,
                candidate.information.starts(with: prefix)
            else { continue }
            let sealed = candidate.information.dropFirst(prefix.count) + candidate.ciphertext
            guard let opened = try? cipher.open(Array(sealed), authenticating: context) else { continue }
            if materials.setDataKey(opened) { return }
        }
    }
}
