import Foundation
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// A day of traffic, by a clock that moves, through a store that is slow, fails, tears and goes away. Whatever is refused is refused by a
/// typed error, whatever was acknowledged stays, and the model knows all that can be.
@Suite struct BadDayTests {
    static let seed = UInt64(ProcessInfo.processInfo.environment["PROPERTY_SEED"] ?? "") ?? .random(in: 0...UInt64.max)

    @Test func `after a day of bad weather everything is as it was acknowledged`() async throws {
        print("seed \(Self.seed)")
        var random = SeededGenerator(seed: Self.seed)
        let (store, clock) = (UnreliableStore(seed: Self.seed), MovableClock())
        var services: [KeyManagementService] = []
        for _ in 0..<2 {
            services.append(
                try await KeyManagementService(store: store, rootOfTrust: testRoot(), audit: .recorded, clock: clock))
        }
        var day = try await Day(services, seed: Self.seed)
        for minute in 0..<1440 {
            clock.advance(days: 1 / 1440)
            if minute % 15 == 0 { store.weather = .allCases.randomElement(using: &random) ?? .fine }
            if minute % 60 == 59 {
                // Nothing is due that changes a key; what cannot be done is said.
                for failure in await services[minute / 60 % 2].maintain().failures {
                    #expect(Day.weather.contains(failure.code), "\(failure)")
                }
            }
            if store.weather == .disconnected {
                await day.expectNothing()
            } else {
                for _ in 0..<3 { try await day.step() }
            }
        }
        store.weather = .fine
        let service = try await KeyManagementService(
            store: store, rootOfTrust: testRoot(), audit: .recorded, clock: clock)
        try await day.check(service)
        for other in services { try await day.check(other) }
        #expect(try await service.verifyAuditTrail(unlockedBy: testRoot()).isSound)
        print("\(day.refusals) refused, done: \(day.acknowledged)")
        #expect(day.refusals > 50 && day.acknowledged.values.reduce(0, +) > 300, "\(day.refusals) \(day.acknowledged)")
    }
}

/// The traffic, and what it may have come to.
private struct Day {
    /// How a key may be.
    struct Facts: Hashable {
        var isEnabled = true
        var isPending = false
        var isGranted = false
        var materials = 1

        func setting<V>(_ path: WritableKeyPath<Facts, V>, _ value: V) -> Facts {
            var facts = self
            facts[keyPath: path] = value
            return facts
        }

        var isUsable: Bool { isEnabled && !isPending }
    }

    static let weather: Set<KeyManagementError.Code> = [.storeFailure, .auditFailure, .conflict]

    let clients: [KeyManagementClient]
    let partners: [KeyManagementClient]
    let keys: [Key<Encryption>]
    /// All that each key may be, since an operation that failed may have happened.
    var facts: [Set<Facts>]
    /// The same of aliases: the place of the key that they stand for.
    var aliases: [Set<Int?>]
    var sealed: [(key: Int, text: UInt8, blob: Ciphertext)] = []
    var acknowledged: [String: Int] = [:]
    var refusals = 0
    var random: SeededGenerator

    init(_ services: [KeyManagementService], seed: UInt64) async throws {
        random = SeededGenerator(seed: seed ^ 1)
        clients = services.map { $0.client(for: .user("alice", account: "111122223333")) }
        partners = services.map { $0.client(for: .user("bob", account: "444455556666")) }
        var keys: [Key<Encryption>] = []
        for _ in 0..<4 { keys.append(try await clients[0].createKey(.symmetric)) }
        self.keys = keys
        facts = keys.map { _ in [Facts()] }
        aliases = [[nil], [nil], [nil]]
    }

