public import AccessPolicy
internal import Auditing
internal import Cryptography
public import FoundationEssentials
internal import RecordIntegrity

/// When imported material is to be forgotten.
public enum MaterialExpiry: Sendable, Hashable {
    /// Not by itself.
    case never
    /// At a time, at most 365 days from now. Until the same material is imported again, the key is unusable then.
    case at(Date)
}

extension KeyManagementClient {
    /// Makes a key without material, which is imported later; until then its state is `pendingImport`.
    ///
    /// ```swift
    /// let key = try await client.createKeyForImport(.symmetric)
    /// let parameters = try await client.importParameters(for: KeyIdentifier(key))
    /// try await client.importKeyMaterial(parameters.wrap(material), parameters.token, into: KeyIdentifier(key), expiring: .never)
    /// ```
    ///
    /// - Throws: as with other keys.
    public func createKeyForImport<Purpose>(
        _ specification: KeySpecification<Purpose>, alias: String? = nil, description: String = "",
        tags: [String: String] = [:], policy: PolicyDocument? = nil, multiRegion: Bool = false,
        bypassingLockoutCheck: Bool = false
    ) async throws(KeyManagementError) -> Key<Purpose> {
        let creation = KeyCreation(
            alias: alias, description: description, tags: tags, policy: policy, origin: KeyRecord.external,
            bypassesLockoutCheck: bypassingLockoutCheck, isMultiRegion: multiRegion)
        return try await createKey(specification, creation) { record, log, _ in
            log.parameters.append(("origin", .text(creation.origin)))
            record.origin = creation.origin
            return []
        }
    }

    /// A new wrapping key, and the token that goes with it, for one key and a day.
    ///
    /// - Parameters:
    ///   - identifier: a key that was made for import.
    ///   - wrapping: how the material will be wrapped; key pairs of RSA need one of the key wraps.
    ///   - size: of an RSA wrapping key.
    /// - Throws: `unsupportedOperation` for other keys, and where the wrapping does not fit; `invalidState`.
    public func importParameters(
        for identifier: KeyIdentifier, wrapping: ImportWrapping = .rsaOAEPSHA256, keySize size: RSAKeySize = .bits3072
    ) async throws(KeyManagementError) -> ImportParameters {
        try await read(
            "GetParametersForImport", identifier,
            parameters: [
                ("wrappingAlgorithm", .text(wrapping.rawValue)),
                ("wrappingKeySpec", .text(wrapping.keySpecification(size))),
            ],
            conditions: [
                "kms:wrappingalgorithm": [wrapping.rawValue], "kms:wrappingkeyspec": [wrapping.keySpecification(size)],
            ]
        ) { key, state, log in
            try key.refuseUnlessImported(at: log.time)
            try service.algorithms.check(wrapping.rawValue)
            try wrapping.check(size, for: key.record)
            let domain = try state.wrappingDomain
            let pair = try wrapping.makeKey(size)
            let encoded = try pair.pkcs8()
            let validTo = WrappingKeyToken.expiry(from: log.time)
            let token = try ImportToken(
                encoded, wrapping, for: key.record, until: validTo, domain: state.activeDomain, domain)
            return ImportParameters(
                wrappingKey: try pair.subjectPublicKeyInfo, wrapping: wrapping, token: token, validTo: validTo)
        }
    }

