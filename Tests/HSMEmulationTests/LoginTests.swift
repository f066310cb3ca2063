import HSMEmulation
import Testing

@Suite struct LoginTests {
    let test: TestPartition
    let wrong = Array("wrong password".utf8)

    init() throws { test = try TestPartition() }

    @Test func `a wrong name is as wrong as a wrong password, and so is the other role`() throws {
        let refusal = HSMError(.pinIncorrect)
        for user in ["alice", "nobody", "admin"] {
            #expect(throws: refusal) { _ = try test.partition.logIn(user, password: SecretBytes(copying: wrong)) }
        }
        #expect(throws: refusal) { _ = try test.partition.logIn("admin", password: TestPartition.password()) }
        #expect(throws: refusal) { _ = try test.partition.administer("alice", password: TestPartition.password()) }
        #expect(throws: HSMError(.invalidName)) {
            _ = try test.partition.logIn("../partition", password: TestPartition.password())
        }
    }

    @Test func `ten wrong passwords lock a user out, and an administrator lets in again`() throws {
        for _ in 0..<10 {
            #expect(throws: HSMError(.pinIncorrect)) {
                _ = try test.partition.logIn("alice", password: SecretBytes(copying: wrong))
            }
        }
        // The count is in the store, not in the process.
        for place in [test, try test.elsewhere()] {
            #expect(throws: HSMError(.pinLocked)) { _ = try place.session() }
        }
        _ = try test.session("bob")
        let admin = try test.administrator()
        #expect(try admin.users().filter(\.isLocked).map(\.name) == ["alice"])
        try admin.unlock("alice")
        _ = try test.session()
        #expect(try admin.users().allSatisfy { $0.failedLogins == 0 })
    }

    @Test func `a right password forgets the wrong ones before it`() throws {
        for _ in 0..<3 {
            for _ in 0..<9 {
                #expect(throws: HSMError(.pinIncorrect)) {
                    _ = try test.partition.logIn("alice", password: SecretBytes(copying: wrong))
                }
            }
            _ = try test.session()
        }
    }

    @Test func `passwords change, by their owner and by an administrator`() throws {
        let session = try test.session()
        let key = try session.generateKey(.ed25519, label: "mine")
        #expect(throws: HSMError(.pinIncorrect)) {
            try session.changePassword(from: SecretBytes(copying: wrong), to: TestPartition.password("another one"))
        }
        try session.changePassword(from: TestPartition.password(), to: TestPartition.password("another one"))
        #expect(throws: HSMError(.pinIncorrect)) { _ = try test.session() }
        let again = try test.partition.logIn("alice", password: TestPartition.password("another one"))
        #expect(try again.keys() == [key.handle])
        let admin = try test.administrator()
        #expect(throws: HSMError(.pinLengthRange)) {
            try admin.setPassword(TestPartition.password("short"), of: "alice")
        }
        try admin.setPassword(TestPartition.password(), of: "alice")
        #expect(try test.session().keys() == [key.handle])
        #expect(throws: HSMError(.userNotFound)) { try admin.setPassword(TestPartition.password(), of: "carol") }
        #expect(throws: HSMError(.alreadyExists)) { try admin.createUser("bob", password: TestPartition.password()) }
    }

    @Test func `an administrator who is none any more can do nothing`() throws {
        let admin = try test.administrator()
        try admin.createAdministrator("root", password: TestPartition.password())
        let root = try test.partition.administer("root", password: TestPartition.password())
        try root.deleteUser("admin")
        #expect(throws: HSMError(.sessionClosed)) { try admin.createUser("eve", password: TestPartition.password()) }
        #expect(throws: HSMError(.sessionClosed)) { _ = try admin.auditEvents() }
    }

    @Test func `partitions know nothing of each other`() throws {
        let other = try test.device.createPartition(
            "other", administrator: "admin", password: TestPartition.password("other password"))
        #expect(try test.device.partitionNames == ["main", "other"])
        #expect(throws: HSMError(.alreadyExists)) {
            try test.device.createPartition("main", administrator: "a", password: TestPartition.password())
        }
        #expect(throws: HSMError(.partitionNotFound)) { _ = try test.device.partition("none") }
        #expect(throws: HSMError(.pinIncorrect)) {
            _ = try other.administer("admin", password: TestPartition.password())
        }
        // A user's record of one partition lets nobody into another.
        let record = try #require(try test.store.record("hsm/main/user/alice"))
        try test.store.commit([.put("hsm/other/user/alice", record.value, expecting: .absent)])
        #expect(throws: HSMError(.pinIncorrect)) {
            _ = try other.logIn("alice", password: TestPartition.password())
        }
    }

    /// What is not an audit record, which its own tests cover, or a counter.
    private static func records(_ test: TestPartition) throws -> [Record] {
        try test.store.records(prefix: "hsm/main/").filter { record in
            !["audit", "login"].contains { record.name.description.hasPrefix("hsm/main/\($0)") }
        }
    }

    @Test(arguments: 0..<6) func `what is edited or taken away in the store is found`(_ index: Int) throws {
        for damage in 0..<4 {
            let test = try TestPartition()
            _ = try test.session().generateKey(.ed25519, label: "one")
            let records = try Self.records(test)
            #expect(records.count == 6)
            let record = records[index]
            var value = record.value
            if damage == 3 {
                try test.store.commit([.delete(record.name, expecting: .anything)])
            } else {
                value[[0, value.count / 2, value.count - 1][damage]] ^= 1
                try test.store.commit([.put(record.name, value, expecting: .anything)])
            }
            let error = #expect(throws: HSMError.self) {
                _ = try test.device.partition("main").logIn("alice", password: TestPartition.password())
            }
            // Where what a password is checked with was edited, no password is right any more.
            let name = record.name.description
            let isLoginData = name.hasSuffix("/alice") || name.hasSuffix("/partition")
            #expect(
                error?.code == .tampered
                    || isLoginData && [.pinIncorrect, .partitionNotFound].contains(error?.code), "\(name) \(damage)")
        }
    }

    @Test func `a record that is put back is found`() throws {
        let session = try test.session()
        let handle = try session.generateKey(.ed25519, label: "one").handle
        let old = try #require(try test.store.record(try RecordName("hsm/main/object/\(handle)")))
        try session.changeAttributes(of: handle) { $0.label = "two" }
        _ = try test.elsewhere().session()
        try test.store.commit([.put(old.name, old.value, expecting: .anything)])
        #expect(throws: HSMError(.tampered)) { _ = try test.elsewhere().session() }
    }
}
