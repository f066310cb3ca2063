import StrongroomPropertyTesting
import Testing

/// The property tester on properties whose simplest counterexamples are known.
@Suite struct ShrinkingTests {
    @Test func `counterexamples shrink to the simplest`() async throws {
        let numbers = Generator.int(in: 0...1000).array(upTo: 40)
        let reversed = await check(numbers) { try require(Array($0.reversed()) == $0) }
        #expect(reversed?.value == "[0, 1]")
        let large = await check(numbers) { try require($0.allSatisfy { $0 < 900 }) }
        #expect(large?.value == "[900]")
        let dependent = await check(Generator.int(in: 1...9).flatMap { Generator.int(in: 0...($0 * 10)) }) {
            try require($0 < 25)
        }
        #expect(dependent?.value == "25")
    }

    @Test func `what holds is not falsified, and choices replay`() async throws {
        let bytes = Generator.bytes(.length(upTo: 100))
        #expect(await check(bytes) { try require($0.count <= 100) } == nil)
        let found = try #require(await check(bytes) { try require($0.count < 17) })
        let again = await check(bytes, replaying: found.choices) { try require($0.count < 17) }
        #expect(again?.value == found.value)
    }
}
