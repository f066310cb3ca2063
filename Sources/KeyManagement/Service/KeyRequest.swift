internal import AccessPolicy
internal import FoundationEssentials

/// What conditions of policies find at a request about a key. One object: each operation makes one, and few policies ask it anything.
final class KeyRequest: Sendable {
    /// The key, or what it would be.
    enum Subject: Sendable {
        case key(ManagedKey)
        case record(KeyRecord)
    }

    private let subject: Subject
    private let caller: Caller
    private let time: Date
    private let signing: (algorithm: String, messageType: String)?
    private let region: String
    private let state: ServiceState
    private let context: EncryptionContext
    private let conditions: [String: [String]]
    private let alias: String?

    init(
        _ subject: Subject, _ log: OperationLog, in region: String, _ state: ServiceState,
        context: EncryptionContext = .none, conditions: [String: [String]], alias: String? = nil
    ) {
        (self.subject, caller, time, signing) = (subject, log.caller, log.time, log.signing)
        (self.region, self.state, self.context, self.conditions) = (region, state, context, conditions)
        self.alias = alias
    }

    private var record: KeyRecord {
        switch subject {
        case .key(let key): key.record
        case .record(let record): record
        }
    }

    /// The values of a condition key, given in lower case.
    func values(_ name: String) -> [String] {
        // Of the service's own names, most are the key's, and asked for by policies each time.
        let isOfKey =
            name.utf8.first == UInt8(ascii: "k") && name != "kms:calleraccount" && name != "kms:viaservice"
        if !isOfKey, let values = caller.values(name, at: time, in: region, of: record.account, state) { return values }
        return keyValues(name)
    }

    private func keyValues(_ name: String) -> [String] {
        switch name {
        case "kms:keyspec": [record.specification]
        case "kms:keyusage": [record.usage]
        case "kms:keyorigin": [record.originName]
        case "kms:multiregion": [String(record.multiRegion != nil)]
        case "kms:multiregionkeytype" where record.multiRegion != nil:
            [record.isReplica(in: region) ? "REPLICA" : "PRIMARY"]
        case "kms:encryptionalgorithm" where record.isSymmetric: [record.specification]
        case "kms:signingalgorithm": signing.map { [$0.algorithm] } ?? []
        case "kms:messagetype": signing.map { [$0.messageType] } ?? []
        case "kms:requestalias": alias.map { [$0] } ?? []
        case "kms:resourcealiases": aliases
        case "kms:encryptioncontextkeys": Array(context.pairs.keys)
        default:
            if name.utf8.starts(with: KeyRequest.contextPrefix) {
                context.values(name.utf8.dropFirst(KeyRequest.contextPrefix.count))
            } else {
                conditions[name] ?? Tags.values(name, record.tags)
            }
        }
    }

    private var aliases: [String] {
        guard case .key(let key) = subject else { return [] }
        let (account, id) = (key.record.account, key.record.id)
        return state.aliases.filter { $0.key.account == account && $0.value.record.target == id }.map(\.key.name)
    }

    private static let contextPrefix = Array("kms:encryptioncontext:".utf8)
}
