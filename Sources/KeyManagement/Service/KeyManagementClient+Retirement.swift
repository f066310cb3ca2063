internal import FoundationEssentials

extension KeyManagementClient {
    /// Retires the materials before one: what they have sealed opens no more, until an older one is named again.
    ///
    /// First `rewrap` what is kept. AWS has no such operation; policies know it as `kms:RetireKeyMaterial`.
    ///
    /// - Parameter material: the identifier of the oldest that goes on opening; see ``rotations(of:)``.
    /// - Throws: `notFound` for another key's; `unsupportedOperation` for keys that do not rotate; `invalidState` for one that was
    ///   trimmed, or waits for its rotation.
    public func retireMaterial(
        of identifier: KeyIdentifier, before material: String
    ) async throws(KeyManagementError) {
        var key = ""
        try await change("RetireKeyMaterial", identifier, parameters: [("keyMaterialId", .text(material))]) {
            record, _, _ in
            key = record.place
            guard record.isSymmetric, record.keyStore == nil, !record.isReplica(in: service.scope.region) else {
                throw KeyManagementError(.unsupportedOperation)
            }
            guard let place = record.materials.firstIndex(where: { $0.id == material }) else {
                throw KeyManagementError(.notFound, "the key has no such material")
            }
            guard !record.materials[place].isPending, place >= record.trimmed ?? 0 else {
                throw KeyManagementError(.invalidState, "the material is not in use")
            }
            record.oldest = place == 0 ? nil : place
        }
        // Replicas that are out of reach are caught up with later.
        try? await service.synchronizeReplicas(of: key)
    }

    /// Destroys the materials that were retired, for good: what they have sealed is lost. Policies know it as
    /// `kms:TrimKeyMaterial`.
    ///
    /// - Returns: how many.
    @discardableResult
    public func trimRetiredMaterial(of identifier: KeyIdentifier) async throws(KeyManagementError) -> Int {
        var (count, key) = (0, "")
        try await change("TrimKeyMaterial", identifier) { record, log, _ in
            try service.checkDrift(log.time)
            try record.refuseIfProtected()
            key = record.place
            guard !record.isReplica(in: service.scope.region) else { throw KeyManagementError(.unsupportedOperation) }
            let (oldest, trimmed) = (record.oldest ?? 0, record.trimmed ?? 0)
            guard oldest > trimmed else {
                count = 0
                return
            }
            for place in trimmed..<oldest {
                record.materials[place].wrapped = []
                record.materials[place].domain = 0
            }
            record.trimmed = oldest
            count = oldest - trimmed
            log.parameters.append(("count", .number(count)))
        }
        try? await service.synchronizeReplicas(of: key)
        return count
    }
}

extension KeyRecord {
    /// Whether a material may open what it has sealed.
    func mayOpen(_ index: Int) -> Bool { index >= oldest ?? 0 && !materials[index].isPending }
}
