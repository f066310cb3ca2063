internal import AccessPolicy
internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// Keys whose identifiers and material are known beforehand: for tests whose ciphertexts must open in every run.
///
/// ```json
/// {"keys": [{"account": "111122223333", "id": "11111111-2222-3333-4444-555555555555", "alias": "alias/orders",
///            "material": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]}]}
/// ```
///
/// `specification` and `usage` are AWS's names, by default SYMMETRIC_DEFAULT and ENCRYPT_DECRYPT. `material` is in Base64: 32 bytes for
/// a symmetric key, one text for each rotation; as many as the digest has for HMAC; PKCS #8 for key pairs. `description` and `policy` (a
/// text) may stand beside. Such keys are no secret to whoever has the file.
public struct KeySeeds: Sendable {
    struct Seed: Codable, Sendable {
        let account: String
        let id: String
        var alias: String?
        var description: String?
        var specification: String?
        var usage: String?
        var policy: String?
        let material: [Base64Text]
    }

    private struct File: Codable {
        let keys: [Seed]
    }

    let seeds: [Seed]

    /// Reads a file's content.
    ///
    /// - Throws: `validation`.
    public init(_ json: [UInt8]) throws(KeyManagementError) {
        do { seeds = try JSONDecoder().decode(File.self, from: Data(json)).keys } catch {
            throw KeyManagementError(.validation, "the seeds cannot be read: \(error)")
        }
    }
}

extension KeyManagementService {
    /// Makes the keys that are not there yet.
    ///
    /// - Throws: `validation` for an identifier or an alias that is none; `incorrectKeyMaterial`; `alreadyExists` for an alias that stands
    ///   for another key. Those before it stand then.
    public func plant(_ seeds: KeySeeds) async throws(KeyManagementError) {
        for seed in seeds.seeds { try await plant(seed) }
    }

    private func plant(_ seed: KeySeeds.Seed) async throws(KeyManagementError) {
        let client = client(for: .root(account: seed.account))
        try await change("CreateKey", as: client.caller) { log, state in
            log.parameters = [("description", .text(seed.description ?? "")), ("seeded", .flag(true))]
            let isName = (1...64).contains(seed.id.utf8.count) && seed.id.hasOnlyLettersDigits(and: "-")
            guard isName, Principal.isAccount(seed.account) else {
                throw KeyManagementError(.validation, "\(seed.account)/\(seed.id) is no account and identifier")
            }
            guard state.keys["\(seed.account)/\(seed.id)"] == nil else { return ([], ()) }
            let policy =
                try seed.policy.map { try PolicyDocument($0) }
                ?? .delegating(toAccount: seed.account, partition: scope.partition)
            var record = KeyRecord(
                id: seed.id, account: seed.account, created: log.time.timeIntervalSince1970,
                description: seed.description ?? "", usage: seed.usage ?? Encryption.usage,
                specification: seed.specification ?? KeySpecification<Encryption>.symmetric.name, policy: policy.text,
                materials: [])
            guard record.isSymmetric || record.kind != nil, record.isSymmetric || seed.material.count == 1,
                !seed.material.isEmpty
            else { throw KeyManagementError(.validation, "\(seed.id) is of no known kind, or has too much material") }
            try algorithms.check(record.specification)
            for material in seed.material {
                let secret = try record.normalized(SecretBytes(copying: material.bytes))
                let id = try KeyRecord.materialID(of: secret, key: record.id)
                record.materials.append(
                    try record.material(
                        id, secret, at: log.time, domain: state.activeDomain, under: try state.wrappingDomain))
            }
            var writes: [RecordWrite] = [.put(try record.name, try StoredJSON.encode(record), expecting: .absent)]
            if let alias = seed.alias {
                let name = AliasName(account: seed.account, name: alias)
                writes.append(try client.newAlias(name, seed.id, log.time.timeIntervalSince1970, state))
            }
            log.resources = [scope.keyARN(id: record.id, account: record.account).description]
            return (writes, ())
        }
    }
}
