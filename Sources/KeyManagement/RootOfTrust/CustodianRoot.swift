public import Cryptography

/// A sealing key of a custodian, such as an HSM's partition: the store opens only where that key can be used.
public final class CustodianRoot: RootOfTrust {
    private let custodian: any KeyCustodian
    private let handle: KeyHandle

    /// Takes the custodian and the handle of a key of the kind `sealing`.
    public init(_ custodian: any KeyCustodian, key handle: KeyHandle) {
        self.custodian = custodian
        self.handle = handle
    }

    /// Seals under the custodian's key.
    public func seal(_ key: borrowing SecretBytes, context: [UInt8]) async throws -> SealedRootKey {
        let sealed = try await sealer().seal(key.bytes, authenticating: context.span)
        return SealedRootKey(kind: "custodian", parameters: ["handle": handle.description], sealed: sealed)
    }

    /// Opens what the same key sealed.
    public func open(_ sealed: SealedRootKey, context: [UInt8]) async throws -> SecretBytes {
        guard sealed.kind == "custodian" else {
            throw KeyManagementError(.wrongRootOfTrust, "the store is unlocked by a \(sealed.kind), not a custodian")
        }
        guard sealed.parameters["handle"] == handle.description else {
            throw KeyManagementError(.wrongRootOfTrust, "the store is unlocked by another of the custodian's keys")
        }
        let sealer = try await sealer()
        do {
            return try await sealer.open(sealed.sealed.span, authenticating: context.span)
        } catch let error as CryptographyError where error.code == .authenticationFailure {
            throw KeyManagementError(.wrongRootOfTrust, "the custodian's key does not open the store")
        }
    }

    private func sealer() async throws -> any Sealer {
        do {
            return try await custodian.sealer(handle)
        } catch let error as CryptographyError where error.code == .unknownKey {
            throw KeyManagementError(.wrongRootOfTrust, "the custodian has no key \(handle)")
        }
    }
}
