public import AccessPolicy
internal import Auditing
public import FoundationEssentials

/// Whether a key is used.
public struct KeyLastUsage: Sendable, Hashable {
    /// The key.
    public let keyARN: ARN
    /// When it was made: since then its uses are known.
    public let creationDate: Date
    /// The last use; nil for a key that was not used.
    public let last: LastKeyUse?
}

/// When a key was last used.
public struct LastKeyUse: Sendable, Hashable {
    /// The operation, such as "Decrypt".
    public let operation: String
    /// When it succeeded.
    public let date: Date
    /// Its event in the audit trail.
    public let eventID: String
}

extension KeyManagementClient {
    /// The operations that use a key.
    private static let uses: Set<String> = [
        "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "Sign", "Verify", "GenerateMac", "VerifyMac", "DeriveSharedSecret",
        "DeriveKey",
    ]

    /// The last cryptographic operation that succeeded with a key, as the audit trail has it: ask before a key is deleted.
    ///
    /// The whole trail is read, so that uses cost nothing more.
    ///
    public func usage(of identifier: KeyIdentifier) async throws(KeyManagementError) -> KeyLastUsage {
        let (arn, created) = try await read("GetKeyLastUsage", identifier) { key, _, _ in
            (key.arn, Date(timeIntervalSince1970: key.record.created))
        }
        let query = AuditQuery(resource: arn.description, names: KeyManagementClient.uses, isSuccess: true)
        let last = try await service.auditEvents().last { query.matches($0) }
        var use: LastKeyUse?
        if let last, let fields = AuditQuery.Fields(last), let date = fields.time {
            use = LastKeyUse(operation: fields.eventName, date: date, eventID: fields.eventID)
        }
        return KeyLastUsage(keyARN: arn, creationDate: created, last: use)
    }
}

extension KeyManagementService {
    /// The events of the trail that are asked for, in the order of time.
    public func auditEvents(_ query: AuditQuery) async throws(KeyManagementError) -> [String] {
        try await auditEvents().filter { query.matches($0) }
    }
}
