internal import Cryptography

/// A hash of a set that members enter and leave one by one, and the number of its members.
struct SetHash: Equatable {
    private var lanes: InlineArray<8, UInt32> = .init(repeating: 0)
    private var count: UInt64 = 0

    init() {}

    init?(_ bytes: Span<UInt8>) {
        guard bytes.count == 40 else { return nil }
        for index in 0..<32 { lanes[index / 4] = lanes[index / 4] << 8 | UInt32(bytes[index]) }
        for index in 32..<40 { count = count << 8 | UInt64(bytes[index]) }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for index in lanes.indices { bytes.appendBigEndian(lanes[index]) }
        bytes.appendBigEndian(count)
        return bytes
    }

    mutating func add(_ member: Digest) {
        for lane in 0..<8 { lanes[lane] &+= SetHash.word(member, lane) }
        count &+= 1
    }

    mutating func remove(_ member: Digest) {
        for lane in 0..<8 { lanes[lane] &-= SetHash.word(member, lane) }
        count &-= 1
    }

    private static func word(_ member: Digest, _ lane: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 8 | UInt32(member.bytes[lane * 4 + $1]) }
    }

    static func == (left: SetHash, right: SetHash) -> Bool { left.bytes == right.bytes }
}
