public import FoundationEssentials

/// What time it is. Passed in everywhere, so that a test runs a year in a second.
public protocol WallClock: Sendable {
    /// The time now.
    var now: Date { get }
}

/// The system's clock.
public struct SystemClock: WallClock {
    /// It has no state.
    public init() {}

    /// The time now.
    public var now: Date { Date() }
}
