package import AWSCompatibility
package import Auditing
internal import Foundation
internal import Synchronization

/// A key service on one's own machine that AWS's clients use by its address: a store, its Regions, and the front door.
package final class LocalKMS: Sendable {
    /// Whether it is for tests: signatures are not checked, and everything can be forgotten.
    package let isDevelopment: Bool
    package let regions: [String]
    let store: any RecordStore
    let accessKeys: any AccessKeyDirectory
    let seeds: KeySeeds?
    private let door: Mutex<AWSFrontDoor>

    /// Marks a store that development mode has made, and that it may forget.
    static let mark: RecordName = "development"

    /// Opens a store for real work, or makes it in an empty one.
    package static func open(
        store: any RecordStore, passphrase: borrowing SecretBytes, regions: [String], accounts: AccountsFile,
        clusters: [String: KeyStoreCluster] = [:], externalKeyStores transport: (any XKSTransport)? = nil,
        endpointServices: [String: XKSEndpointService] = [:], attestationRoots: [Certificate] = [],
        audit: AuditDurability = .recorded, cost: Scrypt = .standard,
        clock: any WallClock = SystemClock()
    ) async throws -> LocalKMS {
        guard try store.record(mark) == nil else {
            throw KeyManagementError(
                .wrongRootOfTrust, "the store was made in development mode, whose keys are no secret")
        }
        var services: [String: KeyManagementService] = [:]
        for region in regions {
            services[region] = try await KeyManagementService(
                store: RecordFolder(region, of: store), rootOfTrust: PassphraseRoot(passphrase.copy(), cost: cost),
                region: region, access: .directory, audit: audit, clusters: clusters, externalKeyStores: transport,
                endpointServices: endpointServices, attestationRoots: attestationRoots, clock: clock)
        }
        try KeyManagementService.connect(Array(services.values))
        for service in services.values { try await accounts.install(in: service) }
        let door = AWSFrontDoor(services: services, accessKeys: accounts.accessKeys)
        return LocalKMS(store, regions, accounts.accessKeys, door, isDevelopment: false)
    }

    init(
        _ store: any RecordStore, _ regions: [String], _ accessKeys: any AccessKeyDirectory, _ door: AWSFrontDoor,
        isDevelopment: Bool, seeds: KeySeeds? = nil
    ) {
        (self.store, self.regions, self.accessKeys, self.isDevelopment) = (store, regions, accessKeys, isDevelopment)
        self.seeds = seeds
        self.door = Mutex(door)
    }

    /// Answers a request.
    package func answer(_ request: HTTPRequest, from address: String?) async -> HTTPResponse {
        guard isDevelopment else { return await door.withLock { $0 }.answer(request, from: address) }
        // A page in a browser could reach the loopback: it cannot leave out its Origin, nor name another Host.
        guard request.header("Origin") == nil, LocalKMS.isLoopback(request.header("Host")) else {
            return HTTPResponse(status: 403)
        }
        if request.method == "POST", request.path == "/reset" {
            do {
                try await reset()
                return HTTPResponse(status: 204)
            } catch { return HTTPResponse(status: 500) }
        }
        return await door.withLock { $0 }.answer(request, from: address)
    }

    /// Answers with another front door from now on.
    func replace(_ fresh: AWSFrontDoor) { door.withLock { $0 = fresh } }
}
