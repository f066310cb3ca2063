import Testing

@testable import HSMEmulation

/// Where one thing meets another: partitions, users of one name, rights and their changes, sessions and their ends.
@Suite struct BoundaryTests {
    let test: TestPartition
    let message: [UInt8] = [1]

    init() throws { test = try TestPartition() }

    @Test func `a wrapping key of another partition wraps and unwraps nothing here`() throws {
        let session = try test.session()
        let precious = try session.generateKey(.aes(), isExtractable: true).handle
        // A partition where the attacker is administrator too, and trusts what they like.
        let rogue = try TestPartition()
        let other = try rogue.session()
        let wrapping = try other.generateKey(.aesKeyWrap())
        try rogue.administrator().setTrusted(true, wrapping.handle)
        #expect(throws: HSMError(.objectHandleInvalid)) { _ = try session.wrap(precious, under: wrapping) }
        let own = try other.wrap(other.generateKey(.aes(), isExtractable: true).handle, under: wrapping)
        #expect(throws: HSMError(.objectHandleInvalid)) {
            _ = try session.unwrap(
                own.span, under: wrapping, as: KeyAttributes(.aes(bits: 256), uses: [.encrypt, .decrypt]))
        }
        // Nor does one of a session that has ended.
        let second = try test.session()
        let here = try second.generateKey(.aesKeyWrap())
        second.logOut()
        #expect(throws: HSMError(.sessionClosed)) { _ = try session.wrap(precious, under: here) }
    }

    @Test func `assigning whole attributes changes nothing but what may be changed`() throws {
        let session = try test.session()
        let handle = try session.generateKey(.aes(), label: "a", isExtractable: true).handle
        let admin = try test.administrator()
        try admin.setTrusted(true, handle)
        let trusted = try session.attributes(of: handle)
        try admin.setTrusted(false, handle)
        try session.changeAttributes(of: handle) { $0 = trusted }
        #expect(try !session.attributes(of: handle).isTrusted)
        try session.changeAttributes(of: handle) { attributes in
            attributes = KeyAttributes(.aes(bits: 256), label: "b", uses: .decrypt)
        }
        let after = try session.attributes(of: handle)
        #expect(after.owner == "alice" && after.label == "b" && after.uses == .decrypt && after.isLocal)
        #expect(throws: HSMError(.attributeReadOnly)) {
            let passing = try session.generateKey(.aes(), isPersistent: false).handle
            try session.changeAttributes(of: passing) { $0.isPersistent = true }
        }
    }

    @Test func `a private key that unwraps never leaves`() throws {
        let session = try test.session()
        #expect(throws: HSMError(.templateInconsistent)) {
            _ = try session.generateKey(KeyAttributes(.rsa(bits: 2048), uses: .unwrap, isExtractable: true))
        }
    }

    @Test func `who is made again under the same name is somebody else`() throws {
        let (admin, alice) = (try test.administrator(), try test.session("alice"))
        let old = try test.session("bob")
        let shared = try alice.generateKey(.ed25519).handle
        try alice.share(shared, with: "bob")
        for _ in 0..<3 {
            #expect(throws: HSMError(.pinIncorrect)) {
                _ = try test.partition.logIn("bob", password: TestPartition.password("wrong password"))
            }
        }
        try admin.deleteUser("bob")
        try admin.createUser("bob", password: TestPartition.password("a new password"))
        #expect(throws: HSMError(.sessionClosed)) { _ = try old.keys() }
        let new = try test.partition.logIn("bob", password: TestPartition.password("a new password"))
        #expect(try new.keys().isEmpty)
        #expect(throws: HSMError(.sessionClosed)) { _ = try old.keys() }
        #expect(try admin.users().allSatisfy { $0.failedLogins == 0 })
        // A password that an administrator sets ends the sessions of whoever had the old one.
        try admin.setPassword(TestPartition.password(), of: "bob")
        #expect(throws: HSMError(.sessionClosed)) { _ = try new.keys() }
        // One's own new password ends one's other sessions.
        let (first, second) = (try test.session("bob"), try test.session("bob"))
        try first.changePassword(from: TestPartition.password(), to: TestPartition.password("another one"))
        #expect(try first.keys().isEmpty)
        #expect(throws: HSMError(.sessionClosed)) { _ = try second.keys() }
        admin.logOut()
        #expect(throws: HSMError(.sessionClosed)) { _ = try admin.users() }
    }

    @Test func `a session that changes its own password goes on meanwhile`() async throws {
        let session = try test.session()
        let key = try session.generateKey(.ed25519)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    for _ in 0..<300 { _ = try key.sign([1].span, using: .ed25519) }
                }
            }
            group.addTask {
                for round in 0..<10 {
                    let (old, new) = (round == 0 ? "correct horse" : "password \(round)", "password \(round + 1)")
                    try session.changePassword(from: TestPartition.password(old), to: TestPartition.password(new))
                }
            }
            try await group.waitForAll()
        }
        #expect(throws: HSMError(.pinIncorrect)) { _ = try test.session() }
    }

    @Test func `guessing the old password is counted as at a login`() throws {
        let session = try test.session()
        for _ in 0..<10 {
            #expect(throws: HSMError(.pinIncorrect)) {
                try session.changePassword(
                    from: TestPartition.password("wrong password"), to: TestPartition.password("another one"))
            }
        }
        #expect(throws: HSMError(.pinLocked)) {
            try session.changePassword(from: TestPartition.password(), to: TestPartition.password("another one"))
        }
        #expect(throws: HSMError(.pinLocked)) { _ = try test.session() }
        let events = try test.administrator().auditEvents()
        #expect(events.count { $0.contains("PinIncorrect") } == 10)
    }

    @Test func `two who delete each other at once leave one administrator`() async throws {
        for _ in 0..<20 {
            let test = try TestPartition()
            try test.administrator().createAdministrator("root", password: TestPartition.password())
            let other = try test.elsewhere()
            let (admin, root) = (
                try test.administrator(), try other.partition.administer("root", password: TestPartition.password())
            )
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? admin.deleteUser("root") }
                group.addTask { try? root.deleteUser("admin") }
            }
            let left = ["admin", "root"].filter {
                (try? test.elsewhere().partition.administer($0, password: TestPartition.password())) != nil
            }
            #expect(left.count == 1)
        }
    }

    @Test func `a change within a change is not lost, and stops nobody`() throws {
        let session = try test.session()
        for isPersistent in [true, false] {
            let handle = try session.generateKey(.aes(), isPersistent: isPersistent, isExtractable: true).handle
            let other = try session.generateKey(.aes()).handle
            var isFirst = true
            try session.changeAttributes(of: handle) { attributes in
                if isFirst { try? session.changeAttributes(of: handle) { $0.isExtractable = false } }
                isFirst = false
                try? session.destroy(other)
                attributes.label = "x"
            }
            let after = try session.attributes(of: handle)
            #expect(!after.isExtractable && after.label == "x")
            #expect(throws: HSMError(.objectHandleInvalid)) { _ = try session.attributes(of: other) }
        }
    }

    @Test func `keys that end with a session do, whatever is under way`() async throws {
        for _ in 0..<50 {
            let session = try test.session()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { _ = try? session.generateKey(.ed25519, isPersistent: false) } }
                group.addTask { session.logOut() }
            }
        }
        #expect(try test.session().keys().isEmpty)
    }

    @Test func `a record that goes back while the partition is open is found`() throws {
        let store = RevertingStore()
        let test = try TestPartition(store)
        let (alice, admin) = (try test.session("alice"), try test.administrator())
        let old = try #require(try store.record("hsm/main/user/bob"))
        try admin.deleteUser("bob")
        #expect(try alice.keys().isEmpty)
        store.revert(old)
        #expect(throws: HSMError.self) { _ = try test.session("bob") }
        #expect(throws: HSMError(.tampered)) { _ = try alice.keys() }
    }

    @Test func `a key of one's own comes before one that another has shared`() throws {
        let (alice, bob) = (try test.session("alice"), try test.session("bob"))
        let theirs = try bob.generateKey(.aes(), label: "data")
        try bob.share(theirs.handle, with: "alice")
        #expect(try alice.key("data", for: .sealing).handle == theirs.handle)
        let own = try alice.generateKey(.aes(), label: "data")
        #expect(try alice.key("data", for: .sealing).handle == own.handle && alice.find(label: "data").count == 2)
        try bob.unshare(theirs.handle, with: "alice")
        #expect(try alice.find(label: "data") == [own.handle])
    }
}

