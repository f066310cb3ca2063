import Foundation
import HSMEmulation
import InTransit
import StrongroomTestSupport
import Synchronization
import Testing

/// An HSM's keys in handshakes: the authority's, the server's, and a trail that tells of each signature.
@Suite struct HSMHandshakeTests {
    /// How many, unless `STRONGROOM_HANDSHAKES` says so.
    static let count = ProcessInfo.processInfo.environment["STRONGROOM_HANDSHAKES"].flatMap { Int($0) } ?? 10_000

    final class Progress: Sendable {
        let done = Atomic<Int>(0)
        let leaves = Mutex<Set<SerialNumber>>([])
    }

    static func password() -> SecretBytes { SecretBytes(copying: Array("correct horse".utf8)) }

    @Test func `four at a time, while certificates are replaced, and each signature is in the trail`() async throws {
        let device = HSMDevice(
            store: MemoryRecordStore(), passwordCost: try Scrypt(cost: 16, blockSize: 8, parallelism: 1))
        let partition = try device.createPartition("tls", administrator: "admin", password: Self.password())
        let administrator = try partition.administer("admin", password: Self.password())
        try administrator.createUser("server", password: Self.password())
        let session = try partition.logIn("server", password: Self.password())
        let authority = try await CertificateAuthority.createRoot(
            subject: "CN=HSM Root", key: try session.generateKey(.ecdsa(.p256), label: "root"),
            store: MemoryRecordStore(), stateKey: try session.generateKey(.hmac(.sha256), label: "state"))
        let key = try session.generateKey(.ecdsa(.p256), label: "tls")
        @Sendable func context() async throws -> TLSServerContext {
            let leaf = try await authority.issue(for: key, .server, names: [.dns("localhost")], for: .days(1))
            return try TLSServerContext(
                TLSServerConfiguration(identity: TLSIdentity([leaf] + authority.chain, key: key)))
        }
        let server = TLSServer(try await context())
        let client = try TLSClient(
            TLSClientConfiguration(trust: PeerTrust([authority.certificate]), isResuming: false))
        func signatures() throws -> Int {
            let verification = try administrator.verifyAuditTrail()
            #expect(verification.isSound)
            return try administrator.auditEvents().count { $0.contains("\"eventName\":\"Sign\"") }
        }
        let before = try signatures()
        let progress = Progress()
        let replaced = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while progress.done.wrappingAdd(1, ordering: .relaxed).oldValue < Self.count {
                        let pair = try TestPair(client, server)
                        pair.run()
                        try pair.expectUse()
                        let leaf = try #require(pair.client.session?.peer?.leaf)
                        _ = progress.leaves.withLock { $0.insert(leaf.serialNumber) }
                        // There are fewer threads than tasks.
                        await Task.yield()
                    }
                    return 0
                }
            }
            group.addTask {
                var count = 0
                while progress.done.load(ordering: .relaxed) < Self.count {
                    server.replace(try await context())
                    count += 1
                    try await Task.sleep(for: .milliseconds(5))
                }
                return count
            }
            return try await group.reduce(0, +)
        }
        // One for each handshake, and one of the authority for each certificate.
        let made = try signatures() - before
        let certificates = try authority.issuedCertificates().count - 1
        #expect(certificates == replaced && replaced > 3)
        #expect(progress.leaves.withLock { $0.count } > 3, "the replaced certificates were used")
        #expect(made == Self.count + certificates, "\(made) signatures")
    }
}
