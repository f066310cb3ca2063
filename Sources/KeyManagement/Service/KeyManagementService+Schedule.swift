/// What one round of maintenance did.
public struct MaintenanceReport: Sendable, Hashable {
    /// How many keys were rotated by their schedules.
    public var rotated = 0
    /// How many keys were deleted.
    public var deleted = 0
    /// From how many keys expired material was taken away.
    public var expired = 0
    /// What could not be done; the rest was.
    public var failures: [KeyManagementError] = []
}

extension KeyManagementService {
    /// Does all that is due: rotations, deletions, expired material, re-wrapping that was cut short, and what Regions have to tell each other. Several processes may; each thing is done once.
    public func maintain() async -> MaintenanceReport {
        var report = MaintenanceReport()
        do throws(KeyManagementError) { report.rotated = try await rotateDueKeys() } catch {
            report.failures.append(error)
        }
        do throws(KeyManagementError) { report.expired = try await deleteExpiredKeyMaterial() } catch {
            report.failures.append(error)
        }
        let deletion = await deleteKeys()
        report.deleted = deletion.count
        if let failure = deletion.failure { report.failures.append(failure) }
        do throws(KeyManagementError) { try await finishDomainRotation() } catch { report.failures.append(error) }
        do throws(KeyManagementError) { try await synchronizeRegions() } catch { report.failures.append(error) }
        return report
    }

    /// Does what is due again and again, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: between two rounds.
    ///   - clock: what sleeps between them; what is due is decided by the service's own clock.
    ///   - report: told of each round.
    public func maintain<C: Clock>(
        every interval: C.Duration, on clock: C, report: (MaintenanceReport) async -> Void = { _ in }
    ) async {
        while !Task.isCancelled {
            await report(await maintain())
            do { try await clock.sleep(for: interval) } catch { return }
        }
    }
}
