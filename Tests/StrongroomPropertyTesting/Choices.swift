/// The random decisions behind one generated value, drawn anew or replayed.
///
/// A value is a function of its choices, so shrinking the list of choices shrinks any value, dependent ones too, without a
/// shrinker for each type (the idea of Hypothesis). Zero is always the simplest choice.
package struct Choices: Sendable {
    /// What has been drawn so far.
    package private(set) var drawn: [UInt64] = []

    private let replay: [UInt64]?
    private var generator: SeededGenerator

    /// Draws from a seed.
    package init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        replay = nil
    }

    /// Replays recorded choices; where they end, the simplest choice follows.
    package init(replaying choices: [UInt64]) {
        generator = SeededGenerator(seed: 0)
        replay = choices
    }

    /// A number from 0 to `bound`, both included.
    package mutating func draw(upTo bound: UInt64) -> UInt64 {
        let choice: UInt64
        if let replay {
            choice = drawn.count < replay.count ? min(replay[drawn.count], bound) : 0
        } else {
            choice = bound == .max ? generator.next() : generator.next() % (bound + 1)
        }
        drawn.append(choice)
        return choice
    }
}
