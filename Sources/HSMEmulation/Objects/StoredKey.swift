internal import Cryptography
internal import RecordIntegrity
internal import RecordStorage

/// A key as it is stored: attributes and material, each sealed under the partition's key with its place. Layout:
/// Documentation/Formats/HSMPartition.md.
struct StoredKey {
    static let prefix = "object/"

    static func name(_ handle: KeyHandle) throws(RecordStoreError) -> RecordName {
        try RecordName("\(prefix)\(handle)")
    }

    static func handle(_ name: RecordName) -> KeyHandle? {
        Hexadecimal.decode(String(name.description.dropFirst(prefix.count))).map { KeyHandle($0) }
    }

    private let sealedAttributes: ArraySlice<UInt8>
    private let sealedMaterial: ArraySlice<UInt8>

    /// Reads a record's value.
    init(_ value: [UInt8], _ name: RecordName) throws(HSMError) {
        let count = value.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard value.count >= 4, count <= value.count - 4 else {
            throw HSMError(.tampered, "record \(name) cannot be read")
        }
        sealedAttributes = value[4..<(4 + count)]
        sealedMaterial = value[(4 + count)...]
    }

    /// The value of a new key's record.
    static func seal(
        _ attributes: KeyAttributes, _ material: borrowing SecretBytes, _ handle: KeyHandle, under cipher: AESGCM
    ) throws -> [UInt8] {
        join(
            try cipher.seal(try StoredJSON.encode(Fields(attributes)), authenticating: label("attributes", handle)),
            try cipher.seal(material, authenticating: label("material", handle)))
    }

    /// The value with other attributes.
    func with(_ attributes: KeyAttributes, _ handle: KeyHandle, under cipher: AESGCM) throws -> [UInt8] {
        StoredKey.join(
            try cipher.seal(
                try StoredJSON.encode(Fields(attributes)), authenticating: StoredKey.label("attributes", handle)),
            Array(sealedMaterial))
    }

    func attributes(_ handle: KeyHandle, _ cipher: AESGCM) throws -> KeyAttributes {
        do {
            let opened = try cipher.open(
                Array(sealedAttributes), authenticating: StoredKey.label("attributes", handle))
            return try StoredJSON.decode(Fields.self, opened.withBytes { $0.array }, StoredKey.name(handle))
                .attributes()
        } catch { throw HSMError(.tampered, "the attributes of \(handle) do not open") }
    }

    func material(_ handle: KeyHandle, _ cipher: AESGCM) throws(HSMError) -> SecretBytes {
        do {
            return try cipher.open(Array(sealedMaterial), authenticating: StoredKey.label("material", handle))
        } catch { throw HSMError(.tampered, "the material of \(handle) does not open") }
    }

    private static func join(_ attributes: [UInt8], _ material: [UInt8]) -> [UInt8] {
        var value: [UInt8] = []
        value.appendBigEndian(UInt32(clamping: attributes.count))
        return value + attributes + material
    }

    private static func label(_ part: String, _ handle: KeyHandle) -> [UInt8] {
        Array("strongroom hsm \(part) \(handle)".utf8)
    }

    /// The attributes' fields by their stored names.
    private struct Fields: Codable {
        let type: String
        let label: String
        let id: [UInt8]
        let uses: KeyUses
        let sensitive: Bool
        let extractable: Bool
        let owner: String
        let shared: [String]
        let local: Bool
        let alwaysSensitive: Bool
        let neverExtractable: Bool
        let trusted: Bool
        let spki: [UInt8]

        init(_ attributes: KeyAttributes) {
            type = attributes.type.description
            label = attributes.label
            id = attributes.id
            uses = attributes.uses
            sensitive = attributes.isSensitive
            extractable = attributes.isExtractable
            owner = attributes.owner
            shared = attributes.sharedWith.sorted()
            local = attributes.isLocal
            alwaysSensitive = attributes.wasAlwaysSensitive
            neverExtractable = attributes.wasNeverExtractable
            trusted = attributes.isTrusted
            spki = attributes.subjectPublicKeyInfo
        }

        func attributes() throws(HSMError) -> KeyAttributes {
            guard let type = KeyType(type) else { throw HSMError(.tampered, "a key of the unknown type \(type)") }
            var attributes = KeyAttributes(
                type, label: label, id: id, uses: uses, isSensitive: sensitive, isExtractable: extractable)
            attributes.owner = owner
            attributes.sharedWith = Set(shared)
            attributes.isLocal = local
            attributes.wasAlwaysSensitive = alwaysSensitive
            attributes.wasNeverExtractable = neverExtractable
            attributes.isTrusted = trusted
            attributes.subjectPublicKeyInfo = spki
            return attributes
        }
    }
}
