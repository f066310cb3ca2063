#if SQLite
import Foundation
import KeyManagement

/// What a worker wrote down: how some of its keys look before or after a change, a ciphertext, or where the trail stood.
struct Note: Codable {
    /// A key as anybody sees it; one that does not exist has no state.
    struct Key: Codable, Equatable {
        var name: String
        var state: String?
        var materials = 0
        var aliases: Set<String> = []
        /// The alias that it was made with.
        var alias: String { "alias/\(name)" }
        var policy: String?
        var grants = 0
        /// Whether another worker may delete it now.
        var isDue = false

        /// Whether a key that looks like `other` is as this note has it.
        func allows(_ other: Key) -> Bool {
            var expected = self
            expected.isDue = false
            return other == expected || (isDue && other == Key(name: name))
        }
    }

    /// Whether this is done, or about to be.
    var isDone = true
    var keys: [Key] = []
    var sealed: [UInt8]?
    var checkpoint: String?

    var line: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) + [0x0A] } }
}

/// Takes keys through every change that there is, over and over, and notes each change before and after it.
struct LifeCycle {
    static let account = Principal.root(account: "111122223333")
    /// What a worker meets because of others, and not because of a fault: it opens the store again.
    private static let interference: Set<KeyManagementError.Code> = [.conflict, .wrongRootOfTrust]

    let worker: Int
    let store: any RecordStore
    let note: (Note) throws -> Void
    /// What stands in the way of each change: nothing, or a fault that it must survive.
    var obstacle: (_ change: () async throws -> Void) async throws -> Void = { try await $0() }
    private var (service, root): (KeyManagementService, UInt8)

    init(worker: Int, store: any RecordStore, note: @escaping (Note) throws -> Void) async throws {
        (self.worker, self.store, self.note) = (worker, store, note)
        (service, root) = try await LifeCycle.open(store)
    }

    /// One whole life of some keys: one kind after the other.
    mutating func run(_ life: Int) async throws {
        switch (life + worker) % 3 {
        case 0: try await runChanges(life)
        case 1: try await runImport(life)
        default: try await runRegions(life)
        }
        try note(Note(checkpoint: try await service.auditCheckpoint().description))
    }

    /// One whole life of two keys.
    private mutating func runChanges(_ life: Int) async throws {
        var first = Note.Key(name: "\(worker)-\(life)-first")
        var second = Note.Key(name: "\(worker)-\(life)-second")
        try await create(&first)
        try await create(&second)
        try await seal(first)
        first.materials += 1
        try await change([first]) { try await $0.rotate($1) }
        try await seal(first)
        let more = "\(first.alias)-more"
        first.aliases.insert(more)
        try await change([first]) { try await $0.createAlias(more, for: $1) }
        first.aliases.remove(more)
        second.aliases.insert(more)
        try await change([second, first]) { try await $0.updateAlias(more, to: $1) }
        second.aliases.remove(more)
        try await change([second]) { client, _ in try await client.deleteAlias(more) }
        first.policy = first.policy?.replacingOccurrences(of: "key-default-1", with: "another")
        try await change([first]) { [first] in
            try await $0.putPolicy(PolicyDocument(first.policy ?? ""), on: $1)
        }
        first.grants = 1
        try await change([first]) {
            _ = try await $0.createGrant(
                on: $1, to: .role("worker", account: LifeCycle.account.account), allowing: [.decrypt])
        }
        first.grants = 0
        try await change([first]) { client, id in
            for grant in try await client.grants(on: id) { try await client.revokeGrant(grant.id, on: id) }
        }
        first.state = "Disabled"
        try await change([first]) { try await $0.disable($1) }
        first.state = "Enabled"
        try await change([first]) { try await $0.enable($1) }
        second.state = "PendingDeletion"
        try await change([second]) { try await $0.scheduleDeletion($1) }
        second.state = "Disabled"
        try await change([second]) { try await $0.cancelDeletion($1) }
        try await maintain { service, root in try await service.rotateDomainKey(unlockedBy: LifeCycle.root(root)) }
        try await seal(first)
        try await maintain { service, root in
            try await service.replaceRootOfTrust(LifeCycle.root(root), with: LifeCycle.root(3 - root))
        }
        (second.state, second.isDue) = ("PendingDeletion", true)
        try await change([second]) { try await $0.scheduleDeletion($1, afterDays: 7) }
        let gone = Note.Key(name: second.name)
        try await change([gone]) { [store] _, _ in
            try await LifeCycle.open(store, clock: LaterClock(days: 8)).service.deleteDueKeys()
        }
    }

