internal import Cryptography
internal import FoundationEssentials
internal import RecordStorage

/// A key as it is stored. Layout: Documentation/Formats/KeyStore.md.
struct KeyRecord: Codable, Sendable {
    /// One piece of material, wrapped under a domain key; in a key store, the custodian's handle of it.
    struct Material: Codable, Sendable {
        let identifier: MaterialID
        /// When it was made, or came into use.
        var created: Double
        /// Why it was made: nil for the first, or where nobody has noted it.
        var rotation: KeyRotation.Kind?
        /// 0 in a key store.
        var domain: UInt32
        /// Empty where imported material was deleted: it may be imported again.
        var wrapped: [UInt8]
        /// What goes with material that was imported.
        var imported: Imported?

        init(
            id: MaterialID, created: Double, rotation: KeyRotation.Kind? = nil, domain: UInt32, wrapped: [UInt8],
            imported: Imported? = nil
        ) {
            (identifier, self.created, self.rotation, self.domain) = (id, created, rotation, domain)
            (self.wrapped, self.imported) = (wrapped, imported)
        }

        private enum CodingKeys: CodingKey {
            case id, created, rotation, domain, wrapped, imported
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard let identifier = MaterialID(text: try container.decode(String.self, forKey: .id)) else {
                throw DecodingError.dataCorruptedError(forKey: .id, in: container, debugDescription: "no identifier")
            }
            self.identifier = identifier
            created = try container.decode(Double.self, forKey: .created)
            rotation = try container.decodeIfPresent(KeyRotation.Kind.self, forKey: .rotation)
            domain = try container.decode(UInt32.self, forKey: .domain)
            imported = try container.decodeIfPresent(Imported.self, forKey: .imported)
            // Base64, because a list of numbers takes as long to read as all the rest.
            guard let text = try? container.decode(String.self, forKey: .wrapped) else {
                // Stores of the first format have a list.
                wrapped = try container.decode([UInt8].self, forKey: .wrapped)
                return
            }
            guard let data = Data(base64Encoded: text) else {
                throw DecodingError.dataCorruptedError(forKey: .wrapped, in: container, debugDescription: "not Base64")
            }
            wrapped = [UInt8](data)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(created, forKey: .created)
            try container.encodeIfPresent(rotation, forKey: .rotation)
            try container.encode(domain, forKey: .domain)
            try container.encodeIfPresent(imported, forKey: .imported)
            try container.encode(Data(wrapped).base64EncodedString(), forKey: .wrapped)
        }

        /// The identifier as a text.
        var id: String { identifier.text }

        /// Whether it waits for a rotation to come into use.
        var isPending: Bool { imported?.isPending == true }

        /// Whether it is there.
        func isAvailable(at time: Date) -> Bool {
            !wrapped.isEmpty && imported?.expires.map { time.timeIntervalSince1970 < $0 } != false
        }
    }

    /// What goes with material that was imported.
    struct Imported: Codable, Sendable {
        /// When it is to be deleted; nil for never.
        var expires: Double?
        var description: String?
        var isPending = false
    }

    let id: String
    let account: String
    let created: Double
    var description: String
    var isEnabled = true
    let usage: String
    private(set) var specification: String
    var policy: String
    var materials: [Material]
    /// What few keys have; nil for the others.
    var rarities: KeptApart<Rarities>?

    init(
        id: String, account: String, created: Double, description: String, usage: String, specification: String,
        policy: String, tags: [String: String]? = nil, materials: [Material]
    ) {
        (self.id, self.account, self.created, self.description) = (id, account, created, description)
        (self.usage, self.specification, self.policy, self.materials) = (usage, specification, policy, materials)
        self.tags = tags
    }

    private enum CodingKeys: CodingKey {
        case id, account, created, description, isEnabled, usage, specification, policy, materials
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        account = try container.decode(String.self, forKey: .account)
        created = try container.decode(Double.self, forKey: .created)
        description = try container.decode(String.self, forKey: .description)
        isEnabled = try container.decode(Bool.self, forKey: .isEnabled)
        usage = try container.decode(String.self, forKey: .usage)
        specification = try container.decode(String.self, forKey: .specification)
        policy = try container.decode(String.self, forKey: .policy)
        materials = try container.decode([Material].self, forKey: .materials)
        rarities = try Rarities.read(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(account, forKey: .account)
        try container.encode(created, forKey: .created)
        try container.encode(description, forKey: .description)
        try container.encode(isEnabled, forKey: .isEnabled)
        try container.encode(usage, forKey: .usage)
        try container.encode(specification, forKey: .specification)
        try container.encode(policy, forKey: .policy)
        try container.encode(materials, forKey: .materials)
        // In the same object.
        try rarities?.value.encode(to: encoder)
    }

    /// Where it stands among the keys.
    var place: String { "\(account)/\(id)" }

    var name: RecordName {
        get throws(RecordStoreError) { try RecordName(KeyRecord.prefix + place) }
    }

    static let prefix = "key/"

    /// The text that binds a wrapped material to its place.
    func label(_ material: MaterialID, version: Int) -> [UInt8] {
        Array("strongroom material \(account) \(id) \(material.text) \(version)".utf8)
    }

