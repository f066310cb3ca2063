import Auditing
import Foundation
import KeyManagement
import StrongroomTestSupport
import Testing

/// The AWS command line reads our archive of events.
@Suite(.peer("aws")) struct CloudTrailTests {
    @Test func `validate-logs accepts what was written, and reports what was edited, missing and exchanged`()
        async throws
    {
        let kms = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)), clock: Later())
        let client = kms.client(for: .user("auditor", account: "111122223333"))
        let key = try await client.createKey(.rsa(.bits2048), alias: "alias/digests")
        let secret = "the words that no event shows"
        let sealing = try await client.createKey(.symmetric)
        for _ in 0..<20 { _ = try await client.encrypt(Array(secret.utf8), under: sealing, context: ["a": "b"]) }
        _ = try await kms.client(for: .user("other", account: "444455556666")).createKey(.symmetric)
        // The digests are signed by a managed key: each of them is an event itself.
        let archive = try CloudTrailArchive(
            bucket: "audit", trail: "keys", account: "111122223333", region: "us-east-1",
            signer: await client.signer(for: key))
        let folder = try TemporaryFolder()
        let destination = ArchiveFolder(path: folder.path("archive"))
        var (digest, start): (CloudTrailDigest?, Date) = (nil, Later.start)
        for _ in 0..<4 {
            let end = start + 3600
            digest = try await archive.deliver(
                try await kms.auditEvents(), from: start, to: end, after: digest, into: destination)
            start = end
            for _ in 0..<3 { _ = try await client.generateRandom(byteCount: 1) }
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Peers/cloudtrail_validate.py")
        let result = try await Subprocess.runBeside(
            "python3",
            [
                script.path, folder.path("archive"), "audit", archive.trailARN,
                Data(archive.publicKey).base64EncodedString(), archive.fingerprint,
            ])
        #expect(result.status == 0, "\(result.text)\n\(result.errorText)")
        print(result.text)
        let written = FileManager.default.enumerator(atPath: folder.path("archive"))?.compactMap { $0 as? String } ?? []
        for name in written where name.hasSuffix(".gz") {
            let content = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path("archive"))/\(name)"))
            #expect(content.firstRange(of: Data(secret.utf8)) == nil)
            #expect(content.firstRange(of: Data("444455556666".utf8)) == nil)
        }
        let gzip = try #require(written.first { $0.hasSuffix(".gz") })
        let test = try Subprocess.run("gzip", ["-t", "\(folder.path("archive"))/\(gzip)"])
        #expect(test.status == 0, "\(test.errorText)")
    }

    /// A clock that moves ten minutes each time it is looked at.
    private final class Later: WallClock, @unchecked Sendable {
        static let start = Date(timeIntervalSince1970: 1_790_000_000)
        private let lock = NSLock()
        private var steps = 0.0
        var now: Date {
            lock.withLock {
                steps += 1
                return Later.start + steps * 240
            }
        }
        var uptime: Duration { .seconds(lock.withLock { steps } * 240) }
    }
}
