internal import Cryptography
internal import FoundationEssentials

extension KeyRecord {
    /// Takes material in that somebody brings.
    ///
    /// - Returns: the material's identifier.
    mutating func importMaterial(
        _ secret: borrowing SecretBytes, _ request: MaterialImport, at time: Date, _ state: ServiceState,
        isReplica: Bool
    ) throws -> String {
        let secret = try normalized(secret)
        let material = try KeyRecord.materialID(of: secret, key: id)
        guard request.material == nil || request.material == material.text else {
            throw KeyManagementError(.incorrectKeyMaterial, "the material is another than the one that is named")
        }
        guard state.materials[material]?.key.place ?? self.place == self.place else {
            throw KeyManagementError(.incorrectKeyMaterial, "another key has this material")
        }
        let expires = request.expires.map { $0.timeIntervalSince1970.rounded(.down) }
        let place = materials.firstIndex { $0.identifier == material }
        let isNew = request.isNew ?? materials.isEmpty
        let domain = try state.wrappingDomain
        if let place {
            guard !isNew else { throw KeyManagementError(.incorrectKeyMaterial, "the key has this material already") }
            guard place >= trimmed ?? 0 else { throw KeyManagementError(.invalidState, "the material was destroyed") }
            materials[place].wrapped = try domain.seal(secret, authenticating: label(material, version: place))
            materials[place].domain = state.activeDomain
            materials[place].imported?.expires = expires
            if let description = request.description { materials[place].imported?.description = description }
            return material.text
        }
        // New material comes to the primary, and a place for it from there.
        guard isNew, !isReplica else {
            throw KeyManagementError(.incorrectKeyMaterial, "the key has had other material")
        }
        guard materials.isEmpty || isSymmetric else {
            throw KeyManagementError(.incorrectKeyMaterial, "such a key keeps its material")
        }
        guard !materials.contains(where: \.isPending) else {
            throw KeyManagementError(.invalidState, "other material waits for a rotation")
        }
        var new = try self.material(material, secret, at: time, domain: state.activeDomain, under: domain)
        new.imported = Imported(expires: expires, description: request.description, isPending: !materials.isEmpty)
        materials.append(new)
        return material.text
    }

    /// Takes imported material away. What waited for a rotation is forgotten, other material leaves its place.
    mutating func removeMaterial(_ index: Int) {
        if materials[index].isPending {
            materials.remove(at: index)
        } else {
            materials[index].wrapped = []
            materials[index].domain = 0
            materials[index].imported?.expires = nil
        }
    }

    /// Brings the material into use that was imported for a rotation.
    mutating func useImported(_ rotation: KeyRotation.Kind, at time: Date) throws(KeyManagementError) {
        try refuseMissingMaterial(at: time)
        guard let index = materials.firstIndex(where: { $0.isPending && $0.isAvailable(at: time) }) else {
            throw KeyManagementError(.invalidState, "\(id) has no key material that is pending rotation.")
        }
        materials[index].imported?.isPending = false
        materials[index].rotation = rotation
        materials[index].created = time.timeIntervalSince1970
    }

    func refuseMissingMaterial(at time: Date) throws(KeyManagementError) {
        guard !isMaterialMissing(at: time) else { throw KeyManagementError(.invalidState, "\(id) is pending import.") }
    }

    /// Material in the one form that the service keeps: the same key is the same bytes, however it was written.
    func normalized(_ secret: borrowing SecretBytes) throws(KeyManagementError) -> SecretBytes {
        let bytes = secret.bytes
        do throws(CryptographyError) {
            guard let kind else {
                // Anything else could be guessed: identifier and commitments are oracles of it.
                guard isSymmetric, bytes.count == 32 else { throw CryptographyError(.invalidLength, "not 32 bytes") }
                return SecretBytes(copying: bytes)
            }
            switch kind {
            case .ecdsa(let curve):
                let key = try ECDSA.PrivateKey(pkcs8: bytes)
                guard key.curve == curve else { throw CryptographyError(.invalidKey, "another curve") }
                return try key.pkcs8()
            case .ecdh(let curve):
                let key = try ECDH.PrivateKey(pkcs8: bytes)
                guard key.curve == curve else { throw CryptographyError(.invalidKey, "another curve") }
                return try key.pkcs8()
            case .ed25519: return try Ed25519.PrivateKey(pkcs8: bytes).pkcs8()
            case .mlDSA(let parameters):
                let key = try MLDSA.PrivateKey(pkcs8: bytes)
                guard key.parameters == parameters else { throw CryptographyError(.invalidKey, "another set") }
                return try key.pkcs8()
            case .sm2Signing, .sm2Decryption: return try SM2.PrivateKey(pkcs8: bytes).pkcs8()
            case .rsaSigning(let bits), .rsaDecryption(let bits):
                let key = try RSA.PrivateKey(pkcs8: bytes)
                guard key.modulusByteCount * 8 == bits else { throw CryptographyError(.invalidKey, "another size") }
                return try key.pkcs8()
            default:
                _ = try CustodialKey.Use(kind, bytes)
                return SecretBytes(copying: bytes)
            }
        } catch {
            throw KeyManagementError(.incorrectKeyMaterial, "the material is no key of the kind \(specification)")
        }
    }

    /// The identifier of imported material: the same for the same key and material, and telling nothing of it.
    static func materialID(of secret: borrowing SecretBytes, key: String) throws -> MaterialID {
        let salt: [UInt8] = []
        let info = Array("strongroom material id".utf8)
        let hidden = try HKDF(.sha256).derive(
            from: secret, salt: salt.span, info: info.span, count: 32)
        let code = try HMAC(.sha256, key: hidden).authenticate(Array(key.utf8)).array
        guard let id = MaterialID(code) else { throw KeyManagementError(.internalFailure) }
        return id
    }
}

extension KeyRecord.Material {
    /// Whether it is there though its time is over.
    func isExpired(at time: Date) -> Bool { !wrapped.isEmpty && !isAvailable(at: time) }

    /// Whether it is wrapped under another domain key.
    func isBehind(_ domain: UInt32) -> Bool { !wrapped.isEmpty && self.domain != domain }
}

/// What goes with material that is imported.
struct MaterialImport {
    let expires: Date?
    let isNew: Bool?
    let material: String?
    let description: String?
}
