internal import Cryptography
internal import RecordStorage

/// A user as stored: the partition's master key, sealed under a key that scrypt makes of the password. Who cannot log in
/// has nothing that opens anything. Layout: Documentation/Formats/HSMPartition.md.
struct UserRecord: Codable, Sendable, Hashable {
    /// What a user may do.
    enum Role: String, Codable {
        /// Manages users, and uses no key.
        case administrator
        /// Uses keys, and manages nobody.
        case cryptoUser
    }

    let role: Role
    /// Random: a user who is made again, or whose password an administrator has set, is another, and sessions of the old one
    /// have ended.
    let incarnation: [UInt8]
    let cost: UInt64
    let blockSize: UInt64
    let parallelism: UInt64
    let salt: [UInt8]
    let sealed: [UInt8]

    static let prefix = "user/"

    static func name(_ user: String) throws(RecordStoreError) -> RecordName { try RecordName("\(prefix)\(user)") }

    /// Refuses names that would be confused in logs or in PKCS #11's `user:password`.
    static func check(name: String) throws(HSMError) {
        let isGood = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x40, 0x5F: true
            default: false
            }
        }
        guard isGood, (1...31).contains(name.utf8.count) else {
            throw HSMError(.invalidName, "a name has 1 to 31 letters, digits and -_.@")
        }
    }

    /// A user with a password.
    static func make(
        _ user: String, _ role: Role, _ password: borrowing SecretBytes, partition: String,
        sealing master: borrowing SecretBytes, cost: Scrypt
    ) throws -> UserRecord {
        guard (7...256).contains(password.count) else {
            throw HSMError(.pinLengthRange, "a password has 7 to 256 bytes")
        }
        let salt = try SystemRandom().bytes(count: 32)
        let cipher = try AESGCM(key: try cost.derive(from: password, salt: salt.span, count: 32))
        return UserRecord(
            role: role, incarnation: try SystemRandom().bytes(count: 16), cost: cost.cost, blockSize: cost.blockSize,
            parallelism: cost.parallelism, salt: salt,
            sealed: try cipher.seal(master, authenticating: label(user, role, partition)))
    }

    /// The master key.
    ///
    /// - Throws: `pinIncorrect`.
    func master(_ user: String, _ password: borrowing SecretBytes, partition: String) throws -> SecretBytes {
        let scrypt = try Scrypt(cost: cost, blockSize: blockSize, parallelism: parallelism)
        let cipher = try AESGCM(key: try scrypt.derive(from: password, salt: salt.span, count: 32))
        do {
            return try cipher.open(sealed, authenticating: UserRecord.label(user, role, partition))
        } catch { throw HSMError(.pinIncorrect, "") }
    }

    private static func label(_ user: String, _ role: Role, _ partition: String) -> [UInt8] {
        Array("strongroom hsm user \(partition) \(role.rawValue) \(user)".utf8)
    }
}
