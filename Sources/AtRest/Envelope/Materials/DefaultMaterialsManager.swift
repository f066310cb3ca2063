internal import KeyManagement

/// Asks a keyring for each message. (AWS Encryption SDK specification, framework/default-cmm.)
public struct DefaultMaterialsManager: CryptographicMaterialsManager {
    private let keyring: any Keyring

    /// Takes the keyring.
    public init(_ keyring: any Keyring) { self.keyring = keyring }

    /// Makes a signing key where the suite signs, and has the keyring make and seal the data key.
    public func encryptionMaterials(for request: EncryptionMaterialsRequest) async throws -> EncryptionMaterials {
        var materials = try EncryptionMaterials(
            suite: request.suite, context: request.context, requiredContextNames: request.requiredContextNames)
        try await keyring.sealDataKey(in: &materials)
        return materials
    }

    /// Has the keyring open the data key.
    public func decryptionMaterials(for request: DecryptionMaterialsRequest) async throws -> DecryptionMaterials {
        let (stored, expected) = (request.context.pairs, request.expectedContext.pairs)
        var heldOut: Set<String> = []
        for (name, value) in expected {
            if let found = stored[name] {
                // By their bytes, as they are authenticated: Swift takes two spellings of a letter for the same.
                guard found.utf8.elementsEqual(value.utf8) else {
                    throw EnvelopeError(.contextMismatch, "the message was not sealed with \(name)=\(value)")
                }
            } else {
                guard !name.utf8.starts(with: MessageHeader.reservedPrefix.utf8) else {
                    throw EnvelopeError(.contextMismatch, "the message does not have the name \(name)")
                }
                heldOut.insert(name)
            }
        }
        // The suite is not bound into the sealed data keys, the signing key's name in the context is: a signed message
        // cannot be passed off as an unsigned one by somebody who may open it.
        let namesSigner = stored[MessageHeader.signingKeyName] != nil
        guard request.suite.isSigned == namesSigner else { throw EnvelopeError(.notAuthentic) }
        var materials = DecryptionMaterials(
            suite: request.suite, context: EncryptionContext(stored.merging(expected) { stored, _ in stored }),
            requiredContextNames: heldOut)
        try await keyring.openDataKey(request.encryptedDataKeys, in: &materials)
        guard materials.isComplete else {
            if let name = heldOut.min() {
                throw EnvelopeError(.contextMismatch, "the message does not state \(name), and does not open with it")
            }
            throw EnvelopeError(.noUsableKey, "none of the message's data keys is this keyring's")
        }
        return materials
    }
}
