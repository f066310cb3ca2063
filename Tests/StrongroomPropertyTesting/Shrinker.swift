/// Looks for simpler choices that still fail: shorter lists first, then smaller numbers.
struct Shrinker {
    /// Whether these choices still fail, and the choices that were really drawn.
    let fails: @Sendable ([UInt64]) async -> [UInt64]?
    private(set) var best: [UInt64]
    private(set) var tries = 0

    private static let limit = 2000

    init(_ failing: [UInt64], fails: @escaping @Sendable ([UInt64]) async -> [UInt64]?) {
        best = failing
        self.fails = fails
    }

    mutating func run() async {
        while tries < Shrinker.limit {
            let before = best
            for size in [64, 16, 8, 4, 3, 2, 1] { await deleteBlocks(of: size) }
            await lower()
            await moveWeight()
            if best == before { return }
        }
    }

    private mutating func attempt(_ candidate: [UInt64]) async -> Bool {
        guard tries < Shrinker.limit, Shrinker.isSimpler(candidate, best) else { return false }
        tries += 1
        guard let drawn = await fails(candidate), Shrinker.isSimpler(drawn, best) else { return false }
        best = drawn
        return true
    }

    private mutating func deleteBlocks(of size: Int) async {
        var start = best.count - size
        while start >= 0 {
            if start + size <= best.count {
                var candidate = best
                candidate.removeSubrange(start..<(start + size))
                _ = await attempt(candidate)
            }
            start -= 1
        }
    }

    /// Each choice by binary search, once zero has been refused.
    private mutating func lower() async {
        var index = 0
        while index < best.count {
            var candidate = best
            candidate[index] = 0
            if await attempt(candidate) == false {
                var (low, high) = (UInt64(0), index < best.count ? best[index] : 0)
                while low + 1 < high, index < best.count {
                    let middle = low + (high - low) / 2
                    candidate = best
                    candidate[index] = middle
                    if await attempt(candidate) { high = middle } else { low = middle }
                }
            }
            index += 1
        }
    }

    /// Takes from one choice and gives to a later one: a sum stays, with less in front.
    private mutating func moveWeight() async {
        for distance in 1...3 where distance < best.count {
            for index in 0..<(best.count - distance) where index + distance < best.count {
                var candidate = best
                let (sum, overflow) = candidate[index].addingReportingOverflow(candidate[index + distance])
                guard !overflow else { continue }
                (candidate[index], candidate[index + distance]) = (0, sum)
                _ = await attempt(candidate)
            }
        }
    }

    /// Shortlex: shorter first, then the first smaller number.
    private static func isSimpler(_ left: [UInt64], _ right: [UInt64]) -> Bool {
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }
}
