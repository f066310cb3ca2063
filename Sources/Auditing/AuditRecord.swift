internal import Cryptography
internal import RecordStorage

/// One link of a writer's chain, as Documentation/Formats/AuditTrail.md lays it out.
struct AuditRecord {
    enum Kind: UInt8 {
        case events = 1
        case checkpoint = 2
    }

    static let version: UInt8 = 1
    static let headerByteCount = 1 + 1 + 8 + 8 + 4 + 32

    let kind: Kind
    let sequence: UInt64
    /// How many events stood in the chain before this record.
    let firstEvent: UInt64
    let eventCount: UInt32
    /// The digest of the record before, tag included; zeros for the first.
    let previous: [UInt8]
    let body: [UInt8]

    /// Everything but the tag.
    var bytes: [UInt8] {
        var bytes: [UInt8] = [AuditRecord.version, kind.rawValue]
        bytes.reserveCapacity(AuditRecord.headerByteCount + body.count + 32)
        bytes.appendBigEndian(sequence)
        bytes.appendBigEndian(firstEvent)
        bytes.appendBigEndian(eventCount)
        bytes += previous
        bytes += body
        return bytes
    }

    /// Reads a record without its tag; nil for anything else.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= AuditRecord.headerByteCount, bytes.first == AuditRecord.version,
            let kind = Kind(rawValue: bytes[bytes.startIndex + 1])
        else { return nil }
        var rest = bytes.dropFirst(2)
        self.kind = kind
        sequence = rest.takeBigEndian()
        firstEvent = rest.takeBigEndian()
        eventCount = rest.takeBigEndian()
        previous = Array(rest.prefix(32))
        body = Array(rest.dropFirst(32))
    }

    init(kind: Kind, sequence: UInt64, firstEvent: UInt64, eventCount: UInt32, previous: [UInt8], body: [UInt8]) {
        self.kind = kind
        self.sequence = sequence
        self.firstEvent = firstEvent
        self.eventCount = eventCount
        self.previous = previous
        self.body = body
    }

    static func name(_ writer: String, _ sequence: UInt64) throws(RecordStoreError) -> RecordName {
        let digits = String(sequence, radix: 16)
        return try RecordName("audit/\(writer)/\(String(repeating: "0", count: 16 - digits.count))\(digits)")
    }

    static func headName(_ writer: String) throws(RecordStoreError) -> RecordName {
        try RecordName("audit-head/\(writer)")
    }

    static func writerName(_ writer: String) throws(RecordStoreError) -> RecordName {
        try RecordName("audit-writer/\(writer)")
    }
}

/// Where a chain ends: written in one batch with each record.
struct AuditHead: Hashable {
    /// How many records the chain has.
    let records: UInt64
    /// How many events.
    let events: UInt64
    /// The digest of the last record; zeros for none.
    let last: [UInt8]

    var bytes: [UInt8] {
        var bytes: [UInt8] = [AuditRecord.version]
        bytes.appendBigEndian(records)
        bytes.appendBigEndian(events)
        return bytes + last
    }

    init(records: UInt64, events: UInt64, last: [UInt8]) {
        self.records = records
        self.events = events
        self.last = last
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == 49, bytes.first == AuditRecord.version else { return nil }
        var rest = bytes.dropFirst()
        records = rest.takeBigEndian()
        events = rest.takeBigEndian()
        last = Array(rest)
    }

    static let empty = AuditHead(records: 0, events: 0, last: Array(repeating: 0, count: 32))
}

extension ArraySlice<UInt8> {
    /// Takes an integer off the front; the caller has checked the length.
    mutating func takeBigEndian<Value: FixedWidthInteger & UnsignedInteger>() -> Value {
        let value = prefix(Value.bitWidth / 8).reduce(Value.zero) { $0 << 8 | Value($1) }
        self = dropFirst(Value.bitWidth / 8)
        return value
    }
}
