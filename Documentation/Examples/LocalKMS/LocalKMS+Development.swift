package import AWSCompatibility
internal import Foundation

extension LocalKMS {
    /// Opens a store for tests: in memory, or one that this mode has made.
    package static func develop(
        store: any RecordStore = MemoryRecordStore(), regions: [String],
        accessKeys: any AccessKeyDirectory = StaticAccessKeys(), seeds: KeySeeds? = nil
    ) async throws -> LocalKMS {
        let isEmpty = try store.records(prefix: "", after: nil, limit: 1).isEmpty
        guard try isEmpty || store.record(mark) != nil else {
            throw KeyManagementError(.wrongRootOfTrust, "development mode opens no store but its own")
        }
        if isEmpty { try begin(store) }
        let door = try await frontDoor(store, regions, accessKeys, seeds)
        return LocalKMS(store, regions, accessKeys, door, isDevelopment: true, seeds: seeds)
    }

    /// Forgets everything. What is written for a request that is under way goes where nobody looks.
    func reset() async throws {
        try LocalKMS.begin(store)
        var last: RecordName?
        let current = try LocalKMS.folder(store)
        while case let page = try store.records(prefix: "", after: last, limit: 500), !page.isEmpty {
            last = page.last?.name
            let old = page.filter { $0.name != LocalKMS.mark && !$0.name.description.hasPrefix(current) }
            _ = try store.commit(old.map { .delete($0.name, expecting: .anything) })
        }
        replace(try await LocalKMS.frontDoor(store, regions, accessKeys, seeds))
    }

    /// Begins anew in a folder of its own, whose name the mark has.
    private static func begin(_ store: any RecordStore) throws {
        _ = try store.commit([.put(mark, Array(UUID().uuidString.utf8), expecting: .anything)])
    }

    private static func folder(_ store: any RecordStore) throws -> String {
        String(decoding: try store.record(mark)?.value ?? [], as: UTF8.self)
    }

    private static func frontDoor(
        _ store: any RecordStore, _ regions: [String], _ accessKeys: any AccessKeyDirectory, _ seeds: KeySeeds?
    ) async throws -> AWSFrontDoor {
        let folder = try folder(store)
        var services: [String: KeyManagementService] = [:]
        for region in regions {
            // No secret: whoever has such a store has its keys.
            let root = try KeyFileRoot(key: SecretBytes(copying: [UInt8](repeating: 0, count: 32)))
            services[region] = try await KeyManagementService(
                store: RecordFolder("\(folder)/\(region)", of: store), rootOfTrust: root, region: region,
                audit: .buffered(lossWindow: .milliseconds(100)))
        }
        try KeyManagementService.connect(Array(services.values))
        if let seeds { for service in services.values { try await service.plant(seeds) } }
        return AWSFrontDoor(services: services, accessKeys: accessKeys, mode: .development)
    }

    static func isLoopback(_ host: String?) -> Bool {
        guard let host else { return false }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        return ["localhost", "127.0.0.1", "::1"].contains(name)
    }
}
