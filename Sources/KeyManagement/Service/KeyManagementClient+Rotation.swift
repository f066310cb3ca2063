internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementClient {
    /// How often a key is rotated on demand.
    private static let largestCount = 25
    static let rotationPeriods = 90...2560
    /// How near to a scheduled rotation nobody asks for another, in seconds (AWS KMS, RotateKeyOnDemand, ConflictException).
    private static let scheduleMargin = 1200.0

    /// Gives a key new material. Older material goes on opening what it sealed. A schedule is not moved.
    ///
    /// A key whose material is imported gets the one that was imported for this; `invalidState` where there is none.
    ///
    /// - Throws: `unsupportedOperation` for a key in a key store, and for any that is not symmetric; `limitExceeded` after 25
    ///   times; `rotationScheduled` within 20 minutes of the date of its schedule; `clockJumped`.
    public func rotate(_ identifier: KeyIdentifier) async throws(KeyManagementError) {
        var place = ""
        try await change("RotateKeyOnDemand", identifier) { record, log, state in
            try record.checkRotation(onDemand: true, in: service.scope.region)
            guard record.materials.count(where: { $0.rotation == .onDemand }) < KeyManagementClient.largestCount else {
                throw KeyManagementError(
                    .limitExceeded, "a key is rotated on demand at most \(KeyManagementClient.largestCount) times")
            }
            if let schedule = record.schedule,
                abs(schedule.next - log.time.timeIntervalSince1970) < KeyManagementClient.scheduleMargin
            {
                throw KeyManagementError(
                    .rotationScheduled,
                    "An automatic rotation of this key is in progress or begins within the next 20 minutes.")
            }
            try service.checkDrift(log.time)
            try record.rotate(.onDemand, at: log.time, state)
            place = record.place
        }
        // The key is rotated in any case; replicas that are out of reach are caught up with later.
        try? await service.synchronizeReplicas(of: place)
    }

    /// Has a key rotated by itself, from now on every so many days; see ``KeyManagementService/rotateDueKeys()``.
    ///
    /// - Parameter days: 90 to 2560.
    /// - Throws: `validation`, `unsupportedOperation`, `disabled`, `clockJumped`.
    public func enableRotation(
        of identifier: KeyIdentifier, everyDays days: Int = 365
    ) async throws(KeyManagementError) {
        try await change(
            "EnableKeyRotation", identifier, parameters: [("rotationPeriodInDays", .number(days))],
            conditions: ["kms:rotationperiodindays": [String(days)]]
        ) { record, log, _ in
            guard KeyManagementClient.rotationPeriods.contains(days) else {
                throw KeyManagementError(.validation, "a key is rotated every 90 to 2560 days, not every \(days)")
            }
            try record.checkRotation(in: service.scope.region)
            try service.checkDrift(log.time)
            record.schedule = KeyRecord.Schedule(
                days: days, next: log.time.timeIntervalSince1970 + Double(days) * 86400)
        }
    }

    /// Has a key rotated by itself no more.
    public func disableRotation(of identifier: KeyIdentifier) async throws(KeyManagementError) {
        try await change("DisableKeyRotation", identifier) { record, _, _ in
            try record.checkRotation(in: service.scope.region)
            record.schedule = nil
        }
    }

    /// When a key is rotated by itself; nil where it is not, or cannot be, or waits for its deletion.
    public func rotationSchedule(
        of identifier: KeyIdentifier
    ) async throws(KeyManagementError) -> RotationSchedule? {
        try await read("GetKeyRotationStatus", identifier, acrossAccounts: true) { key, _, _ in
            guard let schedule = key.record.schedule, !key.record.isPendingDeletion else { return nil }
            return RotationSchedule(
                periodInDays: schedule.days, nextRotation: Date(timeIntervalSince1970: schedule.next))
        }
    }

    /// All of a key's materials, oldest first.
    public func rotations(of identifier: KeyIdentifier) async throws(KeyManagementError) -> [KeyRotation] {
        try await read("ListKeyRotations", identifier) { key, _, log in
            let materials = key.record.materials
            return materials.enumerated().map { index, material in
                KeyRotation(
                    material: material.id, date: Date(timeIntervalSince1970: material.created),
                    kind: material.rotation,
                    state: material.isPending
                        ? .pendingRotation
                        : index == key.record.current ? .current : key.record.mayOpen(index) ? .nonCurrent : .retired,
                    imported: material.imported.map {
                        KeyRotation.Imported(
                            isPresent: material.isAvailable(at: log.time),
                            validTo: $0.expires.map { Date(timeIntervalSince1970: $0) }, description: $0.description)
                    })
            }
        }
    }
}

extension KeyManagementService {
    /// Rotates the keys whose schedule says so. Call it now and then; several processes may, and each key is rotated once.
    ///
    /// A key that missed several dates gets one new material. A disabled key, or one that waits for its deletion, is left alone
    /// and caught up with later.
    ///
    /// - Returns: how many.
    /// - Throws: `clockJumped`; nothing is rotated then. What one key throws, once the others are rotated.
    @discardableResult
    public func rotateDueKeys() async throws(KeyManagementError) -> Int {
        let now = clock.now
        let state = try refreshedState()
        try checkClock(now, state)
        var (count, failure): (Int, KeyManagementError?) = (0, nil)
        for key in state.keys.values where key.record.isRotationDue(at: now, in: scope.region) {
            do throws(KeyManagementError) {
                if try await rotate(key, at: now) {
                    count += 1
                    try? await synchronizeReplicas(of: key.place)
                }
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        return count
    }

    private func rotate(_ key: ManagedKey, at now: Date) async throws(KeyManagementError) -> Bool {
        try await change("RotateKey", as: .service) { log, state in
            log.use(key)
            // Another process may have been faster.
            guard let current = state.keys[key.place], var schedule = current.record.schedule,
                current.record.isRotationDue(at: now, in: scope.region)
            else { return ([], false) }
            var record = current.record
            // Dated by the time that was checked.
            try record.rotate(.automatic, at: now, state)
            // The dates stay where they were, however late this is.
            let period = Double(schedule.days) * 86400
            let missed = ((now.timeIntervalSince1970 - schedule.next) / period).rounded(.down) + 1
            schedule.next += missed * period
            record.schedule = schedule
            log.parameters = [("rotationType", .text(KeyRotation.Kind.automatic.rawValue))]
            return ([.put(try record.name, try StoredJSON.encode(record), expecting: .version(current.version))], true)
        }
    }
}

extension KeyRecord {
    /// Refuses keys that do not rotate.
    fileprivate func checkRotation(onDemand: Bool = false, in region: String) throws(KeyManagementError) {
        guard keyStore == nil, isSymmetric, onDemand || origin == nil, !isReplica(in: region) else {
            throw KeyManagementError(.unsupportedOperation)
        }
        guard isEnabled else { throw KeyManagementError(.disabled, "\(id) is disabled.") }
    }

    fileprivate mutating func rotate(_ rotation: KeyRotation.Kind, at time: Date, _ state: ServiceState) throws {
        if origin == KeyRecord.external { return try useImported(rotation, at: time) }
        let domain = try state.wrappingDomain
        var material = try newMaterial(at: time, domain: state.activeDomain, under: domain)
        material.rotation = rotation
        materials.append(material)
    }

    fileprivate func isRotationDue(at time: Date, in region: String) -> Bool {
        guard let schedule, isEnabled, !isPendingDeletion, !isReplica(in: region) else { return false }
        return schedule.next <= time.timeIntervalSince1970
    }
}
