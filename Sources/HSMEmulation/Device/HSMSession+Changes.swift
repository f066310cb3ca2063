internal import Auditing
public import Cryptography
internal import RecordIntegrity
internal import RecordStorage
internal import Synchronization

extension HSMSession {
    /// Changes what may be changed: label, id, and rights that are taken away. Whatever else `body` assigns has no effect.
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
        try change(handle, "ShareKey", with: other) { attributes in
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
        guard object.snapshot.value != nil else {
            try partition.record(event)
            transient.withLock { _ = $0.remove(handle) }
            return partition.edit { $0.remove(handle) }
        }
        try changeStored(event) { state in
            guard let object = state.objects[handle] else { throw HSMObject.gone(handle) }
            return OpenPartition.Plan(
                writes: [.delete(try StoredKey.name(handle), expecting: .version(object.snapshot.version))])
        }
    }

    /// Changes this user's own password. Its other sessions end. A wrong old password counts as one at a login.
    ///
    /// - Throws: `pinIncorrect` for the old one, `pinLocked`, `pinLengthRange` for the new one.
    public func changePassword(
        from old: borrowing SecretBytes, to new: borrowing SecretBytes
    ) throws(HSMError) {
        try check()
        guard let known = try partition.read({ $0.users[user] }) else { throw closed }
        let event = HSMEvent(name: "SetPIN", user: user, parameters: [("user", .text(user))])
        let record: UserRecord
        do {
            let counter = try LoginCounter(user, in: partition.records.store)
            try counter.begin()
            _ = try known.record.master(user, old, partition: partition.id).count
            record = try partition.userRecord(user, .cryptoUser, new, cost: cost)
            try counter.reset()
        } catch {
            let refusal = HSMError(wrapping: error)
            partition.recordRefusal(of: event, refusal)
            throw refusal
        }
        // From the moment it is stored the new record is this session's too, for all its threads.
        let changed = SessionUser(user, record)
        identities.withLock { $0.append(changed) }
        defer {
            let isStored = partition.isKnown(changed)
            identities.withLock { identities in
                identities.removeAll { ($0.incarnation == changed.incarnation) != isStored }
            }
        }
        try changeStored(event) { state in
            guard state.users[user]?.version == known.version else { throw HSMError(.pinIncorrect, "") }
            return OpenPartition.Plan(
                writes: [
                    .put(try UserRecord.name(user), try StoredJSON.encode(record), expecting: .version(known.version))
                ])
        }
    }
}

extension HSMSession {
    /// Changes a key's attributes. What to change is decided before the partition is held, and again where others were faster.
    private func change(
        _ handle: KeyHandle, _ name: String, with other: String? = nil,
        _ body: (KeyAttributes) throws(HSMError) -> KeyAttributes
    ) throws(HSMError) {
        for _ in 0..<20 {
            let object = try ownObject(handle)
            let snapshot = try object.snapshot(for: user)
            let changed = try body(snapshot.attributes)
            var event = HSMEvent(name: name, user: user, key: handle.description)
            event.parameters = HSMSession.changes(snapshot.attributes, changed)
            guard snapshot.value != nil else {
                if let other { _ = try partition.read { state throws(HSMError) in try state.checkCryptoUser(other) } }
                try partition.record(event)
                if partition.edit({ $0.replace(object, snapshot.attributes, with: changed) }) { return }
                continue
            }
            var isOvertaken = false
            do throws(HSMError) {
                try changeStored(event) { state in
                    if let other { try state.checkCryptoUser(other) }
                    guard state.objects[handle]?.snapshot.version == snapshot.version,
                        let write = try partition.write(handle, changed, over: snapshot)
                    else {
                        isOvertaken = true
                        throw HSMError(.conflict, "the key was changed meanwhile")
                    }
                    return OpenPartition.Plan(writes: [write])
                }
                return
            } catch {
                guard isOvertaken, error.code == .conflict else { throw error }
            }
        }
        throw HSMError(.conflict, "others change the key all the time")
    }

    /// What the audit trail tells of a change.
    private static func changes(_ old: KeyAttributes, _ new: KeyAttributes) -> [(String, AuditEvent.Value)] {
        var changes: [(String, AuditEvent.Value)] = []
        if old.label != new.label { changes.append(("label", .text(new.label))) }
        if old.id != new.id { changes.append(("id", .text(Hexadecimal.encode(new.id)))) }
        if old.uses != new.uses { changes.append(("uses", .text(new.uses.text))) }
        if old.isSensitive != new.isSensitive { changes.append(("sensitive", .flag(new.isSensitive))) }
        if old.isExtractable != new.isExtractable { changes.append(("extractable", .flag(new.isExtractable))) }
        if old.sharedWith != new.sharedWith {
            changes.append(("sharedWith", .text(new.sharedWith.sorted().joined(separator: ","))))
        }
        return changes
    }
}

extension PartitionState {
    /// - Throws: `userNotFound`.
    func checkCryptoUser(_ name: String) throws(HSMError) {
        guard users[name]?.record.role == .cryptoUser else {
            throw HSMError(.userNotFound, "there is no crypto user \(name)")
        }
    }
}
