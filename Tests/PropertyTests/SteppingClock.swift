import Auditing
import Foundation
import Synchronization

/// A clock that a test moves by weeks.
final class SteppingClock: WallClock {
    private let time = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
    var now: Date { time.withLock { $0 } }
    func advanceAWeek() { time.withLock { $0 += 7 * 86400 } }
}
