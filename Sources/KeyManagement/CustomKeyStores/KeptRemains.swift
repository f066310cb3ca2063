internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// What a deleted key has left with a custodian, to be destroyed. Layout: Documentation/Formats/KeyStore.md.
struct KeptRemains: Codable, Sendable {
    let account: String
    let id: String
    let keyStore: String
    /// The custodian's handles.
    let handles: [[UInt8]]

    static let prefix = "remains/"

    var name: RecordName {
        get throws(RecordStoreError) { try RecordName("\(KeptRemains.prefix)\(account)/\(id)") }
    }

    /// What a key leaves; nil for one that the service keeps itself.
    init?(_ record: KeyRecord) {
        guard let keyStore = record.keyStore, record.isKept else { return nil }
        (account, id, self.keyStore) = (record.account, record.id, keyStore)
        handles = record.materials.map(\.wrapped)
    }
}

/// Remains, with their record's version.
struct StoredRemains: Sendable {
    let record: KeptRemains
    let version: UInt64
}

extension KeyManagementService {
    /// Has custodians destroy what deleted keys have left with them. The keys are gone already, so nothing comes back where this is cut
    /// short; it is tried again.
    ///
    /// - Throws: what one custodian throws, once the others are done.
    func destroyRemains() async throws(KeyManagementError) {
        var failure: KeyManagementError?
        for remains in try refreshedState().remains.values {
            do throws(KeyManagementError) { try await destroy(remains) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func destroy(_ remains: StoredRemains) async throws(KeyManagementError) {
        let (record, state) = (remains.record, try refreshedState())
        // A key store that was taken away had none left; so it was when its name was another custodian's.
        let isStoreGone =
            keyStores[record.keyStore] == nil && record.keyStore.hasPrefix(KeyStoreRecord.idPrefix)
            && state.keyStores["\(record.account)/\(record.keyStore)"] == nil
        var missing = isStoreGone ? record.handles.count : 0
        if !isStoreGone {
            // A session that ended in the meantime must not pass for a key that is gone.
            let custodian = try await custodian(record.keyStore, of: record.account, state, isNew: true)
            for handle in record.handles {
                do {
                    try await custodian.destroy(KeyHandle(handle))
                } catch let error as CryptographyError where error.code == .unknownKey {
                    // A try before this one may have been cut short behind it.
                    missing += 1
                } catch { throw KeyManagementError(.keyStoreFailure, "\(record.keyStore): \(error)") }
            }
        }
        try await change("DeleteKey", as: .service) { log, state in
            log.additionalData = [
                ("customKeyStoreId", .text(record.keyStore)),
                ("materialDestroyed", .number(record.handles.count - missing)), ("materialMissing", .number(missing)),
            ]
            log.resources = [scope.keyARN(id: record.id, account: record.account).description]
            guard let current = state.remains["\(record.account)/\(record.id)"] else { return ([], ()) }
            return ([.delete(try record.name, expecting: .version(current.version))], ())
        }
    }
}
