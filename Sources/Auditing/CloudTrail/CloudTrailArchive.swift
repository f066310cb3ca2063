public import Cryptography
public import FoundationEssentials

/// Writes events as CloudTrail's log files, with its digest files, so that `aws cloudtrail validate-logs` finds what was edited,
/// taken away or exchanged.
///
/// Each delivery makes log files and one digest of them, which is signed and names the digest before: a chain in which nothing can be
/// changed without the key. Nothing shows that the newest digests are missing but that they were expected. Source: AWS CloudTrail User
/// Guide, "CloudTrail digest file structure" and "Custom implementations of log file integrity validation".
///
/// ```swift
/// let archive = try CloudTrailArchive(bucket: "audit", trail: "keys", account: "111122223333", region: "us-east-1", signer: signer)
/// let digest = try await archive.deliver(try await kms.auditEvents(), from: start, to: end, after: last, into: ArchiveFolder(path: "audit"))
/// ```
public struct CloudTrailArchive: Sendable {
    private let bucket: String
    private let trail: String
    private let account: String
    private let region: String
    private let signer: any Signer
    private let settling: Double
    private let clock: any WallClock
    /// How many events a log file has at most.
    private static let largestLog = 5000

    /// Whose key signs the digests, as CloudTrail's `ListPublicKeys` gives it: PKCS #1 in DER.
    public let publicKey: [UInt8]
    /// The name of the key in digests.
    public let fingerprint: String

    /// Describes an archive.
    ///
    /// - Parameters:
    ///   - bucket: the name of where the files will be; it is part of what is signed.
    ///   - trail: the trail's name.
    ///   - account: whose events are archived; those of other accounts are left out.
    ///   - region: the trail's.
    ///   - settling: how late an event may come: its time is that of its operation's beginning, it is recorded at the end, and written
    ///     after the longest window of an audit trail that buffers.
    ///   - clock: what time it is; a delivery ends in the past.
    ///   - signer: an RSA key that signs by PKCS #1 v1.5 with SHA-256, such as a managed one.
    /// - Throws: `invalidKey` for another kind of key.
    public init(
        bucket: String, trail: String, account: String, region: String, signer: any Signer,
        settling: Duration = .seconds(600), clock: any WallClock = SystemClock()
    ) throws {
        guard signer.signatureAlgorithms.contains(.rsaPKCS1v15SHA256) else {
            throw CryptographyError(.invalidKey, "digests are signed by RSA keys")
        }
        let info = try signer.subjectPublicKeyInfo
        publicKey = try RSA.PublicKey(subjectPublicKeyInfo: info.span).pkcs1
        fingerprint = String(Hexadecimal.encode(try HashFunction.sha256.hash(publicKey).array).prefix(32))
        self.settling = settling / .seconds(1)
        self.clock = clock
        (self.bucket, self.trail, self.account, self.region, self.signer) = (bucket, trail, account, region, signer)
    }

    /// The trail's name, as `validate-logs` asks for it.
    public var trailARN: String { "arn:aws:cloudtrail:\(region):\(account):trail/\(trail)" }

    /// Writes the events of a time.
    ///
    /// - Parameters:
    ///   - events: the whole audit trail, or what is newer than the settling time before `start`; those of other times and accounts
    ///     are left out. An event that came late is in the next delivery.
    ///   - start: where the time begins: where the last delivery's ended.
    ///   - end: where it ends, at a whole second.
    ///   - previous: what the last delivery returned; nil for the first.
    ///   - destination: where the files go. The digest is the last of them.
    /// - Returns: the digest, for the next delivery. Without it, the chain has a gap.
    /// - Throws: ``AuditError`` where the times do not join, or an event cannot be read.
    public func deliver(
        _ events: [String], from start: Date, to end: Date, after previous: CloudTrailDigest? = nil,
        into destination: any ArchiveDestination
    ) async throws -> CloudTrailDigest {
        guard end > start, previous == nil || previous?.end == start, end == end.wholeSeconds,
            start == start.wholeSeconds
        else { throw AuditError("a delivery begins where the last one ended, and ends later, at a whole second") }
        guard end <= clock.now else {
            throw AuditError("a delivery ends in the past: what is yet to come would be missing")
        }
        let delivered = Set(previous?.recent ?? [])
        let earliest = previous == nil ? start : start - settling
        let candidates = try events.map { try Entry($0) }
            .filter { $0.account == account && $0.time >= earliest && $0.time < end }
        let entries = candidates.filter { !delivered.contains($0.id) }
        var logs: [LogFile] = []
        var rest = entries[...]
        while !rest.isEmpty {
            let part = rest.prefix(CloudTrailArchive.largestLog)
            rest = rest.dropFirst(part.count)
            let (file, content) = try log(part, number: logs.count, at: end)
            try await destination.put(ArchivedObject(content: content, metadata: [:]), key: file.key)
            logs.append(file)
        }
        var digest = try await write(logs, from: start, to: end, after: previous, into: destination)
        digest.recent = candidates.filter { $0.time >= end - settling }.map(\.id)
        return digest
    }

    private func log(_ entries: ArraySlice<Entry>, number: Int, at end: Date) throws -> (LogFile, [UInt8]) {
        let content = Array("{\"Records\":[\(entries.map(\.line).joined(separator: ","))]}".utf8)
        let hash = try CloudTrailArchive.hash(content)
        let time = CloudTrailArchive.compact(end)
        let name = "\(account)_CloudTrail_\(region)_\(time.dropLast(3))Z_\(hash.prefix(15))\(number).json.gz"
        let times = entries.map(\.time)
        let file = LogFile(
            key: "\(folder("CloudTrail", end))/\(name)", hash: hash, oldest: times.min() ?? end,
            newest: times.max() ?? end)
        return (file, StoredGzip.wrap(content))
    }