    /// One operation of somebody.
    mutating func step() async throws {
        let side = Int.random(in: 0...1, using: &random)
        let (client, place) = (clients[side], Int.random(in: keys.indices, using: &random))
        let (key, id) = (keys[place], KeyIdentifier(keys[place]))
        // Who has just looked is not behind: encryption alone may be, by a quarter of a second.
        guard (try? await client.describe(id)) != nil else { return refusals += 1 }
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            try settle(place, await attempt("EnableKey") { try await client.enable(id) }) {
                $0.isPending ? nil : $0.setting(\.isEnabled, true)
            }
        case 1:
            try settle(place, await attempt("DisableKey") { try await client.disable(id) }) {
                $0.isPending ? nil : $0.setting(\.isEnabled, false)
            }
        case 2:
            try settle(place, await attempt("RotateKeyOnDemand") { try await client.rotate(id) }) {
                $0.isUsable && $0.materials <= 25 ? $0.setting(\.materials, $0.materials + 1) : nil
            }
        case 3:
            // Now and then: a key that waits for it does nothing else.
            guard Int.random(in: 0...3, using: &random) == 0 else { return }
            try settle(place, await attempt("ScheduleKeyDeletion") { try await client.scheduleDeletion(id) }) {
                $0.isPending ? nil : $0.setting(\.isPending, true)
            }
        case 4:
            try settle(place, await attempt("CancelKeyDeletion") { try await client.cancelDeletion(id) }) {
                $0.isPending ? $0.setting(\.isPending, false).setting(\.isEnabled, false) : nil
            }
        case 5: try await grant(client, place)
        case 6: try await useAlias(client, place)
        case 7, 8:
            guard let entry = sealed.randomElement(using: &random) else { return }
            let partner = partners[side]
            try settle(
                entry.key,
                await attempt("Decrypt") {
                    guard try await partner.decrypt(entry.blob).revealed == [entry.text] else {
                        throw Untrue("content")
                    }
                }
            ) { $0.isUsable && $0.isGranted ? $0 : nil }
        default:
            let text = UInt8.random(in: 0...255, using: &random)
            let result = await attempt("Encrypt") { try await client.encrypt([text], under: key) }
            if case .success(let blob) = result { sealed.append((place, text, blob)) }
            try settle(place, result) { $0.isUsable ? $0 : nil }
        }
    }

    private mutating func grant(_ client: KeyManagementClient, _ place: Int) async throws {
        let id = KeyIdentifier(keys[place])
        let bob = try PrincipalName("arn:aws:iam::444455556666:user/bob")
        let made = await attempt("CreateGrant") {
            try await client.createGrant(on: id, to: bob, allowing: [.decrypt], name: "bob").grant.id
        }
        try settle(place, made) { $0.isUsable ? $0.setting(\.isGranted, true) : nil }
        guard case .success(let grant) = made, Bool.random(using: &random) else { return }
        try settle(place, await attempt("RevokeGrant") { try await client.revokeGrant(grant, on: id) }) {
            $0.setting(\.isGranted, false)
        }
    }

    private mutating func useAlias(_ client: KeyManagementClient, _ place: Int) async throws {
        let number = Int.random(in: aliases.indices, using: &random)
        let (alias, id) = ("alias/day-\(number)", KeyIdentifier(keys[place]))
        let kind = Int.random(in: 0...2, using: &random)
        let result = await attempt(["CreateAlias", "UpdateAlias", "DeleteAlias"][kind]) {
            switch kind {
            case 0: try await client.createAlias(alias, for: id)
            case 1: try await client.updateAlias(alias, to: id)
            default: try await client.deleteAlias(alias)
            }
        }
        if kind < 2, case .failure(let error as KeyManagementError) = result, error.code == .invalidState {
            // It is the key that was refused.
            return try settle(place, result) { $0.isPending ? nil : $0 }
        }
        try settle(&aliases[number], result) { old in
            switch kind {
            case 0: old == nil ? .some(place) : nil
            case 1: old == nil ? nil : .some(place)
            default: old == nil ? nil : .some(nil)
            }
        }
    }

    /// Nothing is done while nothing can be recorded, whatever is known by heart.
    mutating func expectNothing() async {
        let (client, key) = (clients[refusals % 2], keys[refusals % keys.count])
        await #expect(throws: KeyManagementError.self) { _ = try await client.encrypt([1], under: key) }
        await #expect(throws: KeyManagementError.self) { _ = try await client.describe(KeyIdentifier(key)) }
        if let entry = sealed.first {
            await #expect(throws: KeyManagementError.self) { _ = try await client.decrypt(entry.blob) }
        }
        refusals += 1
    }

    private mutating func attempt<R>(
        _ name: String, _ body: () async throws -> R
    ) async -> Result<R, any Error> {
        do {
            let result = try await body()
            acknowledged[name, default: 0] += 1
            return .success(result)
        } catch {
            refusals += 1
            return .failure(error)
        }
    }

    private mutating func settle<R>(
        _ place: Int, _ result: Result<R, any Error>, _ effect: (Facts) -> Facts?
    ) throws { try settle(&facts[place], result, effect) }

    /// What may be after an operation, of all that may have been before.
    private func settle<R, F: Hashable>(
        _ possible: inout Set<F>, _ result: Result<R, any Error>, _ effect: (F) -> F?
    ) throws {
        let before = possible
        switch result {
        case .success: possible = Set(before.compactMap(effect))
        case .failure(let error as KeyManagementError) where Day.weather.contains(error.code):
            possible = before.union(before.compactMap(effect))
        case .failure(let error as KeyManagementError):
            possible = before.filter { effect($0) == nil }
            try require(!possible.isEmpty, "\(error) in \(before)")
        case .failure(let error): throw error
        }
        try require(!possible.isEmpty, "\(result) in \(before)")
    }

    /// In fine weather there is one truth, which was possible.
    mutating func check(_ service: KeyManagementService) async throws {
        let client = service.client(for: .user("alice", account: "111122223333"))
        for (place, key) in keys.enumerated() {
            let metadata = try await client.describe(KeyIdentifier(key))
            let grants = try await client.grants(on: KeyIdentifier(key))
            let isPending = metadata.state == .pendingDeletion
            facts[place] = facts[place].filter {
                $0.isPending == isPending && $0.materials == metadata.materials.count
                    && $0.isGranted == !grants.isEmpty && (isPending || $0.isEnabled == (metadata.state == .enabled))
            }
            #expect(!facts[place].isEmpty, "\(metadata)")
            if metadata.state == .enabled {
                for entry in sealed where entry.key == place {
                    #expect(try await client.decrypt(entry.blob).revealed == [entry.text])
                }
            }
        }
        let entries = try await client.listAliases()
        for number in aliases.indices {
            let target = entries.first { $0.name == "alias/day-\(number)" }?.target
            let place = target.flatMap { target in keys.firstIndex { $0.arn.resource.hasSuffix(target) } }
            aliases[number] = aliases[number].filter { $0 == place }
            #expect(!aliases[number].isEmpty, "\(number) stands for \(place as Any)")
        }
        let events = try await service.auditEvents()
        for (name, count) in acknowledged {
            let recorded = events.count { $0.contains("\"eventName\":\"\(name)\"") && !$0.contains("errorCode") }
            #expect(recorded >= count, "\(name): \(recorded) of \(count)")
        }
    }
}
