internal import Cryptography
internal import RecordIntegrity
internal import RecordStorage

/// What a partition has: users and keys, indexed by handle and by who may use them under which label.
struct PartitionState: Sendable {
    struct User: Sendable {
        let record: UserRecord
        let version: UInt64
    }

    private struct Label: Hashable {
        let user: String
        let label: String
    }

    private(set) var users: [String: User] = [:]
    private(set) var objects: [KeyHandle: HSMObject] = [:]
    /// To find a key takes the same time however many there are, of this user and of others.
    private var labels: [Label: Set<KeyHandle>] = [:]
    /// The version of every record that was ever seen: none goes back.
    private var versions: [RecordName: (version: UInt64, isDeleted: Bool)] = [:]
    var revision: Revision
    /// How often users have changed.
    private(set) var userChanges = 0

    init(revision: Revision) { self.revision = revision }

    func handles(label: String, for user: String) -> Set<KeyHandle> { labels[Label(user: user, label: label)] ?? [] }

    /// The keys that are a user's own, and those that are shared with it.
    func keys(of user: String) -> (own: Int, shared: [HSMObject]) {
        let own = objects.values.count { $0.snapshot.attributes.owner == user }
        return (own, objects.values.filter { $0.snapshot.attributes.sharedWith.contains(user) })
    }

    mutating func insert(_ object: HSMObject) {
        objects[object.handle] = object
        label(object.handle, object.snapshot.attributes)
    }

    /// Changes a key that ends with its session, unless somebody else was faster.
    mutating func replace(_ object: HSMObject, _ old: KeyAttributes, with new: KeyAttributes) -> Bool {
        guard objects[object.handle] === object, object.replace(old, with: new) else { return false }
        unlabel(object.handle, old)
        label(object.handle, new)
        return true
    }

    mutating func remove(_ handle: KeyHandle) {
        guard let object = objects.removeValue(forKey: handle) else { return }
        unlabel(handle, object.snapshot.attributes)
        object.destroy()
    }

    /// Whether a record is one of these, and not the audit trail's or a counter of logins.
    static func holds(_ name: RecordName) -> Bool {
        [UserRecord.prefix, StoredKey.prefix].contains { name.description.hasPrefix($0) }
    }

    /// Takes over a record of the store; nil for one that has been deleted.
    ///
    /// - Throws: `tampered` where the name was at a later version before.
    mutating func take(_ record: Record?, _ name: RecordName, version: UInt64, _ cipher: AESGCM) throws {
        if let seen = versions[name] {
            let isBack = version < seen.version || version == seen.version && (record == nil) != seen.isDeleted
            guard !isBack else { throw HSMError(.tampered, "record \(name) was put back") }
        }
        versions[name] = (version, record == nil)
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
            unlabel(handle, known.snapshot.attributes)
            known.update(attributes, value: record.value, version: record.version)
            label(handle, attributes)
        }
    }

    private mutating func label(_ handle: KeyHandle, _ attributes: KeyAttributes) {
        for user in attributes.users { labels[Label(user: user, label: attributes.label), default: []].insert(handle) }
    }

    private mutating func unlabel(_ handle: KeyHandle, _ attributes: KeyAttributes) {
        for user in attributes.users {
            let place = Label(user: user, label: attributes.label)
            labels[place]?.remove(handle)
            if labels[place]?.isEmpty == true { labels[place] = nil }
        }
    }
}
