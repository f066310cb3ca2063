internal import Cryptography

/// Material ready for one operation: alone, or beneath a key of an external key store, which encrypts what it has sealed once more.
struct MaterialInUse: Sendable {
    let backing: BackingKey
    var outer: (client: XKSClient, key: String, metadata: XKS.RequestMetadata)?

    /// Seals a message.
    func seal(_ plaintext: Span<UInt8>, context: EncryptionContext) async throws -> Ciphertext {
        let inner = try await backing.seal(plaintext, context: context, random: SystemRandom())
        guard let (client, key, metadata) = outer else { return inner }
        let data = try ExternalCiphertext.associatedData(backing.id, context)
        do throws(XKSFailure) {
            return try await client.encrypt(inner.bytes, under: key, authenticating: data, metadata).blob(backing.id)
        } catch { throw error.whileUsing }
    }

    /// Opens a message of this material. Any failure of the message is the same failure.
    func open(_ ciphertext: Ciphertext, context: EncryptionContext) async throws -> SecretBytes {
        guard ciphertext.isExternal == (outer != nil) else { throw CryptographyError(.authenticationFailure) }
        guard let (client, key, metadata) = outer else { return try await backing.open(ciphertext, context: context) }
        guard let sealed = ExternalCiphertext(ciphertext.bytes) else { throw CryptographyError(.authenticationFailure) }
        let data = try ExternalCiphertext.associatedData(backing.id, context)
        let opened: [UInt8]
        do throws(XKSFailure) {
            opened = try await client.decrypt(sealed, under: key, authenticating: data, metadata)
        } catch {
            // The proxy finds out first, but what does not decrypt is one failure.
            if error == .refused(.invalidCiphertext) { throw CryptographyError(.authenticationFailure) }
            throw error.whileUsing
        }
        guard let inner = try? Ciphertext(opened), !inner.isExternal,
            MaterialID(opened[Ciphertext.materialRange]) == backing.id
        else { throw CryptographyError(.authenticationFailure) }
        return try await backing.open(inner, context: context)
    }
}
