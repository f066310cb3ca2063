internal import Cryptography
internal import RecordIntegrity
internal import RecordStorage

/// What a partition has: users and keys, indexed by handle and by label.
struct PartitionState: Sendable {
    struct User: Sendable {
        let record: UserRecord
        let version: UInt64
    }

    private(set) var users: [String: User] = [:]
    private(set) var objects: [KeyHandle: HSMObject] = [:]
    /// Handles by label: to find a key takes the same time however many there are.
    private var labels: [String: Set<KeyHandle>] = [:]
    var revision: Revision
    /// How often users have changed.
    private(set) var userChanges = 0

    init(revision: Revision) { self.revision = revision }

    func handles(label: String) -> Set<KeyHandle> { labels[label] ?? [] }

    /// How many keys are a user's own.
    func keyCount(of user: String) -> Int { objects.values.filter { $0.currentAttributes.owner == user }.count }

    mutating func insert(_ object: HSMObject) {
        objects[object.handle] = object
        labels[object.currentAttributes.label, default: []].insert(object.handle)
    }

    /// Changes a key that ends with its session.
    mutating func update(_ object: HSMObject, _ attributes: KeyAttributes) {
        unlabel(object)
        object.update(attributes, value: nil, version: 0)
        labels[attributes.label, default: []].insert(object.handle)
    }

    mutating func remove(_ handle: KeyHandle) {
        guard let object = objects.removeValue(forKey: handle) else { return }
        unlabel(object)
        object.destroy()
    }

    /// Whether a record is one of these, and not the audit trail's or a counter of logins.
    static func holds(_ name: RecordName) -> Bool {
        [UserRecord.prefix, StoredKey.prefix].contains { name.description.hasPrefix($0) }
    }

    /// Takes over a record of the store; nil for one that has been deleted.
    mutating func take(_ record: Record?, _ name: RecordName, _ cipher: AESGCM) throws {
        if name.description.hasPrefix(UserRecord.prefix) {
            let user = String(name.description.dropFirst(UserRecord.prefix.count))
            userChanges += 1
            users[user] = try record.map {
                User(record: try StoredJSON.decode(UserRecord.self, $0.value, $0.name), version: $0.version)
            }
        } else if name.description.hasPrefix(StoredKey.prefix), let handle = StoredKey.handle(name) {
            guard let record else { return remove(handle) }
            let attributes = try StoredKey(record.value, record.name).attributes(handle, cipher)
            guard let known = objects[handle] else {
                return insert(HSMObject(handle, attributes, value: record.value, version: record.version))
            }
            unlabel(known)
            known.update(attributes, value: record.value, version: record.version)
            labels[attributes.label, default: []].insert(handle)
        }
    }

    private mutating func unlabel(_ object: HSMObject) {
        let label = object.currentAttributes.label
        labels[label]?.remove(object.handle)
        if labels[label]?.isEmpty == true { labels[label] = nil }
    }
}
