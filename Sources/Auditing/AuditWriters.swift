internal import Cryptography
internal import RecordStorage

/// The list of all chains of a store, authenticated, and the sealed first key of each.
///
/// Only who unlocks the store has the key for it; it is dropped once a chain has begun, so that a process taken over
/// later does not have the first keys either.
struct AuditWriters {
    private let sealing: AESGCM
    private let authentication: HMAC

    static let registryName: RecordName = "audit-registry"

    init(rootKey: borrowing SecretBytes) throws(CryptographyError) {
        let hkdf = HKDF(.sha256)
        sealing = try AESGCM(key: try hkdf.expand(rootKey, info: Array("audit: first keys".utf8).span, count: 32))
        authentication = try HMAC(
            .sha256, key: try hkdf.expand(rootKey, info: Array("audit: registry".utf8).span, count: 32))
    }

    /// The chains' names and the registry's version; nil where the record is not authentic.
    func registry(in store: any RecordStore) throws -> (writers: [String], version: UInt64)? {
        guard let record = try store.record(AuditWriters.registryName) else { return ([], 0) }
        let count = record.value.count - 32
        guard count >= 1, record.value[0] == AuditRecord.version, (count - 1) % 16 == 0,
            try authentication.isValid(
                record.value.span.extracting(count...), for: record.value.span.extracting(..<count))
        else { return nil }
        let writers = stride(from: 1, to: count, by: 16).map { Hexadecimal.encode(Array(record.value[$0..<($0 + 16)])) }
        return (writers, record.version)
    }

    /// The write of a list without chains.
    func emptyRegistry() throws -> RecordWrite {
        let list = [AuditRecord.version]
        return .put(
            AuditWriters.registryName, list + (try authentication.authenticate(list).array), expecting: .absent)
    }

    /// The writes that add a chain.
    func adding(
        _ writer: String, firstKey: borrowing SecretBytes, to registry: (writers: [String], version: UInt64)
    ) throws -> [RecordWrite] {
        var list: [UInt8] = [AuditRecord.version]
        for name in registry.writers + [writer] { list += Hexadecimal.decode(name) ?? [] }
        let sealed = try sealing.seal(firstKey, authenticating: Array("audit writer \(writer)".utf8))
        return [
            .put(try AuditRecord.writerName(writer), sealed, expecting: .absent),
            .put(
                AuditWriters.registryName, list + (try authentication.authenticate(list).array),
                expecting: registry.version == 0 ? .absent : .version(registry.version)),
        ]
    }

    /// A chain's first key; nil where the record is missing or not authentic.
    func firstKey(of writer: String, in store: any RecordStore) throws(RecordStoreError) -> EvolvingKey? {
        guard let sealed = try store.record(AuditRecord.writerName(writer))?.value else { return nil }
        do {
            return EvolvingKey(try sealing.open(sealed, authenticating: Array("audit writer \(writer)".utf8)))
        } catch {
            return nil
        }
    }
}
