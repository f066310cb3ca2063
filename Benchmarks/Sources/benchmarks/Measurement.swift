import CTwins
import Foundation

/// One comparison: ours and theirs do the same work.
struct Comparison {
    let suite: String
    let name: String
    let peer: String
    /// How many operations one call of a closure does.
    var operations = 1
    let ours: () async throws -> Void
    var theirs: () async throws -> Void = {}
    /// Where the peer is another process: has it do the work once, and returns its CPU time in nanoseconds.
    var elsewhere: (() throws -> Double)?
    /// What several cores do at once shows in the time that passes, not in the time of the processors.
    var isWallTime = false
}

/// What a comparison gave, as README.md lays it out.
struct Row: Encodable {
    let suite: String
    let name: String
    let peer: String
    let ours: Double
    let theirs: Double
    let ratioMin: Double
    let ratioMedian: Double
    let allocations: Double
    let allocationsTheirs: Double

    enum CodingKeys: String, CodingKey {
        case suite
        case name = "case"
        case peer, ours, theirs
        case ratioMin = "ratio_min"
        case ratioMedian = "ratio_median"
        case allocations
        case allocationsTheirs = "allocations_theirs"
    }
}

extension Comparison {
    /// Runs both, round by round in turn, and compares CPU time: the minimum tells the code, the median the weather.
    func measure(rounds: Int) async throws -> Row {
        let count = try await calls(for: 10_000_000)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        var (allocations, allocationsTheirs) = (0.0, 0.0)
        for _ in 0..<rounds {
            let mine = try await time(count, self.ours)
            var other = try await time(elsewhere == nil ? count : 0, self.theirs)
            if let elsewhere { other = (try elsewhere() * Double(count), 0) }
            ours.append(mine.nanoseconds / Double(count * operations))
            theirs.append(other.nanoseconds / Double(count * operations))
            (allocations, allocationsTheirs) = (
                Double(mine.allocations) / Double(count * operations),
                Double(other.allocations) / Double(count * operations)
            )
        }
        ours.sort()
        theirs.sort()
        return Row(
            suite: suite, name: name, peer: peer, ours: ours[0], theirs: theirs[0], ratioMin: ours[0] / theirs[0],
            ratioMedian: ours[ours.count / 2] / theirs[theirs.count / 2], allocations: allocations,
            allocationsTheirs: allocationsTheirs)
    }

    /// How many calls of ours take this long.
    private func calls(for nanoseconds: Double) async throws -> Int {
        _ = try await time(1, theirs)
        _ = try await time(1, ours)
        let once = try await time(3, ours).nanoseconds / 3
        return min(max(Int(nanoseconds / max(once, 1)), 1), 1_000_000)
    }

    private func time(
        _ count: Int, _ body: () async throws -> Void
    ) async throws -> (nanoseconds: Double, allocations: UInt64) {
        let allocations = twin_allocations()
        let clock = isWallTime ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID
        let start = Comparison.now(clock)
        for _ in 0..<count { try await body() }
        return (Comparison.now(clock) - start, twin_allocations() - allocations)
    }

    /// By default, the CPU time of all threads of the process.
    private static func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
