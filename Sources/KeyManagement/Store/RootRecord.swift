internal import Cryptography
internal import FoundationEssentials
internal import RecordStorage

/// The record that a root of trust opens: the store's key, and under it everything that opens the rest.
///
/// Changing the passphrase seals the store's key anew and rewrites this record only. Layout:
/// Documentation/Formats/KeyStore.md.
struct RootRecord: Codable {
    struct Secret: Codable {
        let purpose: String
        let version: UInt32
        let sealed: [UInt8]
    }

    static let name: RecordName = "root"
    static let currentFormat = 2

    var format = RootRecord.currentFormat
    let store: String
    var root: SealedRootKey
    var secrets: [Secret]

    /// A new store's secrets, with their record.
    static func make(for root: any RootOfTrust) async throws -> StoreSecrets {
        let store = Hexadecimal.encode(try SystemRandom().bytes(count: 16))
        let storeKey = try SecretBytes.random(count: 32)
        let cipher = try AESGCM(key: storeKey)
        var record = RootRecord(
            store: store, root: try await root.seal(storeKey, context: context(store)), secrets: [])
        let records = try SecretBytes.random(count: 32)
        let audit = try SecretBytes.random(count: 32)
        let domain = try SecretBytes.random(count: 32)
        try record.add("records", 1, records, cipher)
        try record.add("audit", 1, audit, cipher)
        try record.add("domain", 1, domain, cipher)
        return StoreSecrets(
            record: record, records: records, audit: audit, domains: [1: try AESGCM(key: domain)], activeDomain: 1)
    }

    /// The secrets of a store that the root opens.
    func unlock(with root: any RootOfTrust) async throws -> StoreSecrets {
        let cipher = try await storeCipher(root)
        var domains: [UInt32: AESGCM] = [:]
        for secret in secrets where secret.purpose == "domain" {
            domains[secret.version] = try AESGCM(key: try open(secret, cipher))
        }
        guard let records = secrets.first(where: { $0.purpose == "records" }),
            let audit = secrets.first(where: { $0.purpose == "audit" }), let active = domains.keys.max()
        else { throw KeyManagementError(.tampered, "the root record is incomplete") }
        return StoreSecrets(
            record: self, records: try open(records, cipher), audit: try open(audit, cipher), domains: domains,
            activeDomain: active)
    }

    /// The record with the store's key sealed under another root.
    func resealed(from old: any RootOfTrust, for new: any RootOfTrust) async throws -> RootRecord {
        let key = try await old.open(root, context: RootRecord.context(store))
        var copy = self
        copy.root = try await new.seal(key, context: RootRecord.context(store))
        return copy
    }

    /// The record with one more domain key, and that key.
    func addingDomain(unlockedBy root: any RootOfTrust) async throws -> (RootRecord, version: UInt32, AESGCM) {
        let cipher = try await storeCipher(root)
        let version = (secrets.filter { $0.purpose == "domain" }.map(\.version).max() ?? 0) + 1
        let domain = try SecretBytes.random(count: 32)
        var copy = self
        try copy.add("domain", version, domain, cipher)
        return (copy, version, try AESGCM(key: domain))
    }

    /// The record with the domain keys of one version only.
    func keepingDomain(_ version: UInt32) -> RootRecord {
        var copy = self
        copy.secrets.removeAll { $0.purpose == "domain" && $0.version != version }
        return copy
    }

    var domainVersions: [UInt32] { secrets.filter { $0.purpose == "domain" }.map(\.version) }

    private func storeCipher(_ root: any RootOfTrust) async throws -> AESGCM {
        try AESGCM(key: try await root.open(self.root, context: RootRecord.context(store)))
    }

    private mutating func add(
        _ purpose: String, _ version: UInt32, _ secret: borrowing SecretBytes, _ cipher: AESGCM
    ) throws {
        secrets.append(
            Secret(
                purpose: purpose, version: version,
                sealed: try cipher.seal(secret, authenticating: label(purpose, version))))
    }

    private func open(_ secret: Secret, _ cipher: AESGCM) throws -> SecretBytes {
        do {
            return try cipher.open(secret.sealed, authenticating: label(secret.purpose, secret.version))
        } catch {
            throw KeyManagementError(.tampered, "the root record has been changed")
        }
    }

    private func label(_ purpose: String, _ version: UInt32) -> [UInt8] {
        Array("strongroom root secret \(store) \(purpose) \(version)".utf8)
    }

    private static func context(_ store: String) -> [UInt8] { Array("strongroom root \(store)".utf8) }
}

/// What an unlocked root record gives.
struct StoreSecrets: ~Copyable {
    /// The record that they stand in.
    let record: RootRecord
    /// Authenticates the records.
    let records: SecretBytes
    /// Opens the audit trail's first keys. Not kept once the trail has begun.
    let audit: SecretBytes
    /// The domain keys, which wrap key material.
    let domains: [UInt32: AESGCM]
    /// Which of them wraps new material.
    let activeDomain: UInt32
}
