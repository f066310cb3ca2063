public import AccessPolicy
public import Cryptography

/// A key pair for use outside: for signatures and agreements where a call for each would be too slow.
public struct DataKeyPair: ~Copyable, Sendable {
    /// The public half as a SubjectPublicKeyInfo.
    public let publicKey: [UInt8]
    /// The private half as PKCS #8. Use it and let it go.
    public let privateKey: SecretBytes
    /// The private half, sealed under the managed key: to be kept, and opened by `decrypt`.
    public let ciphertext: Ciphertext
    /// The managed key that sealed it.
    public let keyARN: ARN
}

/// The kinds of data-key pairs.
public enum DataKeyPairKind: Sendable, Hashable {
    /// On a curve, for ECDSA or ECDH.
    case ellipticCurve(EllipticCurve)
    /// Ed25519.
    case ed25519
    /// SM2.
    case sm2
    /// RSA.
    case rsa(RSAKeySize)

    /// The kind of a name of AWS's; nil for one that is unknown.
    public init?(_ name: String) {
        if let size = RSAKeySize(rawValue: name) {
            self = .rsa(size)
        } else if name == MaterialKind.edwards {
            self = .ed25519
        } else if name == MaterialKind.sm2 {
            self = .sm2
        } else if let curve = EllipticCurve.allCases.first(where: { MaterialKind.name($0) == name }) {
            self = .ellipticCurve(curve)
        } else {
            return nil
        }
    }

    /// AWS's name, such as ECC_NIST_P256.
    public var name: String {
        switch self {
        case .ellipticCurve(let curve): MaterialKind.name(curve)
        case .ed25519: MaterialKind.edwards
        case .sm2: MaterialKind.sm2
        case .rsa(let size): size.rawValue
        }
    }
}

extension KeyManagementClient {
    /// A new key pair, and its private half sealed.
    ///
    /// - Throws: `unsupportedOperation` for a key in a key store; otherwise as encryption does.
    public func generateDataKeyPair(
        _ kind: DataKeyPairKind, under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> DataKeyPair {
        let name = "GenerateDataKeyPair"
        return try await service.perform(name, as: caller) { log in
            try await self.dataKeyPair(kind, KeyIdentifier(key), context, name, &log)
        }
    }

    /// A new key pair whose private half is not released now.
    ///
    /// - Returns: the public half, and the private one sealed.
    public func generateDataKeyPairWithoutPlaintext(
        _ kind: DataKeyPairKind, under key: some KeyReference<Encryption>, context: EncryptionContext = .none
    ) async throws(KeyManagementError) -> (publicKey: [UInt8], ciphertext: Ciphertext) {
        let name = "GenerateDataKeyPairWithoutPlaintext"
        return try await service.perform(name, as: caller) { log in
            let pair = try await self.dataKeyPair(kind, KeyIdentifier(key), context, name, &log)
            return (pair.publicKey, pair.ciphertext)
        }
    }

    func dataKeyPair(
        _ kind: DataKeyPairKind, _ identifier: KeyIdentifier, _ context: EncryptionContext, _ action: String,
        _ log: inout OperationLog
    ) async throws -> DataKeyPair {
        note(identifier, context, &log)
        log.parameters.append(("keyPairSpec", .text(kind.name)))
        try context.check()
        let conditions = ["kms:datakeypairspec": [kind.name]]
        try await service.makeManagedKey(identifier, action, log, context: context)
        // Whoever may not have one makes this process calculate nothing.
        let (key, state) = try use(
            identifier, Encryption.self, action, &log, context: context, conditions: conditions)
        try service.algorithms.check(kind.name)
        guard key.record.keyStore == nil else { throw KeyManagementError(.unsupportedOperation) }
        // The kinds are those of keys that sign.
        guard let material = MaterialKind.kind(kind.name, usage: Signing.usage) else {
            throw KeyManagementError(.unsupportedOperation)
        }
        let privateKey = try material.generate()
        guard case .signer(let signer) = try CustodialKey.Use(material, privateKey) else {
            throw KeyManagementError(.internalFailure, "a pair that does not sign")
        }
        let publicKey = try signer.subjectPublicKeyInfo
        let inUse = try await service.material(of: key, key.current, state, &log)
        log.materials.append(key.record.materials[key.current].id)
        let ciphertext = try await KeyManagementClient.seal(privateKey, inUse, context)
        return DataKeyPair(publicKey: publicKey, privateKey: privateKey, ciphertext: ciphertext, keyARN: key.arn)
    }
}
