public import Cryptography
internal import RecordStorage
internal import Synchronization

/// A crypto user's session: makes keys, finds them, and uses them. It manages no users.
///
/// Keys that are not persistent end with it. Safe from any thread; several sessions of one user may be open.
public final class HSMSession: Sendable {
    /// Who it is.
    public let user: String

    let partition: OpenPartition
    /// Who is logged in; two while the user's own new password is being stored.
    let identities: Mutex<[SessionUser]>
    let cost: Scrypt
    private let isOpen = Atomic<Bool>(true)
    /// The changes of users after which this session's was found still there.
    private let seenChanges = Atomic<UInt64>(0)
    /// The keys that end with the session.
    let transient = Mutex<Set<KeyHandle>>([])

    init(_ partition: OpenPartition, _ user: SessionUser, cost: Scrypt) {
        self.partition = partition
        self.user = user.name
        identities = Mutex([user])
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

    /// The key of a label, for a use: this user's own, or where there is none, one that is shared with it.
    ///
    /// - Throws: `objectHandleInvalid` where there is none; `objectAmbiguous` where there are several;
    ///   `keyFunctionNotPermitted` where it is for other uses.
    public func key<Use>(_ label: String, for use: HSMUse<Use>) throws(HSMError) -> HSMKey<Use> {
        let all = try find(label: label)
        let own = try partition.read { state in all.filter { state.objects[$0]?.snapshot.attributes.owner == user } }
        let handles = own.isEmpty ? all : own
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

    /// The handles of the keys with a label that this user may use. It takes the same time however many other keys there are.
    public func find(label: String) throws(HSMError) -> [KeyHandle] {
        try check()
        try partition.refresh()
        return try partition.read { state in HSMSession.sorted(state.handles(label: label, for: user)) }
    }

    /// The handles of all keys that this user may use.
    public func keys() throws(HSMError) -> [KeyHandle] {
        try check()
        try partition.refresh()
        return try partition.read { state in
            HSMSession.sorted(state.objects.values.filter { $0.snapshot.attributes.isVisible(to: user) }.map(\.handle))
        }
    }

    private static func sorted(_ handles: some Sequence<KeyHandle>) -> [KeyHandle] {
        handles.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    /// What is known of a key.
    ///
    /// - Throws: `objectHandleInvalid`.
    public func attributes(of handle: KeyHandle) throws(HSMError) -> KeyAttributes {
        try object(handle).attributes(for: user)
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
        guard identities.withLock({ $0 }).contains(where: { partition.isKnown($0) }) else {
            end()
            throw closed
        }
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
            let object = HSMObject(handle, complete, material.copy())
            // Under one lock with the session's end, or the key would outlive it.
            let isKept = transient.withLock { transient in
                guard isOpen.load(ordering: .acquiring) else { return false }
                transient.insert(handle)
                partition.edit { $0.insert(object) }
                return true
            }
            guard isKept else { throw closed }
            return handle
        }
        let value = try stated { try StoredKey.seal(complete, material, handle, under: partition.cipher) }
        try changeStored(event) { _ in
            OpenPartition.Plan(writes: [.put(try StoredKey.name(handle), value, expecting: .absent)])
        }
        return handle
    }

    var closed: HSMError { HSMError(.sessionClosed, "the session of \(user) has ended") }

    /// A change by this user, who must be there still when it is written.
    func changeStored(
        _ event: HSMEvent, _ plan: (PartitionState) throws -> OpenPartition.Plan
    ) throws(HSMError) {
        let identities = identities.withLock { $0 }
        try partition.change(event) { state in
            let incarnation = state.users[user]?.record.incarnation
            guard identities.contains(where: { $0.incarnation == incarnation }) else { throw closed }
            return try plan(state)
        }
    }

    private func end() {
        let ended: Set<KeyHandle>? = transient.withLock { transient in
            guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return nil }
            defer { transient = [] }
            return transient
        }
        guard let ended else { return }
        partition.edit { state in for handle in ended { state.remove(handle) } }
        // What it did is worth knowing even where that it ended cannot be stored.
        try? partition.record(HSMEvent(name: "Logout", user: user))
    }
}

extension KeyType {
    /// PKCS #11's function that makes it.
    fileprivate var generation: String { isPrivate ? "GenerateKeyPair" : "GenerateKey" }
}
