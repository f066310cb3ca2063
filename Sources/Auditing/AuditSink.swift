public import RecordStorage

/// Where audit events go. Conformers: ``AuditTrail``, which can be verified, and ``JSONLinesAuditFile``, which others read.
public protocol AuditSink: Sendable {
    /// Takes an event. When this returns, the event is recorded as durably as the sink promises.
    func record(_ event: AuditEvent) async throws(AuditError)
}

/// How long an event may exist in memory only.
public enum AuditDurability: Sendable, Hashable {
    /// Every event is on the disk before the operation's answer is released.
    case recorded
    /// Events are written together. A crash loses those of the last `lossWindow`.
    case buffered(lossWindow: Duration)
}

/// Why an event could not be recorded or a trail not be read.
public struct AuditError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, for a person.
    public let description: String
    /// The store's own error where it was the store.
    public let storeError: RecordStoreError?

    /// Whether what is stored is not what was written.
    public let isTampering: Bool

    package init(_ description: String, _ storeError: RecordStoreError? = nil, isTampering: Bool = false) {
        self.description = description
        self.storeError = storeError
        self.isTampering = isTampering
    }

    package init(_ error: RecordStoreError) {
        self.init("the audit trail cannot be written: \(error)", error)
    }

    init(any error: any Error) {
        if let error = error as? RecordStoreError { self.init(error) } else { self.init("\(error)") }
    }
}
