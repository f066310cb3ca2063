public import AccessPolicy
public import Cryptography

/// The public half of a managed key.
public struct ManagedPublicKey: Sendable, Hashable {
    /// The key's name.
    public let keyARN: ARN
    /// The key as a SubjectPublicKeyInfo in DER.
    public let subjectPublicKeyInfo: [UInt8]
    /// AWS's name of the kind, such as ECC_NIST_P256.
    public let specification: String
    /// AWS's name of the usage.
    public let usage: String
    /// AWS's names of what the key does.
    public let algorithms: [String]
    /// How the key signs; none for keys of other usages.
    public let signatureAlgorithms: [SignatureAlgorithm]
    /// How messages to the key are encrypted; none for keys of other usages.
    public let encryptionAlgorithms: [EncryptionAlgorithm]
}

extension KeyManagementClient {
    /// Signs a message.
    ///
    /// - Parameters:
    ///   - message: 1 to 4096 bytes; of a longer one, sign the digest.
    ///   - key: a key for signing.
    ///   - algorithm: one of the key's.
    /// - Returns: ECDSA in DER, RSA as in RFC 8017, Ed25519 in 64 bytes, ML-DSA as in FIPS 204.
    /// - Throws: `invalidKeyUsage` for an algorithm that is not the key's, `validation` for Ed25519ph, which takes digests, and as
    ///   encryption does.
    public func sign(
        _ message: Span<UInt8>, with key: some KeyReference<Signing>, using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("Sign", as: caller) { log in
            let signer = try self.signer(KeyIdentifier(key), algorithm, "RAW", "Sign", &log)
            try KeyManagementClient.check(message: message)
            return try signer.sign(message, using: algorithm)
        }
    }

    /// Signs an array; see ``sign(_:with:using:)-(Span<UInt8>,_,_)``.
    public func sign(
        _ message: [UInt8], with key: some KeyReference<Signing>, using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await sign(message.span, with: key, using: algorithm)
    }

    /// Signs a digest that the algorithm's hash function has made. For Ed25519ph the digest is the message, and is hashed again
    /// (AWS KMS, "ECC key specs"); for SM2 it is that of the signer's identity and the message (GB/T 32918.2, 6.1).
    ///
    /// - Throws: `validation` for a digest of another length.
    public func sign(
        digest: Digest, with key: some KeyReference<Signing>, using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("Sign", as: caller) { log in
            let signer = try self.signer(KeyIdentifier(key), algorithm, "DIGEST", "Sign", &log)
            try KeyManagementClient.check(digest, algorithm)
            return try KeyManagementClient.sign(digest, signer, algorithm)
        }
    }

    /// Checks a signature of a message.
    ///
    /// - Throws: `invalidSignature` where it is not the key's, whatever is wrong with it.
    public func verify(
        _ signature: [UInt8], for message: Span<UInt8>, with key: some KeyReference<Signing>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verificationKey(KeyIdentifier(key), algorithm, "RAW", &log)
            try KeyManagementClient.verify(signature, message, key, algorithm)
        }
    }

    /// Checks a signature of an array; see ``verify(_:for:with:using:)-(_,Span<UInt8>,_,_)``.
    public func verify(
        _ signature: [UInt8], for message: [UInt8], with key: some KeyReference<Signing>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) {
        try await verify(signature, for: message.span, with: key, using: algorithm)
    }

    /// Checks a signature of a digest.
    ///
    /// - Throws: `invalidSignature` where it is not the key's.
    public func verify(
        _ signature: [UInt8], forDigest digest: Digest, with key: some KeyReference<Signing>,
        using algorithm: SignatureAlgorithm
    ) async throws(KeyManagementError) {
        try await service.perform("Verify", as: caller) { log in
            let key = try self.verificationKey(KeyIdentifier(key), algorithm, "DIGEST", &log)
            try KeyManagementClient.verify(signature, digest, key, algorithm)
        }
    }

    /// The public half of a key that signs, agrees or decrypts.
    ///
    /// - Throws: `unsupportedOperation` for a key that has none.
    public func publicKey(of identifier: KeyIdentifier) async throws(KeyManagementError) -> ManagedPublicKey {
        try await service.perform("GetPublicKey", as: caller) { log in
            log.parameters = [("keyId", .text(identifier.description))]
            let (key, state) = try find(identifier, at: log.time)
            log.use(key)
            try service.authorize("GetPublicKey", on: key, in: state, log, alias: identifier.alias)
            try checkState(key, log)
            let info: [UInt8]
            var (signing, encryption): ([SignatureAlgorithm], [EncryptionAlgorithm]) = ([], [])
            switch key.record.pairKind == nil ? nil : try key.use(domains: state.domains) {
            case .verifier(let verifier):
                info = verifier.subjectPublicKeyInfo
                signing = key.signatureAlgorithms
            case .encryptor(let encryptor):
                info = encryptor.subjectPublicKeyInfo
                encryption = key.encryptionAlgorithms
            case .signer(let signer):
                info = try signer.subjectPublicKeyInfo
                signing = key.signatureAlgorithms
            case .agreement(let agreement): info = try agreement.subjectPublicKeyInfo
            case .decryptor(let decryptor):
                info = try decryptor.subjectPublicKeyInfo
                encryption = key.encryptionAlgorithms
            default: throw KeyManagementError(.unsupportedOperation)
            }
            return ManagedPublicKey(
                keyARN: key.arn, subjectPublicKeyInfo: info, specification: key.record.specification,
                usage: key.record.usage,
                algorithms: MaterialKind.algorithms(key.record),
                signatureAlgorithms: signing, encryptionAlgorithms: encryption)
        }
    }

    /// A managed key as a `Signer`: for a certificate authority, or a server of TLS. It asks the service for each signature, as
    /// this principal.
    public func signer(for key: some KeyReference<Signing>) async throws(KeyManagementError) -> ManagedSigner {
        try await ManagedSigner(client: self, publicKey: publicKey(of: KeyIdentifier(key)))
    }
}

