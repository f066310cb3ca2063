import Cryptography
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// What keys have at hand on each core.
@Suite struct WorkplacesTests: OneStore {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    @Test func `what a key had at hand goes with it, and survives its changes`() async throws {
        let service = try await service(testRoot())
        let client = service.client(for: .user("alice", account: "111122223333"))
        let key = try await client.createKey(.symmetric)
        let sealed = try await client.encrypt([1], under: key)
        func managed() throws -> ManagedKey? { try service.refreshedState().keys["111122223333/\(key.id)"] }
        func backing() throws -> BackingKey? {
            guard let managed = try managed() else { return nil }
            let id = managed.materialID(0)
            return managed.elsewhere { $0.backing.withLock { $0[id] } }
        }
        weak let unwrapped = try backing()
        #expect(unwrapped != nil)
        try await client.updateDescription(of: KeyIdentifier(key), to: "another")
        do {
            let after = try backing()
            #expect(after != nil && after === unwrapped)
        }
        try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
        clock.advance(days: 8)
        _ = await service.maintain()
        #expect(try managed() == nil)
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await client.decrypt(sealed).count }
        #expect(unwrapped == nil)
    }

    @Test func `a number's next key finds nothing of the one before`() async throws {
        let service = try await service(testRoot())
        let client = service.client(for: .user("alice", account: "111122223333"))
        let key = try await client.createKey(.symmetric)
        let managed = try #require(try service.refreshedState().keys["111122223333/\(key.id)"])
        let places = Workplaces()
        let number = places.takeNumber()
        let made = places.working(number) { _ in ManagedKey.Working(managed, managed.policy) }
        #expect(places.first(number) { $0 } === made)
        let next = places.takeNumber(after: number) { working, _ in
            #expect(working === made)
            return ManagedKey.Working(managed, managed.policy)
        }
        let taken = try #require(places.first(next) { $0 })
        #expect(next != number && taken !== made && places.first(number) { $0 } === made)
        places.giveBack(number)
        #expect(places.first(number) { $0 } == nil)
        #expect(places.takeNumber() == number)
        #expect(places.first(number) { $0 } == nil)
        #expect(places.first(-1) { $0 } == nil && places.first(1000) { $0 } == nil)
    }

    /// A custodian's key that uses other keys when it goes, as a session does that logs out.
    private final class Parting: MessageAuthenticator {
        let tagByteCount = 32
        let tell: @Sendable () -> Void
        init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }
        deinit {
            for number in 0..<4 { _ = Workplaces.shared.first(number) { $0 } }
            tell()
        }
        func authenticate(_ message: Span<UInt8>) async throws -> Digest { try HashFunction.sha256.hash(message) }
    }

    @Test func `what goes with a key may use other keys`() async throws {
        let service = try await service(testRoot())
        let key = try await service.client(for: .user("alice", account: "111122223333")).createKey(.symmetric)
        let managed = try #require(try service.refreshedState().keys["111122223333/\(key.id)"])
        let number = Workplaces.shared.takeNumber()
        let id = managed.materialID(0)
        let isGone = Flag()
        _ = Workplaces.shared.working(number) { _ in
            let parting = Parting { isGone.raise() }
            return ManagedKey.Working(managed, managed.policy, backing: [id: BackingKey(id: id, keptBy: parting)])
        }
        #expect(!isGone.isRaised)
        Workplaces.shared.giveBack(number)
        #expect(isGone.isRaised)
    }

    private final class Flag: Sendable {
        private let state = Atomic(false)
        var isRaised: Bool { state.load(ordering: .acquiring) }
        func raise() { state.store(true, ordering: .releasing) }
    }

    @Test func `keys come, are used and go on several threads`() async throws {
        let service = try await service(testRoot())
        let client = service.client(for: .user("alice", account: "111122223333"))
        let shared = try await client.createKey(.symmetric)
        let sealed = try await client.encrypt([7], under: shared)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for round in 0..<20 {
                        let own = try await client.createKey(.symmetric)
                        let blob = try await client.encrypt([UInt8(worker)], under: own)
                        let opened = try await client.decrypt(blob)
                        #expect(opened.revealed == [UInt8(worker)])
                        let seven = try await client.decrypt(sealed)
                        #expect(seven.revealed == [7])
                        if round % 4 == worker {
                            try await client.updateDescription(of: KeyIdentifier(shared), to: "\(round)")
                        }
                        try await client.scheduleDeletion(KeyIdentifier(own), afterDays: 7)
                    }
                }
            }
            try await group.waitForAll()
        }
        clock.advance(days: 8)
        _ = await service.maintain()
        let seven = try await client.decrypt(sealed)
        #expect(seven.revealed == [7])
    }
}