    /// Opens the store with whichever of the two roots it has.
    static func open(
        _ store: any RecordStore, clock: any WallClock = SystemClock()
    ) async throws -> (service: KeyManagementService, root: UInt8) {
        for attempt in 0..<20 {
            let byte = UInt8(1 + attempt % 2)
            do {
                return (try await KeyManagementService(store: store, rootOfTrust: root(byte), clock: clock), byte)
            } catch let error as KeyManagementError where interference.contains(error.code) { continue }
        }
        throw KeyManagementError(.wrongRootOfTrust, "neither root opens the store")
    }

    static func root(_ byte: UInt8) throws -> KeyFileRoot {
        try KeyFileRoot(key: SecretBytes(copying: [UInt8](repeating: byte, count: 32)))
    }

    private mutating func create(_ key: inout Note.Key) async throws {
        key = try await make(key.name) { client, key in
            _ = try await client.createKey(.symmetric, alias: key.alias, description: key.name)
        } as: {
            $0.materials = 1
        }
    }

    /// Makes a key with an alias, which then looks like this.
    mutating func make(
        _ name: String, _ body: (KeyManagementClient, Note.Key) async throws -> Void, as look: (inout Note.Key) -> Void
    ) async throws -> Note.Key {
        let policy = try PolicyDocument.delegating(toAccount: LifeCycle.account.account, partition: "aws")
        var key = Note.Key(name: name, state: "Enabled", policy: policy.text)
        key.aliases = [key.alias]
        look(&key)
        try await change([key]) { [key] client, _ in try await body(client, key) }
        return key
    }

    mutating func seal(_ key: Note.Key) async throws {
        var sealed: [UInt8] = []
        try await meet { service, _ in
            let client = service.client(for: LifeCycle.account)
            let handle = try await client.key(KeyIdentifier(key.alias), for: Encryption.self)
            sealed = try await client.encrypt(Array(key.name.utf8), under: handle).bytes
        }
        try note(Note(keys: [key], sealed: sealed))
    }

    /// A change of the first of these keys, after which they all look like this.
    mutating func change(
        _ after: [Note.Key],
        _ body: (KeyManagementClient, KeyIdentifier) async throws -> Void
    ) async throws {
        try note(Note(isDone: false, keys: after))
        try await meet { service, _ in
            let client = service.client(for: LifeCycle.account)
            let id = try await client.listKeys().first { $0.description == after[0].name }?.id
            try await body(client, KeyIdentifier(id ?? "none"))
        }
        try note(Note(keys: after))
    }

    private mutating func maintain(
        _ body: (KeyManagementService, UInt8) async throws -> Void
    ) async throws {
        try await meet(body)
        (service, root) = try await LifeCycle.open(store)
    }

    mutating func meet(_ body: (KeyManagementService, UInt8) async throws -> Void) async throws {
        for attempt in 1...20 {
            do {
                let (service, root) = (service, root)
                return try await obstacle { try await body(service, root) }
            } catch let error as KeyManagementError
                where LifeCycle.interference.contains(error.code) && attempt < 20
            {
                (service, root) = try await LifeCycle.open(store)
            }
        }
    }
}

/// The system's clock, some days on.
struct LaterClock: WallClock {
    let days: Double
    var now: Date { Date() + days * 86400 }
    var uptime: Duration { SystemClock().uptime }
}
#endif
