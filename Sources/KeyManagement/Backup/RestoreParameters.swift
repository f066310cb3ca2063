internal import Cryptography
public import FoundationEssentials

/// What another instance needs to back a key up for this one: a public key, and the token that goes with it. Valid for a day.
public struct RestoreParameters: Sendable, Hashable {
    /// The RSA key for which the backup is wrapped, as a SubjectPublicKeyInfo.
    public let publicKey: [UInt8]
    /// What goes with the backup when it comes.
    public let token: RestoreToken
    /// Until when both are taken.
    public let validTo: Date
}

/// Lets the service find the private half of the key that a backup is wrapped for: it is sealed in the token, and stored nowhere.
public struct RestoreToken: Sendable, Hashable {
    /// The token.
    public let bytes: [UInt8]

    /// Takes bytes; whether they are a token shows on use.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Seals a key for an account.
    init(
        _ key: RSA.PrivateKey, account: String, until validTo: Date, domain version: UInt32, _ domain: AESGCM
    ) throws(CryptographyError) {
        bytes = try WrappingKeyToken.seal(
            key.pkcs8(), for: RestoreToken.purpose(account), until: validTo, domain: version, domain)
    }

    /// - Throws: `invalidImportToken`, `expiredImportToken`.
    func open(
        account: String, at time: Date, domains: [UInt32: AESGCM]
    ) throws(KeyManagementError) -> RSA.PrivateKey {
        try WrappingKeyToken.open(bytes, for: RestoreToken.purpose(account), at: time, domains: domains) { pkcs8, _ in
            try RSA.PrivateKey(pkcs8: pkcs8)
        }
    }

    private static func purpose(_ account: String) -> String { "strongroom restore token \(account) " }
}
