public import Cryptography

/// A keyring over an AES key that the caller keeps.
///
/// Namespace and name stand in messages in clear, and both sides must use the same. Wrapping is AES-GCM with the
/// encryption context as additional data (AWS Encryption SDK specification, framework/raw-aes-keyring).
public struct RawAESKeyring: Keyring {
    private let namespace: String
    private let name: [UInt8]
    private let cipher: AESGCM

    /// Takes a key of 16, 24 or 32 bytes.
    ///
    /// - Throws: `invalidKeyring` for a namespace that begins with "aws-kms".
    public init(namespace: String, name: String, key: borrowing SecretBytes) throws {
        guard !namespace.hasPrefix("aws-kms") else {
            throw EnvelopeError(.invalidKeyring, "namespaces that begin with aws-kms are reserved")
        }
        self.namespace = namespace
        self.name = Array(name.utf8)
        cipher = try AESGCM(key: key)
    }

    /// Seals the data key under the wrapping key.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        try materials.generateDataKeyIfNeeded()
        let context = try MessageHeader.serialize(materials.context)
        let sealed = try materials.sealedDataKey { key in try cipher.seal(key, authenticating: context) }
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
            if let opened = try? cipher.open(Array(sealed), authenticating: context) {
                return try materials.setDataKey(opened)
            }
        }
    }

    /// Name, tag length in bits and nonce length in bytes, 32 bits each.
    private var prefix: [UInt8] {
        var bytes = name
        bytes.appendBigEndian(UInt32(128))
        bytes.appendBigEndian(UInt32(12))
        return bytes
    }
}