    static let external = "EXTERNAL"
    static let publicKey = "PUBLIC"
    /// The fewest days that a key waits for its deletion.
    static let shortestWindow = 7
    static let awsManager = "AWS"

    /// Where its material comes from, by AWS's name.
    var originName: String {
        if let origin { return origin }
        if keyStore == nil { return "AWS_KMS" }
        return externalKey == nil ? "AWS_CLOUDHSM" : "EXTERNAL_KEY_STORE"
    }

    /// Whether a custodian has the material, and the record a handle of it.
    var isKept: Bool { keyStore != nil && externalKey == nil }

    /// The material that seals; nil where none was imported yet.
    var current: Int? { materials.lastIndex { !$0.isPending } }

    /// Whether material is missing that the key had, or is to get first: then it is not usable at all.
    func isMaterialMissing(at time: Date) -> Bool {
        guard origin == KeyRecord.external else { return false }
        return current == nil
            || materials.indices.contains { mayOpen($0) && !materials[$0].isAvailable(at: time) }
    }

    /// What the material is; nil for symmetric encryption, and for a kind that this version does not know.
    var kind: CustodialKeyKind? { MaterialKind.kind(specification, usage: usage) }

    /// Has the texts that many keys have in one place in memory.
    mutating func shareTexts() {
        if specification == KeySpecification<Encryption>.symmetric.name {
            specification = KeySpecification<Encryption>.symmetric.name
        }
    }

    func refuseIfProtected() throws(KeyManagementError) {
        guard isProtected != true else {
            throw KeyManagementError(.invalidState, "\(id) is protected from deletion.")
        }
    }

    /// Whether the service has a public key alone.
    var isPublic: Bool { origin == KeyRecord.publicKey }

    /// What the key pair is, to whoever has the private key; nil for keys that are no pairs.
    var pairKind: CustodialKeyKind? {
        let purposes: [any PublicKeyPurpose.Type] = isPublic ? [Verification.self, PublicEncryption.self] : []
        let owner = purposes.first { $0.usage == usage }?.ownerUsage
        return owner.flatMap { MaterialKind.kind(specification, usage: $0) } ?? kind
    }

    /// Whether it encrypts by derived keys: the kind that rotates, and that a custodian may keep.
    var isSymmetric: Bool {
        usage == Encryption.usage && specification == KeySpecification<Encryption>.symmetric.name
    }

    func isFor<Purpose: KeyPurpose>(_ purpose: Purpose.Type) -> Bool {
        usage == Purpose.usage && Purpose.covers(specification: specification)
    }

    func isOfSameKind(as other: KeyRecord) -> Bool { usage == other.usage && specification == other.specification }

    /// New material, wrapped.
    func newMaterial(at time: Date, domain: UInt32, under key: AESGCM) throws -> Material {
        guard kind?.isAvailable ?? isSymmetric else {
            throw KeyManagementError(.unsupportedOperation, "keys of the kind \(specification) are not known here")
        }
        let material = try kind?.generate() ?? .random(count: 32)
        // Who restores a key must not be able to claim another's: its material's names come from what only its owner has.
        let id =
            mayBeBackedUp == true
            ? try KeyRecord.materialID(of: material, key: self.id) : try MaterialID(random: SystemRandom())
        return try self.material(id, material, at: time, domain: domain, under: key)
    }

    /// The next material, wrapped.
    func material(
        _ id: MaterialID, _ secret: borrowing SecretBytes, at time: Date, domain: UInt32, under key: AESGCM
    ) throws -> Material {
        Material(
            id: id, created: time.timeIntervalSince1970, domain: domain,
            wrapped: try key.seal(secret, authenticating: label(id, version: materials.count)))
    }

    /// Material that a custodian has made.
    static func keptMaterial(_ handle: KeyHandle, at time: Date) throws -> Material {
        let id = try MaterialID(random: SystemRandom())
        return Material(id: id, created: time.timeIntervalSince1970, domain: 0, wrapped: handle.bytes)
    }

    /// A material, unwrapped.
    ///
    /// - Throws: `conflict` where it is wrapped under a domain key that this process has not seen; `tampered`.
    func material(_ index: Int, domains: [UInt32: AESGCM]) throws(KeyManagementError) -> SecretBytes {
        let stored = materials[index]
        guard let domain = domains[stored.domain] else {
            throw KeyManagementError(
                .conflict, "another process has rotated the store's domain key: open the store again")
        }
        do {
            return try domain.open(stored.wrapped, authenticating: label(stored.identifier, version: index))
        } catch {
            throw KeyManagementError(.tampered, "a material of \(id) does not open")
        }
    }
}

/// An alias as it is stored.
struct AliasRecord: Codable, Sendable {
    let target: String
    /// When it was made, and came to stand for this key, in seconds; nil where nobody has noted it.
    var created: Double?
    var updated: Double?

    static let prefix = "alias/"

    static func name(_ alias: AliasName) throws(RecordStoreError) -> RecordName {
        try RecordName("\(prefix)\(alias.account)/\(alias.name.dropFirst("alias/".count))")
    }

    /// The alias of a record's name.
    static func alias(_ name: RecordName) -> AliasName {
        let parts = name.description.dropFirst(prefix.count).split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return AliasName(account: String(parts.first ?? ""), name: "alias/" + (parts.dropFirst().first ?? ""))
    }
}
