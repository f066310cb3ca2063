internal import AccessPolicy

/// A key of a ``ShardedDictionary``, which says cheaply in which of 256 shards it is.
protocol Sharded: Hashable, Sendable {
    var shard: UInt8 { get }
}

/// A dictionary of which many versions are about: a change copies one shard of many, not the whole.
struct ShardedDictionary<Key: Sharded, Value: Sendable>: Sendable, Sequence {
    private var shards: [[Key: Value]]
    private(set) var count = 0

    init() { shards = Array(repeating: [:], count: 256) }

    var isEmpty: Bool { count == 0 }

    subscript(key: Key) -> Value? {
        get { shards[Int(key.shard)][key] }
        set {
            let shard = Int(key.shard)
            let before = shards[shard].count
            shards[shard][key] = newValue
            count += shards[shard].count - before
        }
    }

    var values: some Sequence<Value> { shards.lazy.flatMap(\.values) }

    func makeIterator() -> some IteratorProtocol<(key: Key, value: Value)> {
        shards.lazy.flatMap { shard in shard.lazy.map { (key: $0.key, value: $0.value) } }.makeIterator()
    }
}

extension String: Sharded {
    /// By the last two bytes: identifiers end in random hexadecimal digits.
    var shard: UInt8 {
        let bytes = utf8Span.span
        guard bytes.count >= 2 else { return 0 }
        func digit(_ byte: UInt8) -> UInt8 { (byte & 15) &+ (byte >> 6) &* 9 & 15 }
        return digit(bytes[bytes.count - 1]) << 4 | digit(bytes[bytes.count - 2])
    }
}

extension AliasName {
    var shard: UInt8 { name.shard }
}

extension PrincipalName: Sharded {
    var shard: UInt8 { description.shard }
}

extension MaterialID {
    var shard: UInt8 { bytes[31] }
}
