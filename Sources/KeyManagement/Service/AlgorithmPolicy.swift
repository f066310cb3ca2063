internal import Cryptography

/// Which algorithms a service takes.
public enum AlgorithmPolicy: Sendable, Hashable {
    /// All that there are.
    case all
    /// Those alone that NIST approves (SP 800-131A, SP 800-140C), after ``SelfTest``'s known answers. What that is worth, and what it is
    /// not: Documentation/Compliance.md.
    case approved

    /// What has no approval, by name: AWS's, and ours.
    private static let others: Set<String> = [
        "ECC_SECG_P256K1", MaterialKind.sm2, MaterialKind.aesSIV, MaterialKind.hkdf, "RSAES_OAEP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_1",
        "SM2PKE",
        "passphrase",
    ]

    /// Refuses what is not taken.
    func check(_ name: String) throws(KeyManagementError) {
        guard self == .all || !AlgorithmPolicy.others.contains(name) else {
            throw KeyManagementError(
                .unsupportedOperation, "\(name) is not approved, and the service takes nothing else.")
        }
    }

    /// Refuses to begin where an algorithm is wrong.
    func test() throws(KeyManagementError) {
        guard self == .approved else { return }
        do throws(CryptographyError) { try SelfTest.run() } catch {
            throw KeyManagementError(.selfTestFailed, error.reason)
        }
    }
}
