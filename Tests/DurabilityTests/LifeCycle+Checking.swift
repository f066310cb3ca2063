#if SQLite
import Foundation
import KeyManagement
import StrongroomTestSupport
import Testing

extension LifeCycle {
    /// Opens a store as its next user would, and holds what the workers noted against what is there.
    ///
    /// - Parameter ciphertexts: how many of the last ones are opened.
    static func check(_ store: any RecordStore, _ notes: [[Note]], ciphertexts: Int = 12) async throws {
        let (service, root) = try await open(store)
        let client = service.client(for: account)
        let other = try await farService(store, knowing: service)
        // What was cut short between Regions is caught up with.
        for one in [service, other] { try await one.synchronizeRegions() }
        var present = try await present(client)
        present.merge(try await self.present(other.client(for: account))) { $1 }
        var noted: Set<String> = []
        for notes in notes {
            var expected: [String: Note.Key] = [:]
            for note in notes where note.isDone { for key in note.keys { expected[key.name] = key } }
            // What the worker was about to do is done whole, or not at all.
            if let last = notes.last, !last.isDone {
                noted.formUnion(last.keys.map(\.name))
                let before = last.keys.map { expected[$0.name] ?? Note.Key(name: $0.name) }
                let now = last.keys.map { present[$0.name] ?? Note.Key(name: $0.name) }
                #expect(
                    [before, last.keys].contains { zip($0, now).allSatisfy { $0.allows($1) } },
                    "half done: \(now) between \(before) and \(last.keys)")
                for key in last.keys { expected[key.name] = nil }
            }
            noted.formUnion(expected.keys)
            for key in expected.values { #expect(key.allows(present[key.name] ?? Note.Key(name: key.name)), "\(key)") }
        }
        #expect(noted.isSuperset(of: present.keys), "a key that nobody asked for")
        for note in notes.joined().filter({ $0.sealed != nil }).suffix(ciphertexts) {
            let name = note.keys[0].name
            guard present[name]?.state == "Enabled", let sealed = note.sealed else { continue }
            #expect(try await client.decrypt(Ciphertext(sealed)).revealed == Array(name.utf8))
        }
        for notes in notes {
            let checkpoint = notes.last { $0.checkpoint != nil }?.checkpoint.flatMap { AuditCheckpoint($0) }
            let verification = try await service.verifyAuditTrail(
                unlockedBy: LifeCycle.root(root), against: checkpoint)
            #expect(verification.isSound, "\(verification)")
        }
    }

    /// The keys of a store, as notes have them.
    private static func present(_ client: KeyManagementClient) async throws -> [String: Note.Key] {
        var aliases: [String: Set<String>] = [:]
        for alias in try await client.listAliases() { aliases[alias.target, default: []].insert(alias.name) }
        var present: [String: Note.Key] = [:]
        for key in try await client.listKeys() {
            present[key.description] = Note.Key(
                name: key.description, state: key.state.rawValue, materials: key.materials.count,
                aliases: aliases[key.id] ?? [], policy: try await client.policy(of: KeyIdentifier(key.id)).text,
                grants: try await client.grants(on: KeyIdentifier(key.id)).count)
        }
        return present
    }
}
#endif
