/// A value behind a reference, which costs those nothing who have none.
final class KeptApart<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension KeyRecord {
    /// Rotation at regular times.
    struct Schedule: Codable, Sendable, Equatable {
        let days: Int
        var next: Double
    }

    /// What few keys have: a store may have a hundred thousand of the others in memory. It stands among the rest in the stored record.
    struct Rarities: Codable, Sendable, Equatable {
        fileprivate var deletion: Double?
        fileprivate var schedule: Schedule?
        fileprivate var tags: [String: String]?
        fileprivate var multiRegion: MultiRegion?
        fileprivate var synchronized: UInt64?
        fileprivate var pendingWindow: Int?
        fileprivate var oldest: Int?
        fileprivate var trimmed: Int?
        fileprivate var manager: String?
        fileprivate var origin: String?
        fileprivate var keyStore: String?
        fileprivate var notBefore: Double?
        fileprivate var notAfter: Double?
        fileprivate var isProtected: Bool?
        fileprivate var mayBeBackedUp: Bool?
        fileprivate var externalKey: String?

        /// Reads what a record has of them; nil for none, without asking for each.
        static func read(from decoder: any Decoder) throws -> KeptApart<Rarities>? {
            let names = try decoder.container(keyedBy: CodingKeys.self).allKeys
            return names.isEmpty ? nil : KeptApart(try Rarities(from: decoder))
        }
    }

    /// When it is gone, in seconds; nil for a key that does not wait for its deletion.
    var deletion: Double? {
        get { self[\.deletion] }
        set { self[\.deletion] = newValue }
    }
    /// When it gets new material by itself; nil for never.
    var schedule: Schedule? {
        get { self[\.schedule] }
        set { self[\.schedule] = newValue }
    }
    /// What its owner has written on it.
    var tags: [String: String]? {
        get { self[\.tags] }
        set { self[\.tags] = newValue }
    }
    /// Its relatives in other Regions; nil for a key of one Region.
    var multiRegion: MultiRegion? {
        get { self[\.multiRegion] }
        set { self[\.multiRegion] = newValue }
    }
    /// For a replica, the version of the primary's record that it has taken over; nil for none of this epoch.
    var synchronized: UInt64? {
        get { self[\.synchronized] }
        set { self[\.synchronized] = newValue }
    }
    /// The days that it will wait for its deletion, once its replicas are deleted.
    var pendingWindow: Int? {
        get { self[\.pendingWindow] }
        set { self[\.pendingWindow] = newValue }
    }
    /// The place of the oldest material that still opens; nil for the first.
    var oldest: Int? {
        get { self[\.oldest] }
        set { self[\.oldest] = newValue }
    }
    /// How many materials were destroyed, from the first on.
    var trimmed: Int? {
        get { self[\.trimmed] }
        set { self[\.trimmed] = newValue }
    }
    /// AWS for a key that the service manages itself; nil for one of its owner's.
    var manager: String? {
        get { self[\.manager] }
        set { self[\.manager] = newValue }
    }
    /// EXTERNAL where the material is imported, PUBLIC where it is somebody else's public key; nil otherwise.
    var origin: String? {
        get { self[\.origin] }
        set { self[\.origin] = newValue }
    }
    /// The name of the key store that the key is in; nil for the service itself.
    var keyStore: String? {
        get { self[\.keyStore] }
        set { self[\.keyStore] = newValue }
    }
    /// From when it protects anything new, in seconds; nil for any time.
    var notBefore: Double? {
        get { self[\.notBefore] }
        set { self[\.notBefore] = newValue }
    }
    /// From when it protects nothing new, in seconds; nil for never.
    var notAfter: Double? {
        get { self[\.notAfter] }
        set { self[\.notAfter] = newValue }
    }
    /// True where nobody may have it deleted; nil otherwise.
    var isProtected: Bool? {
        get { self[\.isProtected] }
        set { self[\.isProtected] = newValue }
    }
    /// True where its material may leave the service wrapped, as was said when it was made; nil otherwise.
    var mayBeBackedUp: Bool? {
        get { self[\.mayBeBackedUp] }
        set { self[\.mayBeBackedUp] = newValue }
    }
    /// The key of an external key store beneath which the material works; nil otherwise.
    var externalKey: String? {
        get { self[\.externalKey] }
        set { self[\.externalKey] = newValue }
    }

    private subscript<V>(path: WritableKeyPath<Rarities, V?>) -> V? {
        get { rarities?.value[keyPath: path] ?? nil }
        set {
            var value = rarities?.value ?? Rarities()
            value[keyPath: path] = newValue
            rarities = value == Rarities() ? nil : KeptApart(value)
        }
    }
}