    private func write(
        _ logs: [LogFile], from start: Date, to end: Date, after previous: CloudTrailDigest?,
        into destination: any ArchiveDestination
    ) async throws -> CloudTrailDigest {
        let (digest, content) = try unsigned(logs, from: start, to: end, after: previous)
        let signed = signedText(digest, after: previous)
        let signature = Hexadecimal.encode(try await sign(signed))
        let metadata = ["signature": signature, "signature-algorithm": "SHA256withRSA"]
        try await destination.put(
            ArchivedObject(content: StoredGzip.wrap(content), metadata: metadata), key: digest.key)
        return CloudTrailDigest(
            bucket: bucket, key: digest.key, hash: digest.hash, signature: signature, end: digest.end)
    }

    private func sign(_ text: [UInt8]) async throws -> [UInt8] {
        try await signer.sign(text.span, using: .rsaPKCS1v15SHA256)
    }

    private func unsigned(
        _ logs: [LogFile], from start: Date, to end: Date, after previous: CloudTrailDigest?
    ) throws -> (CloudTrailDigest, content: [UInt8]) {
        let name = "\(account)_CloudTrail-Digest_\(region)_\(trail)_\(region)_\(CloudTrailArchive.compact(end)).json.gz"
        let key = "\(folder("CloudTrail-Digest", end))/\(name)"
        let content = content(of: key, logs, from: start, to: end, after: previous)
        let hash = try CloudTrailArchive.hash(content)
        return (CloudTrailDigest(bucket: bucket, key: key, hash: hash, signature: "", end: end), content)
    }

    private func signedText(_ digest: CloudTrailDigest, after previous: CloudTrailDigest?) -> [UInt8] {
        let before = previous?.signature ?? "null"
        return Array("\(AuditEvent.timeText(digest.end))\n\(bucket)/\(digest.key)\n\(digest.hash)\n\(before)".utf8)
    }

    private func content(
        of key: String, _ logs: [LogFile], from start: Date, to end: Date, after previous: CloudTrailDigest?
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.open()
        writer.field("awsAccountId", account)
        writer.field("digestStartTime", AuditEvent.timeText(start))
        writer.field("digestEndTime", AuditEvent.timeText(end))
        writer.field("digestS3Bucket", bucket)
        writer.field("digestS3Object", key)
        writer.field("digestPublicKeyFingerprint", fingerprint)
        writer.field("digestSignatureAlgorithm", "SHA256withRSA")
        writer.optional("newestEventTime", logs.map(\.newest).max().map(AuditEvent.timeText))
        writer.optional("oldestEventTime", logs.map(\.oldest).min().map(AuditEvent.timeText))
        writer.optional("previousDigestS3Bucket", previous?.bucket)
        writer.optional("previousDigestS3Object", previous?.key)
        writer.optional("previousDigestHashValue", previous?.hash)
        writer.optional("previousDigestHashAlgorithm", previous == nil ? nil : "SHA-256")
        writer.optional("previousDigestSignature", previous?.signature)
        writer.key("logFiles")
        writer.list(logs) { writer, log in
            writer.open()
            writer.field("s3Bucket", bucket)
            writer.field("s3Object", log.key)
            writer.field("hashValue", log.hash)
            writer.field("hashAlgorithm", "SHA-256")
            writer.field("newestEventTime", AuditEvent.timeText(log.newest))
            writer.field("oldestEventTime", AuditEvent.timeText(log.oldest))
            writer.close()
        }
        writer.close()
        return writer.bytes
    }

    private static func hash(_ content: [UInt8]) throws(CryptographyError) -> String {
        Hexadecimal.encode(try HashFunction.sha256.hash(content).array)
    }

    private func folder(_ kind: String, _ time: Date) -> String {
        let day = AuditEvent.timeText(time).prefix(10).split(separator: "-").joined(separator: "/")
        return "AWSLogs/\(account)/\(kind)/\(region)/\(day)"
    }

    /// "20260131T120000Z".
    private static func compact(_ time: Date) -> String {
        AuditEvent.timeText(time).filter { $0 != "-" && $0 != ":" }
    }

    /// An event, as far as an archive must know it.
    private struct Entry {
        let line: String
        let id: String
        let account: String
        let time: Date

        private struct Fields: Decodable {
            let eventTime, recipientAccountId, eventID: String
        }

        init(_ line: String) throws(AuditError) {
            guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(line.utf8)),
                let time = try? Date(fields.eventTime, strategy: .iso8601)
            else { throw AuditError("an event cannot be read, and would be missing in the archive") }
            (self.line, id, account, self.time) = (line, fields.eventID, fields.recipientAccountId, time)
        }
    }

    private struct LogFile {
        let key: String
        let hash: String
        let oldest: Date
        let newest: Date
    }
}

/// A digest that was written: the next one names it.
public struct CloudTrailDigest: Sendable, Hashable, Codable {
    /// The bucket.
    public let bucket: String
    /// The digest's key in it.
    public let key: String
    /// The SHA-256 of its content, in hexadecimal digits.
    public let hash: String
    /// Its signature, in hexadecimal digits.
    public let signature: String
    /// Where its time ends, and the next one's begins.
    public let end: Date
    /// The identifiers of events within the settling time before its end: the next delivery takes those that have come since.
    var recent: [String] = []
}

extension Date {
    fileprivate var wholeSeconds: Date { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)) }
}

extension JSONWriter {
    fileprivate mutating func optional(_ name: String, _ text: String?) {
        if let text { field(name, text) } else { literal(name, "null") }
    }
}
