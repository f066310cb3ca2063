internal import Foundation
package import Testing

/// How a property failed, in its simplest form, with the choices that make it again.
package struct Falsified: Error, CustomStringConvertible {
    package let value: String
    package let reason: String
    package let choices: [UInt64]
    package let seed: UInt64

    package var description: String {
        "falsified by \(value): \(reason). Replay: forAll(…, replaying: \(choices)); seed \(seed)"
    }
}

/// A statement about a value that turned out false.
package struct Untrue: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// States something inside a property.
package func require(_ isTrue: Bool, _ statement: @autoclosure () -> String = "a statement is untrue") throws {
    if !isTrue { throw Untrue(statement()) }
}

/// Checks a property of many generated values; the simplest counterexample is recorded as an issue.
///
/// The seed is fixed, so that a run can be repeated, unless PROPERTY_SEED gives another; PROPERTY_COUNT multiplies the
/// number of cases.
package func forAll<Value: Sendable>(
    _ generator: Generator<Value>, count: Int = 200, replaying replay: [UInt64]? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ property: @escaping @Sendable (Value) async throws -> Void
) async {
    let result = await check(generator, count: count, replaying: replay, property)
    if let result { Issue.record(result, sourceLocation: sourceLocation) }
}

/// Checks a property and returns its simplest counterexample.
package func check<Value: Sendable>(
    _ generator: Generator<Value>, count: Int = 200, replaying replay: [UInt64]? = nil,
    _ property: @escaping @Sendable (Value) async throws -> Void
) async -> Falsified? {
    let environment = ProcessInfo.processInfo.environment
    let seed = environment["PROPERTY_SEED"].flatMap { UInt64($0) } ?? 20_260_101
    let total = count * (environment["PROPERTY_COUNT"].flatMap { Int($0) } ?? 1)
    @Sendable func failure(_ start: Choices) async -> (choices: [UInt64], value: String, reason: String)? {
        var choices = start
        guard let value = generator.run(&choices) else { return nil }
        do {
            try await property(value)
            return nil
        } catch {
            return (choices.drawn, String(describing: value).prefix(500).description, "\(error)")
        }
    }
    for index in 0..<(replay == nil ? total : 1) {
        let start = replay.map { Choices(replaying: $0) } ?? Choices(seed: seed &+ UInt64(index) &* 0x1_0000_0001)
        guard let found = await failure(start) else { continue }
        var shrinker = Shrinker(found.choices) { candidate in
            await failure(Choices(replaying: candidate))?.choices
        }
        await shrinker.run()
        let simplest = await failure(Choices(replaying: shrinker.best)) ?? found
        return Falsified(value: simplest.value, reason: simplest.reason, choices: simplest.choices, seed: seed)
    }
    return nil
}
