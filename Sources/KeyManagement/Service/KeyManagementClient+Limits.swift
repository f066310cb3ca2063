internal import Auditing
public import FoundationEssentials

extension KeyManagementClient {
    /// Says from when until when a key protects anything new: outside that time it does not encrypt, sign, authenticate or agree. What it
    /// has protected it opens and verifies at any time (SP 800-57 part 1, 5.3.5: the originator's and the recipient's usage
    /// periods).
    ///
    /// - Parameters:
    ///   - identifier: the key.
    ///   - start: the first moment; nil for any.
    ///   - end: the first moment that is too late; nil for none.
    /// - Throws: `validation` where the end is not behind the start; `unsupportedOperation` for a replica, which follows its primary, and for
    ///   a key for derivation, whose keys open and protect alike.
    public func limitUse(
        of identifier: KeyIdentifier, from start: Date? = nil, until end: Date? = nil
    ) async throws(KeyManagementError) {
        var place = ""
        let parameters: [(String, AuditEvent.Value)] = [("notBefore", start), ("notAfter", end)].map { name, date in
            (name, .text(date.map { String($0.timeIntervalSince1970) } ?? "none"))
        }
        try await change("UpdateKeyValidity", identifier, parameters: parameters) { record, log, _ in
            place = record.place
            guard record.usage != Derivation.usage, !record.isReplica(in: service.scope.region) else {
                throw KeyManagementError(.unsupportedOperation)
            }
            if let start, let end, start >= end {
                throw KeyManagementError(.validation, "a time that ends before it begins")
            }
            record.notBefore = start?.timeIntervalSince1970
            record.notAfter = end?.timeIntervalSince1970
        }
        // Replicas that are out of reach are caught up with later.
        try? await service.synchronizeReplicas(of: place)
    }

    /// Lets nobody have a key deleted, nor its imported material, nor material trimmed, until the protection is taken away again, by those who may `kms:UpdateDeletionProtection`.
    ///
    /// Imported material that expires is unusable from then on, and stays all the same. A replica's protection is its own, and does not keep what
    /// its primary has trimmed.
    ///
    /// Without it, a deletion still waits seven days at least, and can be called back for so long.
    public func protectFromDeletion(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await setProtection(true, identifier)
    }

    /// Takes the protection away. The key is not deleted by this.
    public func endProtectionFromDeletion(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await setProtection(false, identifier)
    }

    private func setProtection(_ isProtected: Bool, _ identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await change(
            "UpdateDeletionProtection", identifier, parameters: [("deletionProtection", .flag(isProtected))]
        ) { record, _, _ in record.isProtected = isProtected ? true : nil }
    }

    /// The operations that protect something new.
    private static let producing: Set<String> = [
        "Encrypt", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "Sign", "GenerateMac", "DeriveSharedSecret",
    ]

    /// Refuses what is outside a key's time.
    func checkTime(_ key: ManagedKey, _ action: String, _ log: OperationLog) throws(KeyManagementError) {
        guard key.record.notBefore != nil || key.record.notAfter != nil else { return }
        let now = log.time.timeIntervalSince1970
        guard KeyManagementClient.producing.contains(action) else { return }
        if let start = key.record.notBefore, now < start {
            throw KeyManagementError(.invalidState, "\(key.arnText) is not in use yet.")
        }
        if let end = key.record.notAfter, now >= end {
            throw KeyManagementError(.invalidState, "\(key.arnText) is no longer in use.")
        }
    }
}
