public import Cryptography

/// 32 random bytes kept elsewhere: in a file on another disk, in a secret that an orchestrator mounts.
public final class KeyFileRoot: RootOfTrust {
    private let cipher: AESGCM

    /// Takes the key: exactly 32 bytes, random.
    public init(key: consuming SecretBytes) throws(KeyManagementError) {
        guard key.count == 32 else { throw KeyManagementError(.validation, "a root key has 32 bytes") }
        do { cipher = try AESGCM(key: key) } catch { throw KeyManagementError(wrapping: error) }
    }

    /// Seals under the key.
    public func seal(_ key: borrowing SecretBytes, context: [UInt8]) async throws -> SealedRootKey {
        SealedRootKey(kind: "key file", parameters: [:], sealed: try cipher.seal(key, authenticating: context))
    }

    /// Opens what the same key sealed.
    public func open(_ sealed: SealedRootKey, context: [UInt8]) async throws -> SecretBytes {
        guard sealed.kind == "key file" else {
            throw KeyManagementError(.wrongRootOfTrust, "the store is unlocked by a \(sealed.kind), not a key file")
        }
        do {
            return try cipher.open(sealed.sealed, authenticating: context)
        } catch {
            throw KeyManagementError(.wrongRootOfTrust, "wrong key file")
        }
    }
}