    /// Brings material to a key, or brings it back.
    ///
    /// A key pair or an HMAC key keeps the material that it had first. A symmetric key takes more: each waits for `rotate` to come
    /// into use.
    ///
    /// - Parameters:
    ///   - wrapped: the material, wrapped as the token's parameters say.
    ///   - token: of those parameters.
    ///   - identifier: the key that they are for.
    ///   - expiry: when it is to be forgotten.
    ///   - isNew: whether the key must not have had it yet, or must; by default the first material is new, and no other.
    ///   - material: the identifier that the material must have, where it is known.
    ///   - description: the owner's text, of at most 256 characters; that of the last import stays where none is given.
    /// - Returns: the material's identifier: the same for the same material and key.
    /// - Throws: `invalidCiphertext`, `incorrectKeyMaterial`, `invalidImportToken`, `expiredImportToken`, `invalidState`,
    ///   `validation`, `clockJumped`.
    @discardableResult
    public func importKeyMaterial(
        _ wrapped: [UInt8], _ token: ImportToken, into identifier: KeyIdentifier, expiring expiry: MaterialExpiry,
        isNew: Bool? = nil, material: String? = nil, description: String? = nil
    ) async throws(KeyManagementError) -> String {
        var (expires, model): (Date?, String) = (nil, "KEY_MATERIAL_DOES_NOT_EXPIRE")
        if case .at(let date) = expiry { (expires, model) = (date, "KEY_MATERIAL_EXPIRES") }
        let request = MaterialImport(expires: expires, isNew: isNew, material: material, description: description)
        var parameters: [(String, AuditEvent.Value)] = [("expirationModel", .text(model))]
        var conditions = ["kms:expirationmodel": [model]]
        if let expires {
            let seconds = String(expires.timeIntervalSince1970.rounded(.down))
            parameters.append(("validTo", .text(seconds)))
            conditions["kms:validto"] = [seconds]
        }
        var imported = ""
        try await change("ImportKeyMaterial", identifier, parameters: parameters, conditions: conditions) {
            record, log, state in
            try service.checkDrift(log.time)
            guard record.origin == KeyRecord.external else { throw KeyManagementError(.unsupportedOperation) }
            try request.check(at: log.time, isSymmetric: record.isSymmetric)
            if request.expires != nil { try record.refuseIfProtected() }
            let (key, wrapping) = try token.open(for: record, at: log.time, domains: state.domains)
            try service.algorithms.check(wrapping.rawValue)
            let secret: SecretBytes
            do throws(CryptographyError) {
                secret = try wrapping.unwrap(wrapped.span, with: key)
            } catch { throw KeyManagementError(.invalidCiphertext) }
            imported = try record.importMaterial(
                secret, request, at: log.time, state, isReplica: record.isReplica(in: service.scope.region))
            log.response = [("keyMaterialId", .text(imported))]
        }
        return imported
    }

    /// Forgets imported material: the key is unusable until it is imported again. What waited for a rotation is gone.
    ///
    /// - Parameter material: its identifier; by default that in use.
    /// - Returns: its identifier; nil where the key had none.
    @discardableResult
    public func deleteImportedKeyMaterial(
        of identifier: KeyIdentifier, material: String? = nil
    ) async throws(KeyManagementError) -> String? {
        var deleted: String?
        try await change("DeleteImportedKeyMaterial", identifier, whilePendingDeletion: nil) { record, log, _ in
            guard record.origin == KeyRecord.external else { throw KeyManagementError(.unsupportedOperation) }
            try record.refuseIfProtected()
            if let material { log.parameters.append(("keyMaterialId", .text(material))) }
            let place = material.map { id in record.materials.firstIndex { $0.id == id } } ?? record.current
            guard let place else {
                guard material == nil else { throw KeyManagementError(.notFound, "the key has no such material") }
                return
            }
            deleted = record.materials[place].id
            record.removeMaterial(place)
        }
        return deleted
    }
}

extension MaterialImport {
    fileprivate func check(at time: Date, isSymmetric: Bool) throws(KeyManagementError) {
        if let expires {
            let seconds = expires.timeIntervalSince(time)
            guard seconds > 0, seconds <= 365 * 86400 else {
                throw KeyManagementError(.validation, "material expires within 365 days, and not in the past")
            }
        }
        guard isSymmetric || (isNew == nil && material == nil && description == nil) else {
            throw KeyManagementError(.validation, "only symmetric keys have several materials to tell apart")
        }
        guard isNew != true || material == nil else {
            throw KeyManagementError(.validation, "new material has no identifier yet")
        }
        guard (description?.unicodeScalars.count ?? 0) <= 256 else {
            throw KeyManagementError(.validation, "a material's description has at most 256 characters")
        }
    }
}

extension ManagedKey {
    /// Refuses keys whose material is not imported, or that wait for their deletion.
    fileprivate func refuseUnlessImported(at time: Date) throws(KeyManagementError) {
        guard record.origin == KeyRecord.external else { throw KeyManagementError(.unsupportedOperation) }
        guard !record.isPendingDeletion else {
            throw KeyManagementError(.invalidState, "\(arnText) is pending deletion.")
        }
    }
}
