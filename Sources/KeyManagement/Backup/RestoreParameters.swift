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

    static let lifetime = 86400.0
    private static let headByteCount = 13

    /// Seals a key for an account.
    ///
    /// Layout: `01 | domain key's version, 4 bytes | seconds until which it is valid, 8 bytes | sealed PKCS #8`; what stands before is
    /// authenticated with the account.
    init(
        _ key: RSA.PrivateKey, account: String, until validTo: Date, domain version: UInt32, _ domain: AESGCM
    ) throws {
        var head: [UInt8] = [1]
        head.appendBigEndian(version)
        head.appendBigEndian(UInt64(max(0, validTo.timeIntervalSince1970)))
        bytes = head + (try domain.seal(key.pkcs8(), authenticating: RestoreToken.label(head, account)))
    }

    /// - Throws: `invalidImportToken`, `expiredImportToken`.
    func open(
        account: String, at time: Date, domains: [UInt32: AESGCM]
    ) throws(KeyManagementError) -> RSA.PrivateKey {
        let count = RestoreToken.headByteCount
        guard bytes.count > count, bytes.count <= 8192, bytes[0] == 1,
            let domain = domains[bytes[1..<5].reduce(0) { $0 << 8 | UInt32($1) }]
        else { throw KeyManagementError(.invalidImportToken) }
        let key: RSA.PrivateKey
        do {
            let label = RestoreToken.label(Array(bytes[..<count]), account)
            let opened = try domain.open(Array(bytes[count...]), authenticating: label)
            key = try RSA.PrivateKey(pkcs8: opened.bytes)
        } catch { throw KeyManagementError(.invalidImportToken) }
        let validTo = bytes[5..<count].reduce(0) { $0 << 8 | UInt64($1) }
        guard time.timeIntervalSince1970 < Double(validTo) else { throw KeyManagementError(.expiredImportToken) }
        return key
    }

    private static func label(_ head: [UInt8], _ account: String) -> [UInt8] {
        Array("strongroom restore token \(account) ".utf8) + head
    }
}
