public import Cryptography

/// A passphrase, made into a key by scrypt. An empty one is refused.
///
/// An old copy of a store opens with its old passphrase: changing it does not reach copies.
public final class PassphraseRoot: RootOfTrust {
    private let passphrase: SecretBytes
    private let cost: Scrypt

    /// Takes a passphrase and, for new seals, the cost of guessing it.
    public init(_ passphrase: consuming SecretBytes, cost: Scrypt = .standard) {
        self.passphrase = passphrase
        self.cost = cost
    }

    /// Seals under a fresh salt.
    public func seal(_ key: borrowing SecretBytes, context: [UInt8]) async throws -> SealedRootKey {
        guard passphrase.count > 0 else { throw KeyManagementError(.validation, "the passphrase is empty") }
        let salt = try SystemRandom().bytes(count: 32)
        let cipher = try cipher(cost, salt)
        return SealedRootKey(
            kind: "passphrase",
            parameters: [
                "kdf": "scrypt", "n": String(cost.cost), "r": String(cost.blockSize), "p": String(cost.parallelism),
                "salt": Hexadecimal.encode(salt),
            ],
            sealed: try cipher.seal(key, authenticating: context))
    }

    /// Opens with the parameters that were sealed, within the bounds of ``Scrypt``.
    public func open(_ sealed: SealedRootKey, context: [UInt8]) async throws -> SecretBytes {
        guard sealed.kind == "passphrase", sealed.parameters["kdf"] == "scrypt" else {
            throw KeyManagementError(.wrongRootOfTrust, "the store is unlocked by a \(sealed.kind), not a passphrase")
        }
        func number(_ name: String) -> UInt64 { sealed.parameters[name].flatMap { UInt64($0) } ?? 0 }
        guard let salt = sealed.parameters["salt"].flatMap({ Hexadecimal.decode($0) }),
            let cost = try? Scrypt(cost: number("n"), blockSize: number("r"), parallelism: number("p"))
        else { throw KeyManagementError(.tampered, "the parameters of the passphrase are damaged") }
        let cipher = try cipher(cost, salt)
        do {
            return try cipher.open(sealed.sealed, authenticating: context)
        } catch {
            throw KeyManagementError(.wrongRootOfTrust, "wrong passphrase")
        }
    }

    private func cipher(_ cost: Scrypt, _ salt: [UInt8]) throws(CryptographyError) -> AESGCM {
        let copy = passphrase.copy()
        return try AESGCM(key: try cost.derive(from: copy, salt: salt.span, count: 32))
    }
}