extension KeyManagementClient {
    func signer(
        _ identifier: KeyIdentifier, _ algorithm: SignatureAlgorithm, _ type: String, _ action: String,
        _ log: inout OperationLog
    ) throws -> any SynchronousSigner {
        guard case .signer(let signer) = try use(identifier, Signing.self, algorithm, type, action, &log) else {
            throw KeyManagementError(.tampered, "\(identifier) is of another kind")
        }
        return signer
    }

    /// A key that signs or verifies, where the principal may have it do so in this way.
    func use<Purpose: KeyPurpose>(
        _ identifier: KeyIdentifier, _ purpose: Purpose.Type, _ algorithm: SignatureAlgorithm, _ type: String,
        _ action: String, _ log: inout OperationLog
    ) throws -> CustodialKey.Use {
        let name = algorithm.managedName
        log.parameters = [
            ("keyId", .text(identifier.description)), ("messageType", .text(type)), ("signingAlgorithm", .text(name)),
        ]
        log.signing = (name, type)
        let (key, state) = try use(identifier, purpose, action, &log)
        guard log.working?.signatureAlgorithms.contains(algorithm) == true else {
            throw KeyManagementError(
                .invalidKeyUsage, "Algorithm \(name) is incompatible with key spec \(key.record.specification).")
        }
        guard type != "RAW" || algorithm != .ed25519ph else {
            throw KeyManagementError(.validation, "\(name) takes digests.")
        }
        return try key.use(domains: state.domains)
    }

    func verificationKey(
        _ identifier: KeyIdentifier, _ algorithm: SignatureAlgorithm, _ type: String, _ log: inout OperationLog
    ) throws -> any VerificationKey {
        let info = try signer(identifier, algorithm, type, "Verify", &log).subjectPublicKeyInfo
        return try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
    }

    static func verify(
        _ signature: [UInt8], _ message: Span<UInt8>, _ key: any VerificationKey, _ algorithm: SignatureAlgorithm
    ) throws {
        try check(message: message)
        guard try key.isValid(signature.span, for: message, using: algorithm) else {
            throw KeyManagementError(.invalidSignature)
        }
    }

    static func verify(
        _ signature: [UInt8], _ digest: Digest, _ key: any VerificationKey, _ algorithm: SignatureAlgorithm
    ) throws {
        try check(digest, algorithm)
        let bytes = digest.bytes
        let isValid =
            switch (algorithm, key) {
            case (.ed25519ph, _): try key.isValid(signature.span, for: bytes, using: algorithm)
            case (.sm2DSA, let key as SM2.PublicKey): try key.isValid(signature.span, forIdentified: digest)
            default: try key.isValid(signature.span, forDigest: digest, using: algorithm)
            }
        guard isValid else { throw KeyManagementError(.invalidSignature) }
    }

    private static func sign(
        _ digest: Digest, _ signer: any SynchronousSigner, _ algorithm: SignatureAlgorithm
    ) throws -> [UInt8] {
        let bytes = digest.bytes
        switch (algorithm, signer) {
        case (.ed25519ph, _): return try signer.sign(bytes, using: algorithm)
        case (.sm2DSA, let signer as SM2.PrivateKey): return try signer.sign(identified: digest)
        default: return try signer.sign(digest: digest, using: algorithm)
        }
    }

    static func check(message: Span<UInt8>) throws(KeyManagementError) {
        guard (1...4096).contains(message.count) else {
            throw KeyManagementError(.validation, "a message has 1 to 4096 bytes, not \(message.count)")
        }
    }

    private static func check(_ digest: Digest, _ algorithm: SignatureAlgorithm) throws(KeyManagementError) {
        guard digest.count == algorithm.digestFunction?.digestByteCount else {
            throw KeyManagementError(
                .validation, "Digest is invalid length for algorithm \(algorithm.managedName).")
        }
    }
}

extension CustodialKeyKind {
    /// How keys of the kind sign, in the service's lists: a curve with its own hash function alone.
    var managedSignatureAlgorithms: [SignatureAlgorithm] {
        switch self {
        case .ecdsa(let curve): Array(KeyAlgorithm.ellipticCurve(curve).signatureAlgorithms.prefix(1))
        case .ed25519: [.ed25519] + (Ed25519.isPrehashAvailable ? [.ed25519ph] : [])
        case .mlDSA: [.mlDSA]
        case .sm2Signing: [.sm2DSA]
        case .rsaSigning: KeyAlgorithm.rsa.signatureAlgorithms
        default: []
        }
    }
}

extension SignatureAlgorithm {
    /// What makes the digests that the service signs so; nil where it takes none. SM2's have the signer's identity in front.
    package var digestFunction: HashFunction? { self == .sm2DSA ? .sm3 : function }

    /// The service's name of it.
    var managedName: String { scheme == .ed25519 ? "ED25519_SHA_512" : description }
}
