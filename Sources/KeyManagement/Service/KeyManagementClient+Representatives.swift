internal import Cryptography

/// Signatures of messages that stay with the caller, by what ML-DSA makes of them first (AWS's EXTERNAL_MU).
extension KeyManagementClient {
    /// Signs a message of any length with ML-DSA by its representative. The signature is the message's.
    ///
    /// - Parameters:
    ///   - representative: 64 bytes, as `MLDSA.MessageRepresentative` calculates them for the key.
    ///   - key: a key for ML-DSA.
    /// - Throws: `validation` for another length, `invalidKeyUsage` for a key of another kind, and as encryption does.
    public func sign(
        representative: [UInt8], with key: some KeyReference<Signing>
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("Sign", as: caller) { log in
            let signer = try self.signer(KeyIdentifier(key), .mlDSA, Self.externalRepresentative, "Sign", &log)
            try Self.check(representative: representative)
            guard let signer = signer as? MLDSA.PrivateKey else { throw KeyManagementError(.unsupportedOperation) }
            return try signer.sign(representative: representative.span)
        }
    }

    /// Checks a signature of a message by its representative.
    ///
    /// - Throws: `invalidSignature` where it is not the key's.
    public func verify(
        _ signature: [UInt8], forRepresentative representative: [UInt8], with key: some KeyReference<Signing>
    ) async throws(KeyManagementError) {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verificationKey(KeyIdentifier(key), .mlDSA, Self.externalRepresentative, &log)
            try Self.check(representative: representative)
            guard let key = key as? MLDSA.PublicKey else { throw KeyManagementError(.unsupportedOperation) }
            guard try key.isValid(signature.span, forRepresentative: representative.span) else {
                throw KeyManagementError(.invalidSignature)
            }
        }
    }

    private static let externalRepresentative = "EXTERNAL_MU"

    private static func check(representative: [UInt8]) throws(KeyManagementError) {
        guard representative.count == MLDSA.representativeByteCount else {
            throw KeyManagementError(.validation, "a representative has 64 bytes, not \(representative.count)")
        }
    }
}
