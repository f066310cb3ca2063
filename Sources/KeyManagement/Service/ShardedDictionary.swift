/// A dictionary of which many versions are about: a change copies one shard of many, not the whole.
struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable, Sequence {
    private static var shardCount: Int { 256 }

    private var shards: [[Key: Value]]
    private(set) var count = 0

    init() { shards = Array(repeating: [:], count: ShardedDictionary.shardCount) }

    var isEmpty: Bool { count == 0 }

    subscript(key: Key) -> Value? {
        get { shards[ShardedDictionary.shard(key)][key] }
        set {
            let shard = ShardedDictionary.shard(key)
            let before = shards[shard].count
            shards[shard][key] = newValue
            count += shards[shard].count - before
        }
    }

    var values: some Sequence<Value> { shards.lazy.flatMap(\.values) }

    func makeIterator() -> some IteratorProtocol<(key: Key, value: Value)> {
        shards.lazy.flatMap { shard in shard.lazy.map { (key: $0.key, value: $0.value) } }.makeIterator()
    }

    /// The bits above those by which a dictionary finds its own place.
    private static func shard(_ key: Key) -> Int { Int(UInt(bitPattern: key.hashValue) >> 48) % shardCount }
}
