import Auditing
package import Foundation
import Synchronization

/// A clock that a test moves.
package final class MovableClock: WallClock {
    private let time: Mutex<(now: Date, uptime: Duration)>

    package init(_ start: Date = Date(timeIntervalSince1970: 1_800_000_000)) { time = Mutex((start, .zero)) }

    package var now: Date { time.withLock { $0.now } }
    package var uptime: Duration { time.withLock { $0.uptime } }

    /// Time goes by.
    package func advance(_ duration: Duration) {
        time.withLock { time in
            time.now += duration / .seconds(1)
            time.uptime += duration
        }
    }

    /// Days go by.
    package func advance(days: Double) { advance(.seconds(days * 86400)) }

    /// Somebody sets the clock, back or forth.
    package func jump(days: Double) { time.withLock { $0.now += days * 86400 } }
}
