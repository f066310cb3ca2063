import AccessPolicy
import Cryptography
import KeyManagement
import RecordStorage
import StrongroomPropertyTesting
import StrongroomTestSupport
import Testing

/// Grants against a plain list of them.
@Suite struct GrantProperties {
    private static let account = "111122223333"
    private static let operations: [GrantOperation] = [
        .encrypt, .generateDataKey, .createGrant, .describeKey, .retireGrant,
    ]
    private static let contexts: [EncryptionContext] = [.none, ["a": "1"], ["a": "1", "b": "2"], ["b": "2"]]

    /// One step of a history: numbers that choose among few of each thing, so that steps meet.
    struct Step: Sendable {
        let kind: Int
        let actor: Int
        let target: Int
        let operations: Int
        let context: Int
    }

    /// A grant as the model has it.
    private struct Known {
        let id: String
        let grantee: Int
        let operations: Set<GrantOperation>
        let context: GrantConstraints.Context?

        func lets(_ actor: Int, _ operation: GrantOperation, _ pairs: EncryptionContext) -> Bool {
            guard grantee == actor, operations.contains(operation) else { return false }
            if operation == .describeKey || operation == .retireGrant { return true }
            switch context {
            case nil: return true
            case .equals(let own): return own.pairs == pairs.pairs
            case .includes(let own): return own.pairs.allSatisfy { pairs.pairs[$0.key] == $0.value }
            }
        }

        /// Whether each context that the other lets through, of the few there are, this one lets through too.
        func covers(_ other: Known) -> Bool {
            let all = GrantProperties.contexts + [["a": "1", "c": "3"], ["a": "1", "b": "2", "c": "3"], ["c": "3"]]
            return operations.isSuperset(of: other.operations)
                && all.allSatisfy { pairs in
                    !Known(id: "", grantee: 0, operations: [.encrypt], context: other.context).lets(0, .encrypt, pairs)
                        || Known(id: "", grantee: 0, operations: [.encrypt], context: context).lets(0, .encrypt, pairs)
                }
        }
    }

    @Test func `grants allow what a plain list of them allows`() async throws {
        let digit = Generator.int(in: 0...7)
        let step = Generator.zip(
            Generator.zip(digit, digit), Generator.zip(digit, Generator.zip(Generator.int(in: 1...31), digit))
        )
        .map { Step(kind: $0.0.0, actor: $0.0.1 % 3, target: $0.1.0 % 3, operations: $0.1.1.0, context: $0.1.1.1) }
        await forAll(step.array(upTo: 30), count: 60) { steps in
            try await GrantProperties.run(steps)
        }
    }

    private static func run(_ steps: [Step]) async throws {
        let own = try PolicyDocument(#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)),
            access: .authorizer(
                PolicyEngine { $0.description.hasSuffix("admin") ? [IdentityPolicy("admin", own)] : [] }),
            audit: .buffered(lossWindow: .seconds(60)))
        let admin = service.client(for: .user("admin", account: account))
        let key = try await admin.createKey(.symmetric)
        let id = KeyIdentifier(key)
        var known: [Known] = []
        func isRefused(_ body: () async throws -> Void) async throws -> Bool {
            do {
                try await body()
                return false
            } catch let error as KeyManagementError where error.code == .accessDenied { return true }
        }
        for step in steps {
            let client = service.client(for: .user("u\(step.actor)", account: account))
            let pairs = contexts[step.context % contexts.count]
            let isAllowed = { (operation: GrantOperation) in known.contains { $0.lets(step.actor, operation, pairs) } }
            switch step.kind {
            case 0, 1:
                let chosen = Set(
                    operations.enumerated().filter { step.operations >> $0.offset & 1 == 1 }.map(\.element))
                let context: GrantConstraints.Context? =
                    pairs.pairs.isEmpty ? nil : step.context > 3 ? .equals(pairs) : .includes(pairs)
                let maker = step.kind == 0 ? admin : client
                var made = ""
                let refused = try await isRefused {
                    made = try await maker.createGrant(
                        on: id, to: .user("u\(step.target)", account: account), allowing: chosen,
                        within: GrantConstraints(context: context)
                    ).grant.id
                }
                let new = Known(id: made, grantee: step.target, operations: chosen, context: context)
                let mayMake =
                    step.kind == 0
                    || known.contains {
                        $0.grantee == step.actor && $0.operations.contains(.createGrant) && $0.covers(new)
                    }
                try require(refused != mayMake, "making a grant")
                if !refused { known.append(new) }
            case 2:
                guard let grant = known.first else { break }
                try await admin.revokeGrant(grant.id, on: id)
                known.removeFirst()
            case 3:
                guard let grant = known.last else { break }
                let refused = try await isRefused { try await client.retireGrant(grant.id, on: id) }
                let may = grant.grantee == step.actor && grant.operations.contains(.retireGrant)
                try require(refused != may, "retiring a grant")
                if !refused { known.removeLast() }
            case 4:
                let refused = try await isRefused { _ = try await client.describe(id) }
                try require(refused != isAllowed(.describeKey), "describing")
            case 5:
                let refused = try await isRefused { _ = try await client.generateDataKey(under: key, context: pairs) }
                try require(refused != isAllowed(.generateDataKey), "data keys")
            default:
                let refused = try await isRefused { _ = try await client.encrypt([1], under: key, context: pairs) }
                try require(refused != isAllowed(.encrypt), "encrypting")
            }
            try require(try await admin.grants(on: id).map(\.id).sorted() == known.map(\.id).sorted(), "the list")
        }
    }
}
