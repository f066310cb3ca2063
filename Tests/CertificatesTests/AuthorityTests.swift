import Certificates
import Foundation
import HSMEmulation
import StrongroomTestSupport
import Synchronization
import Testing

@Suite struct AuthorityTests {
    let store = MemoryRecordStore()
    let stateKey: HMAC
    let key: ECDSA.PrivateKey

    init() throws {
        stateKey = try HMAC(.sha256, key: .random(count: 32))
        key = try ECDSA.PrivateKey(.p256)
    }

    func root(
        pathLength: Int? = nil, constraints: NameConstraints? = nil, lifetime: Duration = .days(3650)
    ) async throws -> CertificateAuthority {
        try await CertificateAuthority.createRoot(
            subject: "CN=Example Root, O=Example", key: key, store: store, stateKey: stateKey, pathLength: pathLength,
            constraints: constraints, lifetime: lifetime)
    }

    func request() async throws -> CertificateRequest {
        try await CertificateRequest.make(subject: "CN=whatever", signedBy: ECDSA.PrivateKey(.p256))
    }

    @Test func `an authority issues what validates, and knows it again after a restart`() async throws {
        let root = try await root()
        let leaf = try await root.issue(
            try await request(), .server, names: [.dns("www.example.com"), .dns("*.example.com")], for: .days(90))
        #expect(leaf.subject.isEmpty && leaf.extensions[SubjectAlternativeName.identifier]?.isCritical == true)
        let validator = PathValidator(trusting: [root.certificate])
        #expect(validator.validate(leaf, with: [], for: .server("a.example.com", at: Date())).path != nil)
        #expect(validator.validate(leaf, with: [], for: .client(at: Date())).path == nil)
        let again = try await CertificateAuthority.open(key: key, store: store, stateKey: stateKey)
        #expect(again.chain == root.chain)
        #expect(try again.issuedCertificate(leaf.serialNumber) == leaf)
        #expect(try again.issuedCertificates() == [leaf])
        let client = try await again.issue(try await request(), .client, subject: "CN=alice", for: .days(1))
        #expect(validator.validate(client, with: [], for: .client(at: Date())).path != nil)
        await #expect(throws: CertificatesError(.alreadyExists)) { _ = try await self.root() }
        let stranger = try ECDSA.PrivateKey(.p256)
        await #expect(throws: CertificatesError(.wrongKey)) {
            _ = try await CertificateAuthority.open(key: stranger, store: store, stateKey: stateKey)
        }
        let other = try HMAC(.sha256, key: .random(count: 32))
        await #expect(throws: CertificatesError(.tampered)) {
            _ = try await CertificateAuthority.open(key: key, store: store, stateKey: other)
        }
        await #expect(throws: CertificatesError(.notFound)) {
            _ = try await CertificateAuthority.open(key: key, store: MemoryRecordStore(), stateKey: stateKey)
        }
    }

    @Test func `keys of an HSM sign, and protect what is stored`() async throws {
        let device = HSMDevice(
            store: MemoryRecordStore(), passwordCost: try Scrypt(cost: 16, blockSize: 8, parallelism: 1))
        func password() -> SecretBytes { SecretBytes(copying: Array("correct horse".utf8)) }
        let partition = try device.createPartition("ca", administrator: "admin", password: password())
        try partition.administer("admin", password: password()).createUser("issuer", password: password())
        let session = try partition.logIn("issuer", password: password())
        let caKey = try session.generateKey(.ecdsa(.p384), label: "root")
        let stateKey = try session.generateKey(.hmac(.sha256), label: "state")
        let root = try await CertificateAuthority.createRoot(
            subject: "CN=HSM Root", key: caKey, store: store, stateKey: stateKey)
        let serverKey = try session.generateKey(.ecdsa(.p256), label: "server")
        let leaf = try await root.issue(for: serverKey, .server, names: [.dns("localhost")], for: .days(30))
        let validation = PathValidator(trusting: [root.certificate]).validate(
            leaf, with: [], for: .server("localhost", at: Date()))
        #expect(validation.path != nil, "\(validation)")
        let again = try await CertificateAuthority.open(
            key: session.key("root", for: .signing), store: store, stateKey: session.key("state", for: .authentication))
        #expect(try again.issuedCertificates() == [leaf])
        session.logOut()
        await #expect(throws: CertificatesError(.signerFailure)) {
            _ = try await root.issue(try await request(), .client, subject: "CN=x", for: .days(1))
        }
    }

    @Test func `a hierarchy keeps what is promised above`() async throws {
        let root = try await root(
            pathLength: 1,
            constraints: NameConstraints(permitted: [.dns("example.com")], excluded: [.dns("evil.example.com")]))
        let (middleKey, lowKey) = (try ECDSA.PrivateKey(.p384), try Ed25519.PrivateKey())
        let middle = try await root.createIntermediate(
            subject: "CN=Issuing", key: middleKey, store: RecordFolder("issuing", of: store), stateKey: stateKey,
            purposes: [.serverAuthentication])
        #expect(middle.chain.count == 2)
        let leaf = try await middle.issue(
            try await request(), .server, names: [.dns("a.example.com")], for: .days(90))
        let validator = PathValidator(trusting: [root.certificate])
        #expect(
            validator.validate(leaf, with: [middle.certificate], for: .server("a.example.com", at: Date())).path != nil)
        let beyond = CertificatesError(.beyondAuthority)
        await #expect(throws: beyond) {
            _ = try await middle.createIntermediate(
                subject: "CN=Too low", key: lowKey, store: MemoryRecordStore(), stateKey: stateKey)
        }
        await #expect(throws: beyond) {
            _ = try await root.createIntermediate(
                subject: "CN=Too free", key: lowKey, store: MemoryRecordStore(), stateKey: stateKey, pathLength: nil)
        }
        for name in ["example.org", "evil.example.com", "a.evil.example.com"] {
            await #expect(throws: beyond) {
                _ = try await middle.issue(try await request(), .server, names: [.dns(name)], for: .days(90))
            }
        }
        await #expect(throws: beyond) {
            _ = try await middle.issue(try await request(), .client, subject: "CN=a", for: .days(90))
        }
        await #expect(throws: beyond) {
            _ = try await middle.issue(try await request(), .server, names: [.dns("a.example.com")], for: .days(2000))
        }
        await #expect(throws: beyond) {
            _ = try await root.createIntermediate(
                subject: "CN=Much too low", key: lowKey, store: MemoryRecordStore(), stateKey: stateKey,
                pathLength: Int(Int32.max))
        }
        // A wildcard stands for what is excluded, too.
        await #expect(throws: beyond) {
            _ = try await middle.issue(try await request(), .server, names: [.dns("*.example.com")], for: .days(1))
        }
        await #expect(throws: CertificatesError(.alreadyExists)) {
            _ = try await root.createIntermediate(
                subject: "CN=Second", key: lowKey, store: RecordFolder("issuing", of: store), stateKey: stateKey)
        }
        // Nothing of all that was stored.
        #expect(try middle.issuedCertificates() == [leaf] && root.issuedCertificates() == [middle.certificate])
    }

    @Test func `what is no certificate is not issued`() async throws {
        let root = try await root()
        let invalid = CertificatesError(.invalidRequest)
        let names: [[GeneralName]] = [
            [], [.dns("")], [.dns("a b")], [.dns("*")], [.dns("*.com.*")], [.dns("a.*.com")], [.dns("*.com")],
            [.dns("ex_ample.com")],
            [.dns("example.com.")], [.dns("-a.com")], [.email("a")], [.ip([1, 2, 3])],
            [.dns(String(repeating: "a", count: 64) + ".com")],
        ]
        for names in names {
            await #expect(throws: invalid, "\(names)") {
                _ = try await root.issue(try await request(), .server, subject: "CN=a", names: names, for: .days(1))
            }
        }
        await #expect(throws: invalid) { _ = try await root.issue(try await request(), .client, for: .days(1)) }
        await #expect(throws: invalid) {
            _ = try await root.issue(try await request(), .root(), subject: "CN=a", for: .days(1))
        }
        await #expect(throws: invalid) { _ = try await root.issue(for: key, .client, subject: "CN=a", for: .days(1)) }
        var damaged = try await request().derEncoded
        damaged[damaged.count - 5] ^= 1
        let unproven = try CertificateRequest(derEncoded: damaged)
        await #expect(throws: CertificatesError(.noProofOfPossession)) {
            _ = try await root.issue(unproven, .client, subject: "CN=a", for: .days(1))
        }
        #expect(try root.issuedCertificates().isEmpty)
    }

    @Test func `a birth that was cut short can be begun again`() async throws {
        // The process ends between the two batches: a trail has begun, and there is no authority.
        let failing = FailingStore(after: 1)
        await #expect(throws: CertificatesError.self) {
            _ = try await CertificateAuthority.createRoot(
                subject: "CN=First", key: key, store: failing, stateKey: stateKey)
        }
        failing.heal()
        let root = try await CertificateAuthority.createRoot(
            subject: "CN=Second", key: key, store: failing, stateKey: stateKey)
        #expect(try await root.auditEvents().count { $0.contains("CreateRootCertificateAuthority") } == 1)
        #expect(try await root.verifyAuditTrail(stateKey: stateKey).isSound)
    }

    @Test func `many at once get numbers of their own, each with its event`() async throws {
        let root = try await root()
        let requests = try await [request(), request(), request()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<24 {
                group.addTask {
                    _ = try await root.issue(
                        requests[index % 3], .server, names: [.dns("h\(index).example.com")], for: .days(1))
                }
            }
            try await group.waitForAll()
        }
        let issued = try root.issuedCertificates()
        #expect(issued.count == 24 && Set(issued.map(\.serialNumber)).count == 24)
        let events = try await root.auditEvents()
        #expect(events.count { $0.contains("\"IssueCertificate\"") } == 24)
        #expect(events.count { $0.contains("CreateRootCertificateAuthority") } == 1)
        for certificate in issued {
            #expect(events.contains { $0.contains(certificate.serialNumber.description) })
        }
        #expect(try await root.verifyAuditTrail(stateKey: stateKey).isSound)
    }

    @Test func `an issued certificate cannot be taken away or slipped in unseen`() async throws {
        let root = try await root()
        let leaf = try await root.issue(try await request(), .client, subject: "CN=a", for: .days(1))
        let name = try RecordName("issued/\(leaf.serialNumber)")
        let record = try #require(store.record(name))
        try store.commit([.delete(name, expecting: .anything)])
        #expect(throws: CertificatesError(.tampered)) { _ = try root.issuedCertificates() }
        await #expect(throws: CertificatesError(.tampered)) {
            _ = try await CertificateAuthority.open(key: key, store: store, stateKey: stateKey)
        }
        try store.commit([.put(name, record.value, expecting: .anything)])
        #expect(throws: CertificatesError(.tampered)) { _ = try root.issuedCertificates() }
    }
}

/// A store that takes some batches and then no more, until it is healed.
private final class FailingStore: RecordStore {
    private let inner = MemoryRecordStore()
    private let left: Mutex<Int>

    init(after count: Int) { left = Mutex(count) }

    func heal() { left.withLock { $0 = .max } }

    func record(_ name: RecordName) throws(RecordStoreError) -> Record? { inner.record(name) }
    func version(of name: RecordName) throws(RecordStoreError) -> UInt64 { inner.version(of: name) }
    func records(prefix: String, after last: RecordName?, limit: Int) throws(RecordStoreError) -> [Record] {
        inner.records(prefix: prefix, after: last, limit: limit)
    }
    @discardableResult func commit(_ writes: [RecordWrite]) throws(RecordStoreError) -> Revision {
        let isOpen = left.withLock { left in
            left -= 1
            return left >= 0
        }
        guard isOpen else { throw RecordStoreError(.full, subject: "test") }
        return try inner.commit(writes)
    }
    var revision: Revision { get throws(RecordStoreError) { inner.revision } }
    func changes(since revision: Revision, limit: Int) throws(RecordStoreError) -> [RecordChange] {
        inner.changes(since: revision, limit: limit)
    }
}