/// A store in which somebody puts an old record back, version and all.
private final class RevertingStore: RecordStore {
    private let inner = MemoryRecordStore()
    private let reverted = Reverted()

    private final class Reverted: @unchecked Sendable {
        var record: Record?
    }

    func revert(_ record: Record) { reverted.record = record }

    func record(_ name: RecordName) throws(RecordStoreError) -> Record? {
        if let record = reverted.record, record.name == name { return record }
        return inner.record(name)
    }
    func version(of name: RecordName) throws(RecordStoreError) -> UInt64 { inner.version(of: name) }
    func records(prefix: String, after last: RecordName?, limit: Int) throws(RecordStoreError) -> [Record] {
        inner.records(prefix: prefix, after: last, limit: limit)
    }
    @discardableResult func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        try inner.commit(writes)
    }
    var revision: Revision {
        get throws(RecordStoreError) { Revision(inner.revision.rawValue + (reverted.record == nil ? 0 : 1)) }
    }
    func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        var changes = inner.changes(since: revision, limit: limit)
        if let record = reverted.record {
            changes.removeAll { $0.name == record.name }
            changes.append(
                RecordChange(
                    name: record.name, version: record.version, revision: Revision(inner.revision.rawValue + 1),
                    isDeletion: false))
        }
        return changes
    }
}
