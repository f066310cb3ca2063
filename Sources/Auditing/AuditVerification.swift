public import Cryptography
public import RecordStorage

/// What a reading of a whole trail has shown.
public struct AuditVerification: Sendable, CustomStringConvertible {
    /// A place where the trail is not as it was written.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// What is wrong there.
        public enum Kind: String, Sendable, Hashable {
            /// A record's bytes, or its place, are not what its writer wrote.
            case altered
            /// A record between others is gone.
            case missing
            /// The chain's end, or the whole chain, is gone.
            case truncated
            /// A record stands where none was written.
            case added
            /// The list of chains is not authentic.
            case registry
            /// The chain does not reach, or does not contain, what a checkpoint saw.
            case rolledBack
        }

        /// What is wrong.
        public let kind: Kind
        /// Whose chain.
        public let writer: String
        /// The record's number in its chain, from 1; 0 where it is about the whole chain.
        public let sequence: UInt64

        /// One line for a person.
        public var description: String { "\(kind.rawValue): chain \(writer), record \(sequence)" }
    }

    /// How many chains were read.
    public fileprivate(set) var chains = 0
    /// How many authentic records.
    public fileprivate(set) var records: UInt64 = 0
    /// How many authentic events.
    public fileprivate(set) var events: UInt64 = 0
    /// What is wrong; empty for a sound trail.
    public fileprivate(set) var findings: [Finding] = []

    /// Whether everything is as it was written.
    public var isSound: Bool { findings.isEmpty }

    /// One line for a person.
    public var description: String {
        isSound
            ? "verified: \(events) events in \(chains) chain\(chains == 1 ? "" : "s")"
            : "NOT AUTHENTIC: " + findings.map(\.description).joined(separator: "; ")
    }
}

extension AuditTrail {
    /// Reads all chains of a store and checks every record, link, head and checkpoint.
    ///
    /// - Parameters:
    ///   - store: a store, which may be in use.
    ///   - rootKey: the key that the trails were begun with.
    ///   - checkpoint: an external checkpoint, which also shows the rollback of a whole store.
    public static func verify(
        in store: any RecordStore, rootKey: borrowing SecretBytes, against checkpoint: AuditCheckpoint? = nil
    ) throws -> AuditVerification {
        var reading = TrailReading(store: store, writers: try AuditWriters(rootKey: rootKey))
        return try reading.verify(against: checkpoint)
    }

    /// The events of a store in the order of time, as lines of JSON. Authentic only where ``verify(in:rootKey:against:)``
    /// says so.
    public static func events(in store: any RecordStore) throws(RecordStoreError) -> [String] {
        var lines: [(time: Substring, line: String)] = []
        for record in try store.records(prefix: "audit/") {
            guard record.value.count > 32, let audit = AuditRecord(record.value.dropLast(32)), audit.kind == .events
            else { continue }
            for line in AuditLines.events(in: audit.body) {
                let text = String(decoding: line, as: UTF8.self)
                let mark = #""eventTime":""#
                let time = text.firstRange(of: mark).map { text[$0.upperBound...].prefix(20) } ?? ""
                lines.append((time, text))
            }
        }
        // A stable order: events of one second stay in the order of their chain.
        return lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element.line)
    }
}

/// One pass over all chains.
private struct TrailReading {
    let store: any RecordStore
    let writers: AuditWriters
    var result = AuditVerification()
    /// The digest of each record that was read, by chain.
    var digests: [String: [[UInt8]]] = [:]
    var checkpoints: [AuditCheckpoint] = []

    mutating func verify(against external: AuditCheckpoint?) throws -> AuditVerification {
        guard let registry = try writers.registry(in: store) else {
            result.findings.append(.init(kind: .registry, writer: "", sequence: 0))
            return result
        }
        for writer in registry.writers { try read(writer) }
        let known = Set(registry.writers)
        for record in try store.records(prefix: "audit-head/") {
            let writer = String(record.name.description.dropFirst("audit-head/".count))
            // A chain that began after the list was read is no finding.
            if !known.contains(writer), try writers.registry(in: store)?.writers.contains(writer) != true {
                result.findings.append(.init(kind: .added, writer: writer, sequence: 0))
            }
        }
        for checkpoint in checkpoints + [external].compactMap(\.self) {
            for position in checkpoint.positions where position.head.records > 0 {
                let chain = digests[position.writer] ?? []
                let index = Int(clamping: position.head.records - 1)
                if index >= chain.count || chain[index] != position.head.last {
                    let finding = AuditVerification.Finding(
                        kind: .rolledBack, writer: position.writer, sequence: position.head.records)
                    if !result.findings.contains(finding) { result.findings.append(finding) }
                }
            }
        }
        return result
    }

    private mutating func read(_ writer: String) throws {
        result.chains += 1
        guard var key = try writers.firstKey(of: writer, in: store),
            let headValue = try store.record(AuditRecord.headName(writer))?.value,
            let head = AuditHead(headValue.dropLast(32)), head.records < UInt64.max
        else { return find(.truncated, writer, 0) }
        var previous = AuditHead.empty
        var chain: [[UInt8]] = []
        for sequence in 1...max(head.records, 1) {
            let name = try AuditRecord.name(writer, sequence)
            guard let value = try store.record(name)?.value else {
                find(sequence == head.records ? .truncated : .missing, writer, sequence)
                break
            }
            let tag = try key.tag("record", name.description, Array(value.dropLast(32)))
            guard value.count > 32, tag.array == value.suffix(32), let record = AuditRecord(value.dropLast(32)),
                record.sequence == sequence, record.previous == previous.last, record.firstEvent == previous.events
            else {
                find(.altered, writer, sequence)
                break
            }
            previous = AuditHead(
                records: sequence, events: previous.events + UInt64(record.eventCount),
                last: try HashFunction.sha256.hash(value).array)
            chain.append(previous.last)
            result.records += 1
            result.events += UInt64(record.eventCount)
            if record.kind == .checkpoint, let checkpoint = AuditCheckpoint(record.body[...]) {
                checkpoints.append(checkpoint)
            }
            if sequence == head.records {
                let headTag = try key.tag("head", AuditRecord.headName(writer).description, head.bytes)
                if head != previous || headTag.array != headValue.suffix(32) { find(.altered, writer, sequence) }
            }
            try key.evolve()
        }
        digests[writer] = chain
        // Records behind the head: written since it was read, or put there.
        if try store.record(try AuditRecord.name(writer, head.records + 1)) != nil,
            try store.record(AuditRecord.headName(writer))?.value == headValue
        {
            find(.added, writer, head.records + 1)
        }
    }

    private mutating func find(_ kind: AuditVerification.Finding.Kind, _ writer: String, _ sequence: UInt64) {
        result.findings.append(.init(kind: kind, writer: writer, sequence: sequence))
    }
}
