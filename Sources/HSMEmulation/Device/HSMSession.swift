public import Cryptography
internal import RecordIntegrity
internal import RecordStorage
internal import Synchronization

/// A crypto user's session: makes keys, finds them, and uses them. It manages no users.
///
/// Keys that are not persistent end with it. Safe from any thread; several sessions of one user may be open.
public final class HSMSession: Sendable {
    /// Who it is.
    public let user: String

    let partition: OpenPartition
    private let cost: Scrypt
    private let isOpen = Atomic<Bool>(true)
    /// The changes of users after which this session's was found still there.
    private let seenChanges = Atomic<UInt64>(0)
    /// The keys that end with the session.
    private let transient = Mutex<Set<KeyHandle>>([])

    init(_ partition: OpenPartition, user: String, cost: Scrypt) {
        self.partition = partition
        self.user = user
        self.cost = cost
    }

    deinit { end() }

    /// Ends the session: it, and every key that came from it, refuses from now on.
    public func logOut() { end() }

    /// Makes a key, for one use.
    ///
    /// - Parameters:
    ///   - specification: what kind, and what for.
    ///   - label: a name to find it by.
    ///   - id: bytes to find it by.
    ///   - isPersistent: whether it is kept in the partition, or ends with the session.
    ///   - isExtractable: whether it may leave, wrapped.
    /// - Throws: `templateInconsistent`, `mechanismInvalid`, `sessionClosed`, `storeFailure`, `auditFailure`.
    public func generateKey<Use>(
        _ specification: HSMKeySpecification<Use>, label: String = "", id: [UInt8] = [], isPersistent: Bool = true,
        isExtractable: Bool = false
    ) throws(HSMError) -> HSMKey<Use> {
        let handle = try generateKey(
            KeyAttributes(
                specification.type, label: label, id: id, uses: specification.uses, isPersistent: isPersistent,
                isExtractable: isExtractable))
        return try key(handle, for: specification.use)
    }

    /// Makes a key of any attributes.
    ///
    /// - Returns: its handle, which may be stored anywhere.
    public func generateKey(_ attributes: KeyAttributes) throws(HSMError) -> KeyHandle {
        try check()
        try attributes.check()
        var attributes = attributes
        attributes.isLocal = true
        let material = try stated { try attributes.type.generate() }
        return try keep(material, attributes, HSMEvent(name: attributes.type.generation, user: user))
    }

    /// The key of a label, for a use.
    ///
    /// - Throws: `objectHandleInvalid` where there is none; `objectAmbiguous` where there are several;
    ///   `keyFunctionNotPermitted` where it is for other uses.
    public func key<Use>(_ label: String, for use: HSMUse<Use>) throws(HSMError) -> HSMKey<Use> {
        let handles = try find(label: label)
        guard let handle = handles.first else { throw HSMError(.objectHandleInvalid, "no key is called \(label)") }
        guard handles.count == 1 else {
            throw HSMError(.objectAmbiguous, "\(handles.count) keys are called \(label)")
        }
        return try key(handle, for: use)
    }

    /// The key of a handle, for a use.
    ///
    /// - Throws: `objectHandleInvalid`, `keyFunctionNotPermitted`.
    public func key<Use>(_ handle: KeyHandle, for use: HSMUse<Use>) throws(HSMError) -> HSMKey<Use> {
        let object = try object(handle)
        let attributes = try object.attributes(for: user)
        guard use.fits(attributes) else {
            throw HSMError(.keyFunctionNotPermitted, "the key is for \(attributes.uses.text)")
        }
        return HSMKey(session: self, object: object, subjectPublicKeyInfo: attributes.subjectPublicKeyInfo)
    }

    /// The handles of the keys with a label that this user may use. It takes the same time however many keys there are.
    public func find(label: String) throws(HSMError) -> [KeyHandle] {
        try check()
        try partition.refresh()
        return try partition.read { state in
            state.handles(label: label).filter { state.objects[$0].map { isVisible($0) } ?? false }
                .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        }
    }

