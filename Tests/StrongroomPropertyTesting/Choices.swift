/// The random decisions behind one generated value, drawn anew or replayed.
///
/// A value is a function of its choices, so shrinking the list of choices shrinks any value, dependent ones too, without a
/// shrinker for each type (the idea of Hypothesis). Zero is always the simplest choice.
package struct Choices: Sendable {
    /// What has been drawn so far.
    package private(set) var drawn: [UInt64] = []

    private let replay: [UInt64]?
    private var state: UInt64

    /// Draws from a seed.
    package init(seed: UInt64) {
        state = seed
        replay = nil
    }

    /// Replays recorded choices; where they end, the simplest choice follows.
    package init(replaying choices: [UInt64]) {
        state = 0
        replay = choices
    }

    /// A number from 0 to `bound`, both included.
    package mutating func draw(upTo bound: UInt64) -> UInt64 {
        let choice: UInt64
        if let replay {
            choice = drawn.count < replay.count ? min(replay[drawn.count], bound) : 0
        } else {
            choice = bound == .max ? next() : next() % (bound + 1)
        }
        drawn.append(choice)
        return choice
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
