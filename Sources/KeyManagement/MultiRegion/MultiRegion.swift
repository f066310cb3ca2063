internal import Synchronization

/// A key that is in several Regions, as one of them sees it.
public struct MultiRegionConfiguration: Sendable, Hashable {
    /// Whether this is the primary key, which is rotated and replicated.
    public let isPrimary: Bool
    /// The Region of the primary key.
    public let primaryRegion: String
    /// The Regions of its replicas, sorted.
    public let replicaRegions: [String]
}

extension KeyRecord {
    /// A key's place among its relatives of other Regions.
    struct MultiRegion: Codable, Sendable, Equatable {
        var primary: String
        /// The Regions of the replicas, sorted.
        var replicas: [String]
        /// Counts changes of the primary: where two Regions differ, the later one is right.
        var epoch: Int
    }

    /// Whether it gets its material from another Region.
    func isReplica(in region: String) -> Bool { multiRegion.map { $0.primary != region } ?? false }

    /// Whether it waits for its deletion, or for its replicas'.
    var isPendingDeletion: Bool { deletion != nil || pendingWindow != nil }

    func multiRegionConfiguration(in region: String) -> MultiRegionConfiguration? {
        multiRegion.map {
            MultiRegionConfiguration(
                isPrimary: $0.primary == region, primaryRegion: $0.primary, replicaRegions: $0.replicas)
        }
    }
}

/// The services of other Regions, which live as long as whoever made them.
final class ConnectedRegions: Sendable {
    private struct Peer: Sendable {
        weak let service: KeyManagementService?
    }

    private let peers = Mutex([String: Peer]())

    func connect(_ service: KeyManagementService) {
        peers.withLock { $0[service.scope.region] = Peer(service: service) }
    }

    subscript(region: String) -> KeyManagementService? { peers.withLock { $0[region]?.service } }
}

extension KeyManagementService {
    /// Lets services of several Regions replicate keys to each other. Each lives as long as its owner keeps it.
    ///
    /// - Throws: `validation` where two are of one Region, or of different partitions.
    public static func connect(_ services: [KeyManagementService]) throws(KeyManagementError) {
        guard Set(services.map(\.scope.region)).count == services.count, Set(services.map(\.scope.partition)).count <= 1
        else {
            throw KeyManagementError(
                .validation, "connected services are of one partition, and each of a Region of its own")
        }
        for service in services {
            for peer in services where peer !== service { service.peers.connect(peer) }
        }
    }

    func peer(_ region: String) throws(KeyManagementError) -> KeyManagementService {
        guard let peer = peers[region] else {
            throw KeyManagementError(.validation, "There is no Region \(region) connected here.")
        }
        return peer
    }
}
