internal import Synchronization

/// What a site counts.
package final class SiteStatistics: Sendable {
    /// The numbers at one moment.
    package struct Counts: Sendable {
        /// Certificates that were issued while it ran.
        package var certificates = 1
        /// Handshakes that were finished.
        package var handshakes = 0
        /// Of those, sessions that went on.
        package var resumed = 0
        /// Signatures of the HSM's key for handshakes.
        package var signatures = 0
        /// Connections that are open.
        package var connections = 0
    }

    /// When it began.
    package let start = ContinuousClock.now

    private let current = Mutex(Counts())

    /// The numbers now.
    package var counts: Counts { current.withLock { $0 } }

    func note(_ change: (inout Counts) -> Void) { current.withLock { change(&$0) } }
}
