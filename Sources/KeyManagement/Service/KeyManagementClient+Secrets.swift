internal import AccessPolicy
public import Cryptography

extension KeyManagementClient {
    /// The authentication code of a message (RFC 2104), by the key's hash function.
    ///
    /// - Parameters:
    ///   - message: 1 to 4096 bytes.
    ///   - key: a key for authentication codes.
    ///   - size: of the key; where given, another is `invalidKeyUsage`.
    public func generateMAC(
        for message: [UInt8], with key: some KeyReference<Authentication>, using size: HMACKeySize? = nil
    ) async throws(KeyManagementError) -> [UInt8] {
        try await service.perform("GenerateMac", as: caller) { log in
            let authenticator = try self.authenticator(KeyIdentifier(key), size, "GenerateMac", &log)
            try KeyManagementClient.check(message: message.span)
            return try authenticator.authenticate(message.span).array
        }
    }

    /// Checks an authentication code, in constant time.
    ///
    /// - Throws: `invalidMAC` where it is not the key's, one that was cut short too.
    public func verifyMAC(
        _ code: [UInt8], for message: [UInt8], with key: some KeyReference<Authentication>,
        using size: HMACKeySize? = nil
    ) async throws(KeyManagementError) {
        try await service.perform("VerifyMac", as: caller) { log in
            let authenticator = try self.authenticator(KeyIdentifier(key), size, "VerifyMac", &log)
            try KeyManagementClient.check(message: message.span)
            guard try authenticator.isValid(code.span, for: message.span) else {
                throw KeyManagementError(.invalidMAC)
            }
        }
    }

    /// The secret that the key shares with the owner of a public key: the x-coordinate (SP 800-56A, 5.7.1.2). Derive keys from
    /// it; do not use it as one.
    ///
    /// - Parameter peer: a SubjectPublicKeyInfo on the key's curve.
    /// - Throws: `validation` for a public key that is none, or on another curve.
    public func deriveSharedSecret(
        with key: some KeyReference<Agreement>, peer: [UInt8]
    ) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("DeriveSharedSecret", as: caller) { log in
            try await self.sharedSecret(KeyIdentifier(key), peer, &log)
        }
    }

    /// Random bytes, for those who want them from here: 1 to 1024.
    public func generateRandom(byteCount: Int) async throws(KeyManagementError) -> SecretBytes {
        try await service.perform("GenerateRandom", as: caller) { log in try self.random(byteCount, &log) }
    }

    func random(_ byteCount: Int, _ log: inout OperationLog) throws -> SecretBytes {
        log.parameters = [("numberOfBytes", .number(byteCount))]
        try service.authorize("GenerateRandom", resource: "*", inAccount: principal.account, log)
        guard (1...1024).contains(byteCount) else {
            throw KeyManagementError(.validation, "1 to 1024 random bytes, not \(byteCount)")
        }
        return try SecretBytes.random(count: byteCount)
    }

    func sharedSecret(
        _ identifier: KeyIdentifier, _ peer: [UInt8], _ log: inout OperationLog
    ) async throws -> SecretBytes {
        log.parameters = [("keyId", .text(identifier.description)), ("keyAgreementAlgorithm", .text("ECDH"))]
        let (managed, state) = try use(
            identifier, Agreement.self, "DeriveSharedSecret", &log, conditions: ["kms:keyagreementalgorithm": ["ECDH"]])
        guard case .agreement(let agreement) = try managed.use(domains: state.domains) else {
            throw KeyManagementError(.tampered, "\(managed.record.id) is of another kind")
        }
        do {
            return try await agreement.sharedSecret(withPublicKey: peer.span)
        } catch let error as CryptographyError where KeyManagementClient.isAboutThePeer(error) {
            throw KeyManagementError(.validation)
        }
    }

    /// Whether an agreement failed for the peer's key, and not for this side.
    private static func isAboutThePeer(_ error: CryptographyError) -> Bool {
        [.invalidKey, .invalidEncoding, .invalidLength, .unsupported].contains(error.code)
    }

    private func authenticator(
        _ identifier: KeyIdentifier, _ wanted: HMACKeySize?, _ action: String, _ log: inout OperationLog
    ) throws -> HMAC {
        log.parameters = [("keyId", .text(identifier.description))]
        // The key has one algorithm; requests and policies name it, and a request may expect it.
        let specification = try find(identifier, at: log.time).0.record.specification
        var conditions: [String: [String]] = [:]
        if let size = HMACKeySize(rawValue: specification) {
            let name = "HMAC_SHA_\(size.rawValue.dropFirst("HMAC_".count))"
            log.parameters.append(("macAlgorithm", .text(name)))
            conditions = ["kms:macalgorithm": [name]]
        }
        let (key, state) = try use(identifier, Authentication.self, action, &log, conditions: conditions)
        guard wanted == nil || wanted?.rawValue == specification else {
            throw KeyManagementError(
                .invalidKeyUsage,
                "Algorithm HMAC_SHA_\(wanted?.rawValue.dropFirst(5) ?? "") is incompatible with key spec \(specification)."
            )
        }
        guard case .authenticator(let authenticator) = try key.use(domains: state.domains) else {
            throw KeyManagementError(.tampered, "\(key.record.id) is of another kind")
        }
        return authenticator
    }
}
