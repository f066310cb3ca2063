internal import KeyManagement
internal import Synchronization

/// Materials in memory, for one or several ``CachingMaterialsManager``s. The least recently used leave when it is full.
///
/// Managers share entries only where they have been given the same partition.
public final class MaterialsCache: Sendable {
    /// What materials were asked for.
    enum Key: Hashable, Sendable {
        case encryption(
            partition: String, suite: AlgorithmSuite, context: EncryptionContext, requiredContextNames: Set<String>)
        case decryption(partition: String, DecryptionMaterialsRequest)
    }

    enum Materials: Sendable {
        case encryption(EncryptionMaterials)
        case decryption(DecryptionMaterials)
    }

    /// How much a data key has sealed.
    struct Usage: Sendable {
        var messages: UInt64 = 0
        var bytes: UInt64 = 0

        /// The usage after one more message; nil above the limits.
        func adding(_ byteCount: Int, within limits: Usage) -> Usage? {
            let (sum, overflow) = bytes.addingReportingOverflow(UInt64(byteCount))
            guard !overflow, sum <= limits.bytes, messages < limits.messages else { return nil }
            return Usage(messages: messages + 1, bytes: sum)
        }
    }

    private struct Entry {
        let materials: Materials
        let expiry: Duration
        var usage: Usage
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var fetches: [Key: Task<Materials, any Error>] = [:]
        var uses: UInt64 = 0
        /// How often everything was taken out: what was asked for before is not kept.
        var generation = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// A cache of at most `capacity` materials, one at least.
    public init(capacity: Int = 1000) { self.capacity = max(capacity, 1) }

    /// How many materials there are.
    public var count: Int { state.withLock { $0.entries.count } }

    /// Takes everything out: for when a key has been withdrawn.
    ///
    /// A fetch that is under way answers those who wait for it, and is not kept.
    public func removeAll() {
        state.withLock { state in
            state.entries = [:]
            state.fetches = [:]
            state.generation += 1
        }
    }

    /// The materials of a key, if they are there, not expired, and have room for a message of this length, which is counted.
    func take(_ key: Key, _ byteCount: Int, at now: Duration, within limits: Usage) -> Materials? {
        state.withLock { state in
            // By its place: the key, which has a whole encryption context in it, is hashed once.
            guard let place = state.entries.index(forKey: key) else { return nil }
            let entry = state.entries.values[place]
            guard now < entry.expiry, let usage = entry.usage.adding(byteCount, within: limits) else {
                state.entries.remove(at: place)
                return nil
            }
            state.uses += 1
            state.entries.values[place].usage = usage
            state.entries.values[place].lastUse = state.uses
            return entry.materials
        }
    }

    /// Fetches a key's materials and keeps them, or waits for the fetch that another has begun.
    ///
    /// - Parameters:
    ///   - firstUse: the account after the message that they are fetched for.
    ///   - expiry: until when they may be used.
    /// - Returns: the materials where this call has fetched them; nil where another's fetch has ended.
    func fetch(
        _ key: Key, _ firstUse: Usage, expiry: Duration, _ body: @escaping @Sendable () async throws -> Materials
    ) async throws -> Materials? {
        let (task, isOwn) = state.withLock { state in
            if let running = state.fetches[key] { return (running, false) }
            let generation = state.generation
            // The fetch itself ends its entry: whoever is woken by it finds either the materials or nothing.
            let task = Task {
                do {
                    let materials = try await body()
                    self.end(key, Entry(materials: materials, expiry: expiry, usage: firstUse, lastUse: 0), generation)
                    return materials
                } catch {
                    self.end(key, nil, generation)
                    throw error
                }
            }
            state.fetches[key] = task
            return (task, true)
        }
        let materials = try await task.value
        return isOwn ? materials : nil
    }

    private func end(_ key: Key, _ entry: Entry?, _ generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            state.fetches[key] = nil
            guard var entry else { return }
            state.uses += 1
            entry.lastUse = state.uses
            state.entries[key] = entry
            guard state.entries.count > capacity else { return }
            if let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
                state.entries[oldest] = nil
            }
        }
    }
}
