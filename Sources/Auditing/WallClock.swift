public import FoundationEssentials

/// What time it is. Passed in everywhere, so that a test runs a year in a second.
public protocol WallClock: Sendable {
    /// The time now. Somebody may set it, back or forth.
    var now: Date { get }

    /// How long since some moment of this process, counting sleep too. It never goes back, and nobody sets it.
    var uptime: Duration { get }
}

/// The system's clock.
public struct SystemClock: WallClock {
    private static let start = ContinuousClock.now

    /// It has no state.
    public init() {}

    /// The time now.
    public var now: Date { Date() }

    /// How long since the first look.
    public var uptime: Duration { ContinuousClock.now - SystemClock.start }
}
