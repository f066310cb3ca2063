public import Auditing
internal import Cryptography

/// Uses the keys of another manager for several messages: fewer calls of a key service, and faster small messages.
///
/// A data key serves until its time, messages or bytes are used up. Each message still has a key of its own, derived from
/// the data key with its identifier; suites without derivation go past the cache, and so do messages whose length is not
/// known beforehand. Where many ask at once for what is not there, one of them fetches it and the others wait.
/// (AWS Encryption SDK specification, framework/caching-cmm.)
///
/// What is cached outlives its permission: a key that is disabled, or a policy that is narrowed, shows after the time to
/// live. ``MaterialsCache/removeAll()`` makes it show at once.
public struct CachingMaterialsManager: CryptographicMaterialsManager {
    private let inner: any CryptographicMaterialsManager
    private let cache: MaterialsCache
    private let timeToLive: Duration
    private let partition: String
    private let limits: MaterialsCache.Usage
    private let clock: any WallClock

    /// Stands around another manager.
    ///
    /// - Parameters:
    ///   - inner: provides what is not there.
    ///   - cache: where materials are kept.
    ///   - timeToLive: how long materials may be used.
    ///   - messageLimit: how many messages a data key seals, 1 to 2^32.
    ///   - byteLimit: how many bytes a data key seals, 1 to 2^63 - 1.
    ///   - partition: managers of one cache with the same partition share entries; by default nobody does.
    ///   - clock: its uptime tells the age of entries.
    /// - Throws: `invalidKeyring` for limits out of bounds.
    public init(
        _ inner: any CryptographicMaterialsManager, cache: MaterialsCache = MaterialsCache(), timeToLive: Duration,
        messageLimit: UInt64 = 1 << 32, byteLimit: UInt64 = UInt64(Int64.max), partition: String? = nil,
        clock: any WallClock = SystemClock()
    ) throws {
        guard timeToLive > .zero, (1...(1 << 32)).contains(messageLimit), (1...UInt64(Int64.max)).contains(byteLimit)
        else { throw EnvelopeError(.invalidKeyring, "limits of a cache out of bounds") }
        self.inner = inner
        self.cache = cache
        self.timeToLive = timeToLive
        self.partition = try partition ?? Hexadecimal.encode(SystemRandom().bytes(count: 16))
        limits = MaterialsCache.Usage(messages: messageLimit, bytes: byteLimit)
        self.clock = clock
    }

    /// Materials of the cache, or new ones.
    public func encryptionMaterials(for request: EncryptionMaterialsRequest) async throws -> EncryptionMaterials {
        guard request.suite.derivesKeys, let count = request.plaintextByteCount,
            let firstUse = MaterialsCache.Usage().adding(count, within: limits)
        else { return try await inner.encryptionMaterials(for: request) }
        let key = MaterialsCache.Key.encryption(
            partition: partition, suite: request.suite, context: request.context,
            requiredContextNames: request.requiredContextNames)
        if case .encryption(let known)? = cache.take(key, count, at: clock.uptime, within: limits) { return known }
        let materials = try await materials(key, count, firstUse) { [inner, limits] in
            var request = request
            request.plaintextByteCount = Int(clamping: limits.bytes)
            return .encryption(try await inner.encryptionMaterials(for: request))
        }
        guard case .encryption(let materials) = materials else { throw EnvelopeError(.invalidKeyring) }
        return materials
    }

    /// Materials of the cache, or new ones.
    public func decryptionMaterials(for request: DecryptionMaterialsRequest) async throws -> DecryptionMaterials {
        guard request.suite.derivesKeys else { return try await inner.decryptionMaterials(for: request) }
        let key = MaterialsCache.Key.decryption(partition: partition, request)
        let materials = try await materials(key, 0, MaterialsCache.Usage()) { [inner] in
            .decryption(try await inner.decryptionMaterials(for: request))
        }
        guard case .decryption(let materials) = materials else { throw EnvelopeError(.invalidKeyring) }
        return materials
    }

    private func materials(
        _ key: MaterialsCache.Key, _ byteCount: Int, _ firstUse: MaterialsCache.Usage,
        _ fetch: @escaping @Sendable () async throws -> MaterialsCache.Materials
    ) async throws -> MaterialsCache.Materials {
        // Opening has no limit but time.
        let limits = firstUse.messages == 0 ? MaterialsCache.Usage(messages: .max, bytes: .max) : limits
        while true {
            if let known = cache.take(key, byteCount, at: clock.uptime, within: limits) { return known }
            // The time to live begins before the fetch: what a slow key service answers is not younger than the question.
            let expiry = clock.uptime + timeToLive
            if let fetched = try await cache.fetch(key, firstUse, expiry: expiry, fetch) { return fetched }
            try Task.checkCancellation()
        }
    }
}