    /// The handles of all keys that this user may use.
    public func keys() throws(HSMError) -> [KeyHandle] {
        try check()
        try partition.refresh()
        return try partition.read { state in
            state.objects.values.filter { isVisible($0) }.map(\.handle)
                .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        }
    }

    /// What is known of a key.
    ///
    /// - Throws: `objectHandleInvalid`.
    public func attributes(of handle: KeyHandle) throws(HSMError) -> KeyAttributes {
        try object(handle).attributes(for: user)
    }

    /// Changes what may be changed: label, id, and rights that are taken away.
    ///
    /// - Throws: `attributeReadOnly`, `templateInconsistent`, `objectHandleInvalid`; also for a key of another owner.
    public func changeAttributes(
        of handle: KeyHandle, by body: (inout KeyAttributes) -> Void
    ) throws(HSMError) {
        try change(handle, "SetAttributeValue") { attributes throws(HSMError) in try attributes.changed(by: body) }
    }

    /// Lets another crypto user use a key. The owner alone changes, wraps and destroys it.
    ///
    /// - Throws: `userNotFound`, `objectHandleInvalid`; also for a key of another owner.
    public func share(_ handle: KeyHandle, with other: String) throws(HSMError) {
        try check()
        guard try partition.read({ $0.users[other]?.record.role }) == .cryptoUser else {
            throw HSMError(.userNotFound, "there is no crypto user \(other)")
        }
        try change(handle, "ShareKey") { attributes in
            var shared = attributes
            shared.sharedWith.insert(other)
            return shared
        }
    }

    /// No longer lets another crypto user use a key.
    public func unshare(_ handle: KeyHandle, with other: String) throws(HSMError) {
        try change(handle, "UnshareKey") { attributes in
            var shared = attributes
            shared.sharedWith.remove(other)
            return shared
        }
    }

    /// Destroys a key. There is no way back.
    ///
    /// - Throws: `objectHandleInvalid`; also for a key of another owner.
    public func destroy(_ handle: KeyHandle) throws(HSMError) {
        let object = try ownObject(handle)
        let event = HSMEvent(name: "DestroyObject", user: user, key: handle.description)
        guard object.version > 0 else {
            try partition.record(event)
            transient.withLock { _ = $0.remove(handle) }
            return partition.edit { $0.remove(handle) }
        }
        try partition.change(event) { state in
            guard let object = state.objects[handle] else { throw HSMObject.gone(handle) }
            return [.delete(try StoredKey.name(handle), expecting: .version(object.version))]
        }
    }

    /// Changes this user's own password.
    ///
    /// - Throws: `pinIncorrect` for the old one, `pinLengthRange` for the new one.
    public func changePassword(
        from old: borrowing SecretBytes, to new: borrowing SecretBytes
    ) throws(HSMError) {
        try check()
        guard let known = try partition.read({ $0.users[user] }) else { throw closed }
        try stated { _ = try known.record.master(user, old, partition: partition.id).count }
        let record = try stated { try partition.userRecord(user, .cryptoUser, new, cost: cost) }
        try partition.change(HSMEvent(name: "SetPIN", user: user, parameters: [("user", .text(user))])) { state in
            guard state.users[user]?.version == known.version else { throw HSMError(.conflict, "") }
            return [
                .put(try UserRecord.name(user), try StoredJSON.encode(record), expecting: .version(known.version))
            ]
        }
    }
}

extension HSMSession {
    /// The opened key for a use, of which every call begins with asking.
    func material(_ object: HSMObject, for use: KeyUses) throws(HSMError) -> KeyMaterial {
        try check()
        return try object.material(for: use, by: user, partition.cipher)
    }

    /// Refuses a session that has ended, and looks for what other processes have changed.
    func check() throws(HSMError) {
        guard isOpen.load(ordering: .acquiring) else { throw closed }
        try partition.look()
        let changes = partition.userChanges
        guard seenChanges.load(ordering: .relaxed) != changes else { return }
        guard partition.isKnown(user) else { throw closed }
        seenChanges.store(changes, ordering: .relaxed)
    }

