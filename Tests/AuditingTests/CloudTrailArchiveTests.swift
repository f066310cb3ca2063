import Auditing
import Cryptography
import Foundation
import Testing

@Suite struct CloudTrailArchiveTests {
    private let start = Date(timeIntervalSince1970: 1_790_000_000)

    private func event(_ seconds: Double, _ name: String, account: String = "111122223333") -> String {
        AuditEvent(
            time: start + seconds, source: "kms.amazonaws.com", name: name, region: "us-east-1", account: account,
            identity: .init(type: "Root", arn: "arn:aws:iam::\(account):root", account: account)
        ).json
    }

    private func text(_ archive: MemoryArchive, _ mark: String) -> [String] {
        archive.objects.filter { $0.key.contains(mark) }.sorted { $0.key < $1.key }
            .map { String(decoding: $0.value.content, as: UTF8.self) }
    }

    @Test func `every event is in one delivery, those that come late too`() async throws {
        let archive = try CloudTrailArchive(
            bucket: "b", trail: "t", account: "111122223333", region: "us-east-1", signer: RSA.PrivateKey(bits: 2048))
        let memory = MemoryArchive()
        var events = [
            event(1, "First"), event(3599, "Second"), event(3600, "Third"), event(5, "Other", account: "444455556666"),
        ]
        let first = try await archive.deliver(events, from: start, to: start + 3600, into: memory)
        // It began before the first delivery's end, and was recorded after it.
        events.append(event(3598, "Late"))
        let second = try await archive.deliver(
            events, from: start + 3600, to: start + 7200, after: first, into: memory)
        let logs = text(memory, "/CloudTrail/")
        #expect(logs.count == 2)
        for name in ["First", "Second", "Third", "Late"] {
            #expect(logs.count { $0.contains("\"eventName\":\"\(name)\"") } == 1, "\(name)")
        }
        #expect(!logs.joined().contains("Other"))
        let digests = text(memory, "CloudTrail-Digest")
        #expect(digests[0].contains(#""previousDigestSignature":null"#))
        #expect(digests[1].contains(first.signature) && digests[1].contains(first.hash))
        // An hour without events has a digest all the same.
        _ = try await archive.deliver(events, from: start + 7200, to: start + 10800, after: second, into: memory)
        #expect(text(memory, "CloudTrail-Digest").last?.contains(#""logFiles":[]"#) == true)
    }

    @Test func `times that do not join, lines that cannot be read and keys that are not RSA's are refused`()
        async throws
    {
        let archive = try CloudTrailArchive(
            bucket: "b", trail: "t", account: "111122223333", region: "us-east-1", signer: RSA.PrivateKey(bits: 2048))
        let memory = MemoryArchive()
        let first = try await archive.deliver([], from: start, to: start + 60, into: memory)
        for (from, to) in [(60.0, 60.0), (60, 30), (61, 120), (0, 120), (60, 120.5)] {
            await #expect(throws: AuditError.self) {
                _ = try await archive.deliver([], from: start + from, to: start + to, after: first, into: memory)
            }
        }
        await #expect(throws: AuditError.self) {
            _ = try await archive.deliver(["{}"], from: start + 60, to: start + 120, after: first, into: memory)
        }
        #expect(throws: CryptographyError.self) {
            try CloudTrailArchive(
                bucket: "b", trail: "t", account: "1", region: "r", signer: ECDSA.PrivateKey(.p256))
        }
        await #expect(throws: AuditError.self) {
            try await ArchiveFolder(path: "/tmp/x").put(ArchivedObject(content: [], metadata: [:]), key: "../a")
        }
    }

    @Test func `deliveries closer together than events settle have each event once`() async throws {
        let archive = try CloudTrailArchive(
            bucket: "b", trail: "t", account: "111122223333", region: "us-east-1", signer: RSA.PrivateKey(bits: 2048))
        let memory = MemoryArchive()
        let events = (0..<10).map { event(Double($0) * 30, "Event\($0)x") }
        var digest: CloudTrailDigest?
        for number in 0..<5 {
            digest = try await archive.deliver(
                events, from: start + Double(number) * 60, to: start + Double(number + 1) * 60, after: digest,
                into: memory)
        }
        let logs = text(memory, "/CloudTrail/")
        for number in 0..<10 {
            let mark = "\"eventName\":\"Event\(number)x\""
            #expect(logs.reduce(0) { $0 + $1.components(separatedBy: mark).count - 1 } == 1)
        }
        await #expect(throws: AuditError.self) {
            _ = try await archive.deliver(
                events, from: start, to: Date(timeIntervalSince1970: 4_000_000_000), into: memory)
        }
    }
}
