internal import Cryptography
internal import FoundationEssentials

/// What a backup says of its key beside the material. It comes from outside, and is believed in nothing that could do harm.
struct BackupHead: Codable, Sendable {
    struct Material: Codable, Sendable {
        let id: String
        let created: Double
        let rotation: KeyRotation.Kind?
        let isDestroyed: Bool
    }

    let id: String
    let usage: String
    let specification: String
    let description: String
    let tags: [String: String]?
    let rotationPeriod: Int?
    let oldest: Int?
    let notBefore: Double?
    let notAfter: Double?
    let materials: [Material]

    private static let mostMaterials = 1000

    init(_ record: KeyRecord) {
        id = record.id
        (usage, specification) = (record.usage, record.specification)
        (description, tags) = (record.description, record.tags)
        rotationPeriod = record.schedule?.days
        oldest = record.oldest
        (notBefore, notAfter) = (record.notBefore, record.notAfter)
        materials = record.materials.map { material in
            Material(
                id: material.id, created: material.created, rotation: material.rotation,
                isDestroyed: material.wrapped.isEmpty)
        }
    }

    /// Reads a head.
    ///
    /// - Throws: for whatever no service has written.
    init(_ bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(BackupHead.self, from: Data(bytes))
        guard let uuid = UUID(uuidString: id), uuid.lowercaseText == id, isRight else {
            throw KeyManagementError(.invalidCiphertext)
        }
    }

    private var isRight: Bool {
        let destroyed = materials.prefix { $0.isDestroyed }.count
        let names = Set(materials.map(\.id))
        let times = [notBefore, notAfter].compactMap { $0 } + materials.map(\.created)
        return (1...BackupHead.mostMaterials).contains(materials.count) && names.count == materials.count
            && names.allSatisfy { MaterialID(text: $0) != nil }
            // Only what is too old to open was destroyed.
            && destroyed <= oldest ?? 0 && !materials.dropFirst(destroyed).contains(where: \.isDestroyed)
            && (0..<materials.count).contains(oldest ?? 0)
            && times.allSatisfy { $0.isFinite && $0 >= 0 }
            && (notBefore ?? -.infinity) < (notAfter ?? .infinity)
            && rotationPeriod.map { KeyManagementClient.rotationPeriods.contains($0) } != false
    }
}
