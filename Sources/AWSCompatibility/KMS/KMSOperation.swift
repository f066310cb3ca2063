internal import KeyManagement

/// An operation of AWS KMS: what a request must have, and what is done.
struct KMSOperation: Sendable {
    let required: [String]
    let run: @Sendable (inout KMSCall) async throws -> Void

    init(_ required: String..., run: @escaping @Sendable (inout KMSCall) async throws -> Void) {
        self.required = required
        self.run = run
    }

    /// By name.
    static let all: [String: KMSOperation] = [
        keys, states, encryption, dataKeys, asymmetric, imports, rotation, aliases, tags, policies, grants, keyStores,
        unsupported,
    ]
    .reduce(into: [:]) { all, group in all.merge(group) { $1 } }

    /// What needs ML-KEM, with what a request must have.
    private static let unsupported: [String: KMSOperation] = [
        "Encapsulate": unsupported("KeyId", "EncapsulationAlgorithm"),
        "Decapsulate": unsupported("KeyId", "EncapsulationAlgorithm", "SharedSecretCiphertextBlob"),
    ]

    private static func unsupported(_ required: String...) -> KMSOperation {
        var operation = KMSOperation { _ in throw KeyManagementError(.unsupportedOperation) }
        operation = KMSOperation(required: required, run: operation.run)
        return operation
    }

    private init(required: [String], run: @escaping @Sendable (inout KMSCall) async throws -> Void) {
        self.required = required
        self.run = run
    }
}
