import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// Clients of two services on one store, at once: what they saw and did is what one after the other could have seen and done.
@Suite struct LinearizabilityTests {
    /// Something that somebody did with a description, from when until when.
    struct Step: Sendable {
        let isWrite: Bool
        let value: String
        let begin, end: ContinuousClock.Instant
    }

    @Test func `what concurrent clients see of a key is one history`() async throws {
        for round in 0..<15 {
            let store = MemoryRecordStore()
            let services = [
                try await KeyManagementService(store: store, rootOfTrust: testRoot()),
                try await KeyManagementService(store: store, rootOfTrust: testRoot()),
            ]
            let clients = services.map { $0.client(for: .user("admin", account: "111122223333")) }
            let id = KeyIdentifier(try await clients[0].createKey(.symmetric, description: "first"))
            let steps = try await withThrowingTaskGroup(of: [Step].self) { group in
                for worker in 0..<4 {
                    let client = clients[worker % 2]
                    group.addTask { try await Self.work(on: id, through: client, naming: "\(round)-\(worker)") }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Self.isOneHistory(steps, from: "first"), "round \(round): \(steps)")
        }
        // The search itself finds what is none.
        let now = ContinuousClock.now
        func step(_ isWrite: Bool, _ value: String, _ begin: Int, _ end: Int) -> Step {
            Step(isWrite: isWrite, value: value, begin: now + .seconds(begin), end: now + .seconds(end))
        }
        #expect(!Self.isOneHistory([step(true, "a", 0, 1), step(false, "first", 2, 3)], from: "first"))
        #expect(Self.isOneHistory([step(true, "a", 0, 3), step(false, "first", 1, 2)], from: "first"))
        let back = [step(true, "a", 0, 9), step(false, "a", 1, 2), step(false, "first", 3, 4)]
        #expect(!Self.isOneHistory(back, from: "first"))
    }

    private static func work(
        on id: KeyIdentifier, through client: KeyManagementClient, naming name: String
    ) async throws -> [Step] {
        var steps: [Step] = []
        for number in 0..<6 {
            let begin = ContinuousClock.now
            let isWrite = Bool.random()
            var value = "\(name)-\(number)"
            if isWrite {
                try await client.updateDescription(of: id, to: value)
            } else {
                value = try await client.describe(id).description
            }
            steps.append(Step(isWrite: isWrite, value: value, begin: begin, end: .now))
        }
        return steps
    }

    /// Whether some order of the steps, in which none comes before one that ended before it began, explains what was read (Wing and
    /// Gong, 1993).
    static func isOneHistory(_ steps: [Step], from value: String) -> Bool {
        var seen: Set<[Int]> = []
        func search(_ left: Set<Int>, _ value: String, _ last: Int) -> Bool {
            guard !left.isEmpty else { return true }
            guard seen.insert(left.sorted() + [-1, last]).inserted else { return false }
            guard let earliestEnd = left.map({ steps[$0].end }).min() else { return true }
            for index in left where steps[index].begin <= earliestEnd {
                let step = steps[index]
                if step.isWrite {
                    if search(left.subtracting([index]), step.value, index) { return true }
                } else if step.value == value, search(left.subtracting([index]), value, last) {
                    return true
                }
            }
            return false
        }
        return search(Set(steps.indices), value, -2)
    }
}