    func object(_ handle: KeyHandle) throws(HSMError) -> HSMObject {
        try check()
        if let object = try partition.read({ $0.objects[handle] }) { return object }
        // It may be younger than the last look.
        try partition.refresh()
        guard let object = try partition.read({ $0.objects[handle] }) else { throw HSMObject.gone(handle) }
        return object
    }

    /// A key that is this user's own.
    func ownObject(_ handle: KeyHandle) throws(HSMError) -> HSMObject {
        let object = try object(handle)
        guard try object.attributes(for: user).owner == user else {
            throw HSMError(.objectHandleInvalid, "the key \(handle) is another's")
        }
        return object
    }

    /// Takes a key in.
    func keep(
        _ material: borrowing SecretBytes, _ attributes: KeyAttributes, _ event: HSMEvent
    ) throws(HSMError) -> KeyHandle {
        let (handle, complete) = try stated { () throws -> (KeyHandle, KeyAttributes) in
            var attributes = attributes
            attributes.owner = user
            attributes.sharedWith = []
            attributes.isTrusted = false
            attributes.wasAlwaysSensitive = attributes.isLocal && attributes.isSensitive
            attributes.wasNeverExtractable = attributes.isLocal && !attributes.isExtractable
            attributes.subjectPublicKeyInfo = try KeyMaterial(attributes.type, attributes.uses, material.bytes)
                .subjectPublicKeyInfo
            return (KeyHandle(try SystemRandom().bytes(count: 16)), attributes)
        }
        var event = event
        event.key = handle.description
        event.parameters += [
            ("label", .text(complete.label)), ("keyType", .text(complete.type.description)),
            ("uses", .text(complete.uses.text)), ("token", .flag(complete.isPersistent)),
            ("extractable", .flag(complete.isExtractable)),
        ]
        guard complete.isPersistent else {
            try partition.record(event)
            transient.withLock { _ = $0.insert(handle) }
            let object = HSMObject(handle, complete, material.copy())
            partition.edit { $0.insert(object) }
            return handle
        }
        let value = try stated { try StoredKey.seal(complete, material, handle, under: partition.cipher) }
        try partition.change(event) { _ in [.put(try StoredKey.name(handle), value, expecting: .absent)] }
        return handle
    }

    private var closed: HSMError { HSMError(.sessionClosed, "the session of \(user) has ended") }

    private func isVisible(_ object: HSMObject) -> Bool {
        let attributes = object.currentAttributes
        return attributes.owner == user || attributes.sharedWith.contains(user)
    }

    private func change(
        _ handle: KeyHandle, _ name: String, _ body: (KeyAttributes) throws(HSMError) -> KeyAttributes
    ) throws(HSMError) {
        let object = try ownObject(handle)
        let event = HSMEvent(name: name, user: user, key: handle.description)
        guard object.version > 0 else {
            let changed = try body(try object.attributes(for: user))
            try partition.record(event)
            return partition.edit { $0.update(object, changed) }
        }
        try partition.change(event) { state in
            guard let object = state.objects[handle] else { throw HSMObject.gone(handle) }
            let changed = try body(try object.attributes(for: user))
            guard let value = try object.value(with: changed, partition.cipher) else { throw HSMObject.gone(handle) }
            return [.put(try StoredKey.name(handle), value, expecting: .version(object.version))]
        }
    }

    private func end() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let handles = transient.withLock { transient in
            defer { transient = [] }
            return transient
        }
        partition.edit { state in for handle in handles { state.remove(handle) } }
        // What it did is worth knowing even where that it ended cannot be stored.
        try? partition.record(HSMEvent(name: "Logout", user: user))
    }
}

extension KeyType {
    /// PKCS #11's function that makes it.
    fileprivate var generation: String { isPrivate ? "GenerateKeyPair" : "GenerateKey" }
}
