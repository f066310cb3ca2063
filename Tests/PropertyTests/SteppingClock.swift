import Auditing
import Foundation
import Synchronization

/// A clock that a test moves by weeks.
final class SteppingClock: WallClock {
    private let weeks = Mutex(0)
    var now: Date { Date(timeIntervalSince1970: 1_800_000_000 + Double(weeks.withLock { $0 }) * 7 * 86400) }
    var uptime: Duration { .seconds(weeks.withLock { $0 } * 7 * 86400) }
    func advanceAWeek() { weeks.withLock { $0 += 1 } }
}
