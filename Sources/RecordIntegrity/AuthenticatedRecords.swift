package import Cryptography
package import RecordStorage

/// The records of a service, of which none can be edited, put back or taken away unseen.
///
/// Each value ends in a tag over name, version and value. All tags together are summed into a set hash, which stands
/// sealed in one more record, rewritten with every batch: so an older version of a single record, put back with its
/// tag, does not fit. The sum is compared at opening. What remains is the rollback of the whole store.
///
/// The set hash is the sum modulo 2^256, by 32-bit lanes without carries between them, of a keyed function of the tags.
/// It never shows outside the seal, so nobody without the key can look for collisions.
package struct AuthenticatedRecords: Sendable {
    private static let headName: RecordName = "state-head"
    private static let tagCount = 32

    /// Where they stand.
    package let store: any RecordStore
    private let tags: HMAC
    private let lanes: HMAC
    private let sealing: AESGCM

    /// Reads and writes a store's records under a key.
    package init(store: any RecordStore, key: borrowing SecretBytes) throws(CryptographyError) {
        let hkdf = HKDF(.sha256)
        self.store = store
        tags = try HMAC(.sha256, key: try hkdf.expand(key, info: Array("records: tags".utf8).span, count: 32))
        lanes = try HMAC(.sha256, key: try hkdf.expand(key, info: Array("records: set".utf8).span, count: 32))
        sealing = try AESGCM(key: try hkdf.expand(key, info: Array("records: head".utf8).span, count: 32))
    }

    /// An authentic record without its tag, or nil where there is none.
    package func record(_ name: RecordName) throws -> Record? {
        guard let record = try store.record(name) else { return nil }
        return try checked(record)
    }

    /// Commits state together with writes of others, such as the audit trail's.
    ///
    /// - Parameter guarded: records that must still have these versions, though they are not written. The head is read before
    ///   they are compared and written afterwards, so no batch can come between.
    /// - Parameter head: where given, nothing at all may have changed since ``headVersion`` was this.
    /// - Throws: `conflict` where a record, or the whole, was changed meanwhile.
    @discardableResult
    package func commit(
        _ writes: [RecordWrite], alongside others: [RecordWrite],
        guarding guarded: [(name: RecordName, version: UInt64)] = [],
        head: UInt64? = nil
    ) throws -> Revision {
        let stored = try store.record(AuthenticatedRecords.headName)
        if let head, stored?.version != head {
            throw RecordStoreError(.conflict, subject: AuthenticatedRecords.headName.description)
        }
        for guarded in guarded where try store.version(of: guarded.name) != guarded.version {
            throw RecordStoreError(.conflict, subject: guarded.name.description)
        }
        var sum = try stored.map { try openHead($0) } ?? SetHash()
        var raw: [RecordWrite] = []
        for write in writes {
            let current = try store.record(write.name)
            if let current { sum.remove(try lane(try tag(of: current))) }
            guard let value = write.value else {
                raw.append(.delete(write.name, expecting: write.expectation))
                continue
            }
            let tag = try tag(write.name, version: try store.version(of: write.name) + 1, value[...])
            sum.add(try lane(tag))
            raw.append(.put(write.name, value + tag.array, expecting: write.expectation))
        }
        let head = try sealing.seal(sum.bytes, authenticating: Array(AuthenticatedRecords.headName.description.utf8))
        raw.append(.put(AuthenticatedRecords.headName, head, expecting: stored.map { .version($0.version) } ?? .absent))
        return try store.commit(raw + others)
    }

    /// How often the whole has changed: read it before what a decision is made on, and commit with it.
    package var headVersion: UInt64 {
        get throws(RecordStoreError) { try store.version(of: AuthenticatedRecords.headName) }
    }

    /// Reads all records under the prefixes and compares them with the sum.
    ///
    /// - Throws: `tampered` where they do not fit.
    package func verifiedRecords(prefixes: [String]) throws -> (records: [Record], revision: Revision) {
        let (records, revision) = try readVerified(prefixes: prefixes, into: [Record]()) { $0.append($1) }
        return (records, revision)
    }

    /// Reads all records under the prefixes one by one, so that not all are in memory at once, and compares them with the sum.
    ///
    /// - Parameters:
    ///   - initial: what the records are taken into; nothing of it is to be used where this throws.
    ///   - body: takes one, which is authentic, into it.
    /// - Throws: `tampered` where they do not fit; what `body` throws.
    package func readVerified<Result>(
        prefixes: [String], into initial: Result, _ body: (inout Result, Record) throws -> Void
    ) throws -> (result: Result, revision: Revision) {
        for _ in 0..<50 {
            let revision = try store.revision
            let head = try store.record(AuthenticatedRecords.headName)
            var (sum, result) = (SetHash(), initial)
            var failure: (any Error)?
            do {
                for prefix in prefixes {
                    try forEachRecord(prefix) { record in
                        let tag = try tag(of: record)
                        sum.add(try lane(tag))
                        try body(&result, withoutTag(record))
                    }
                }
            } catch { failure = error }
            // A batch of another process between two pages is no tampering: read again.
            guard try store.record(AuthenticatedRecords.headName)?.version == head?.version else { continue }
            if let failure { throw failure }
            guard let head, try openHead(head) == sum else {
                throw RecordIntegrityError(.tampered, "records have been put back, added or taken away")
            }
            return (result, revision)
        }
        throw RecordIntegrityError(.unstable, "the store changes too fast to be read")
    }

    private func forEachRecord(_ prefix: String, _ body: (Record) throws -> Void) throws {
        var last: RecordName?
        while true {
            let page = try store.records(prefix: prefix, after: last, limit: AuthenticatedRecords.pageCount)
            for record in page { try body(record) }
            guard page.count == AuthenticatedRecords.pageCount else { return }
            last = page.last?.name
        }
    }

    private static let pageCount = 256

    /// The record without its tag, once that was found right.
    private func checked(_ record: Record) throws -> Record {
        _ = try tag(of: record)
        return withoutTag(record)
    }

    private func withoutTag(_ record: Record) -> Record {
        Record(
            name: record.name, version: record.version,
            value: Array(record.value.dropLast(AuthenticatedRecords.tagCount)))
    }

    /// The tag that a stored record carries, once it has been found right.
    private func tag(of record: Record) throws -> Digest {
        let count = record.value.count - AuthenticatedRecords.tagCount
        guard count >= 0 else { throw AuthenticatedRecords.tampered(record.name) }
        let tag = try tag(record.name, version: record.version, record.value[..<count])
        guard tag.bytes.isEqualInConstantTime(to: record.value.span.extracting(count...)) else {
            throw AuthenticatedRecords.tampered(record.name)
        }
        return tag
    }

    private func tag(_ name: RecordName, version: UInt64, _ value: ArraySlice<UInt8>) throws -> Digest {
        var message: [UInt8] = []
        message.append(lengthPrefixed: name.description)
        message.appendBigEndian(version)
        return try tags.authenticate(message + value)
    }

    private func lane(_ tag: Digest) throws -> Digest { try lanes.authenticate(tag.bytes) }

    private func openHead(_ record: Record) throws -> SetHash {
        let name = Array(AuthenticatedRecords.headName.description.utf8)
        guard let opened = try? sealing.open(record.value, authenticating: name), let sum = SetHash(opened.bytes) else {
            throw AuthenticatedRecords.tampered(record.name)
        }
        return sum
    }

    private static func tampered(_ name: RecordName) -> RecordIntegrityError {
        RecordIntegrityError(.tampered, "record \(name) is not what was written")
    }
}
