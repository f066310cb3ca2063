import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@Suite struct SecretBytesTests {
    @Test func `comparison looks at every byte and the length`() throws {
        let secret = try SecretBytes.random(count: 40)
        let isReflexive = secret == secret.copy()
        #expect(isReflexive)
        for index in 0..<40 {
            let other = SecretBytes(count: 40) { bytes in
                for position in bytes.indices { bytes[position] = secret.bytes[position] }
                bytes[index] ^= 1
            }
            let isSame = secret == other
            #expect(!isSame)
        }
        let isPrefixSame = secret == secret.slice(..<39)
        #expect(!isPrefixSame)
        let areEmptySame = SecretBytes(copying: []) == SecretBytes(copying: [])
        #expect(areEmptySame)
    }

    @Test func `a secret of any size is what was written`() throws {
        for count in [0, 1, 31, 32, 33, 63, 64, 65, 100, 4095, 4096, 4097, 70_000] {
            let pattern = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
            let secret = SecretBytes(copying: pattern)
            #expect(secret.count == count)
            #expect((0..<count).allSatisfy { secret.bytes[$0] == pattern[$0] })
        }
    }

    @Test func `slots come back zeroed`() {
        for _ in 0..<3000 {
            _ = SecretBytes(copying: [UInt8](repeating: 0xEE, count: 64))
            let fresh = SecretBytes(count: 64) { bytes in
                #expect(bytes.indices.allSatisfy { bytes[$0] == 0 })
            }
            #expect(fresh.count == 64)
        }
    }

    @Test func `an error while filling gives the slot back and is passed on`() {
        #expect(throws: CancellationError.self) {
            _ = try SecretBytes(count: 32) { bytes throws(CancellationError) in
                bytes[0] = 1
                throw CancellationError()
            }
        }
    }

    @Test func `memory is locked where the limit allows`() throws {
        let limits = try String(contentsOfFile: "/proc/self/limits", encoding: .utf8)
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max locked memory") } ?? ""
        let soft = line.split(separator: " ").dropFirst(3).first ?? ""
        guard soft == "unlimited" || Int(soft).map({ $0 >= 8 << 20 }) == true else { return }
        #expect(try SecretBytes.random(count: 32).isMemoryLocked)
    }

    @Test func `threads share the slab`() async throws {
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<500).allSatisfy { round in
                        let value = UInt8(truncatingIfNeeded: worker &* 37 &+ round)
                        let secret = SecretBytes(copying: [UInt8](repeating: value, count: 1 + round % 200))
                        return (0..<secret.count).allSatisfy { secret.bytes[$0] == value }
                    }
                }
            }
            for await isSound in group { #expect(isSound) }
        }
    }

    @Test func `random bytes do not repeat, over threads too`() async throws {
        let draws = try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
            for _ in 0..<4 {
                group.addTask { try (0..<2000).map { _ in try SystemRandom().bytes(count: 16) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(draws).count == 8000)
    }

    @Test func `long draws are random throughout`() throws {
        let bytes = try SystemRandom().bytes(count: 100_000)
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        // 390.6 expected each, standard deviation 19.7: seven of them either way.
        #expect(counts.allSatisfy { (252...529).contains($0) })
    }
}
