internal import AccessPolicy
internal import Cryptography
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

/// What the service knows of its keys, and how it finds them.
struct ServiceTables: Sendable {
    /// Keys by account and id: `ACCOUNT/ID`.
    private(set) var keys = ShardedDictionary<String, ManagedKey>()
    var aliases = ShardedDictionary<AliasName, StoredAlias>()
    /// The grants on each key that has any, by the key's place.
    private(set) var grants = ShardedDictionary<String, KeyGrants>()
    /// The users and roles of all accounts.
    var members = ShardedDictionary<PrincipalName, DirectoryMember>()
    /// The key stores of all accounts, by account and id.
    var keyStores: [String: StoredKeyStore] = [:]
    /// What deleted keys have left with custodians, by account and id of the key.
    var remains: [String: StoredRemains] = [:]
    /// The version of the record that every change of key stores writes, so that there is one after the other; nil before the first.
    var keyStoreTurn: UInt64?
    /// Which key and which of its materials an identifier means.
    private(set) var materials = ShardedDictionary<MaterialID, (key: ManagedKey, index: Int)>()

    /// Puts a key in, in place of an older one, or takes it out.
    mutating func setKey(_ place: String, _ key: ManagedKey?) {
        if let old = keys[place] {
            for material in old.record.materials where materials[material.identifier]?.key.place == place {
                materials[material.identifier] = nil
            }
        }
        keys[place] = key
        guard let key else { return }
        if let grants = grants[place] { key.noteGrantees(grants.marks) }
        for (index, material) in key.record.materials.enumerated() where key.record.mayOpen(index) {
            // Nobody takes another key's material away by having one of its name.
            let other = materials[material.identifier]?.key.place
            if other == nil || other == place { materials[material.identifier] = (key, index) }
        }
    }

    /// Puts a grant in, or takes it out.
    mutating func setGrant(_ place: (key: String, id: String), _ grant: (grant: Grant, version: UInt64)?) {
        var all = grants[place.key] ?? KeyGrants()
        all[place.id] = grant
        grants[place.key] = all.isEmpty ? nil : all
        keys[place.key]?.noteGrantees(all.marks)
    }
}

/// An alias, with its record's version.
struct StoredAlias: Sendable {
    let record: AliasRecord
    let version: UInt64
}

/// Everything the service knows at one moment, immutable: operations read it without a lock.
final class ServiceState: Sendable {
    private let tables: ServiceTables
    let domains: [UInt32: AESGCM]
    let activeDomain: UInt32
    let root: (record: RootRecord, version: UInt64)
    let revision: Revision

    var keys: ShardedDictionary<String, ManagedKey> { tables.keys }
    var aliases: ShardedDictionary<AliasName, StoredAlias> { tables.aliases }
    var grants: ShardedDictionary<String, KeyGrants> { tables.grants }
    var members: ShardedDictionary<PrincipalName, DirectoryMember> { tables.members }
    var keyStores: [String: StoredKeyStore] { tables.keyStores }
    var remains: [String: StoredRemains] { tables.remains }
    var keyStoreTurn: UInt64? { tables.keyStoreTurn }
    var materials: ShardedDictionary<MaterialID, (key: ManagedKey, index: Int)> { tables.materials }

    init(
        _ tables: ServiceTables, domains: [UInt32: AESGCM], activeDomain: UInt32,
        root: (record: RootRecord, version: UInt64), revision: Revision
    ) {
        self.tables = tables
        self.domains = domains
        self.activeDomain = activeDomain
        self.root = root
        self.revision = revision
    }

    /// The domain key that wraps new material.
    ///
    /// - Throws: `conflict` where the store has a newer one than this process: what is wrapped under an old one would be
    ///   lost when the old one is retired.
    var wrappingDomain: AESGCM {
        get throws(KeyManagementError) {
            guard root.record.domainVersions.max() == activeDomain, let domain = domains[activeDomain] else {
                throw KeyManagementError(
                    .conflict, "another process has rotated the store's domain key: open the store again")
            }
            return domain
        }
    }

    /// The state with other domain keys.
    func with(domains: [UInt32: AESGCM], activeDomain: UInt32, root: (record: RootRecord, version: UInt64))
        -> ServiceState
    {
        ServiceState(tables, domains: domains, activeDomain: activeDomain, root: root, revision: revision)
    }

    /// The state after the changes that the store has seen since.
    func refreshed(from records: AuthenticatedRecords, scope: ServiceScope) throws -> ServiceState {
        guard try records.store.revision > revision else { return self }
        var (tables, root, revision) = (tables, root, revision)
        var limit = 512
        while true {
            let changes = try records.store.changes(since: revision, limit: limit)
            for change in changes {
                let name = change.name.description
                if name.hasPrefix(KeyRecord.prefix) {
                    let place = String(name.dropFirst(KeyRecord.prefix.count))
                    let older = tables.keys[place]
                    tables.setKey(
                        place,
                        try records.record(change.name).map { record in
                            try ManagedKey(
                                StoredJSON.decode(KeyRecord.self, record.value, record.name), version: record.version,
                                scope: scope, after: older)
                        })
                } else if name.hasPrefix(AliasRecord.prefix) {
                    tables.aliases[AliasRecord.alias(change.name)] = try records.record(change.name).map { record in
                        StoredAlias(
                            record: try StoredJSON.decode(AliasRecord.self, record.value, record.name),
                            version: record.version)
                    }
                } else if name.hasPrefix(GrantRecord.prefix), let place = GrantRecord.place(name) {
                    // It may stand before its key in the feed, where the key has changed since.
                    tables.setGrant(
                        place,
                        try records.record(change.name).map { record in
                            (
                                try Grant(StoredJSON.decode(GrantRecord.self, record.value, record.name), scope: scope),
                                record.version
                            )
                        })
                } else if name.hasPrefix(MemberRecord.prefix), let principal = MemberRecord.principal(name) {
                    tables.members[principal] = try records.record(change.name).map { record in
                        try DirectoryMember(
                            StoredJSON.decode(MemberRecord.self, record.value, record.name), version: record.version)
                    }
                } else if change.name == KeyStoreRecord.turn {
                    tables.keyStoreTurn = try records.record(change.name)?.version
                } else if name.hasPrefix(KeptRemains.prefix) {
                    tables.remains[String(name.dropFirst(KeptRemains.prefix.count))] =
                        try records.record(change.name).map { record in
                            StoredRemains(
                                record: try StoredJSON.decode(KeptRemains.self, record.value, record.name),
                                version: record.version)
                        }
                } else if name.hasPrefix(KeyStoreRecord.prefix) {
                    tables.keyStores[String(name.dropFirst(KeyStoreRecord.prefix.count))] =
                        try records.record(change.name).map { record in
                            StoredKeyStore(
                                record: try StoredJSON.decode(KeyStoreRecord.self, record.value, record.name),
                                version: record.version)
                        }
                } else if change.name == RootRecord.name, let record = try records.record(change.name) {
                    root = (try StoredJSON.decode(RootRecord.self, record.value, record.name), record.version)
                }
            }
            guard let last = changes.last?.revision else { break }
            guard changes.count == limit else {
                revision = last
                break
            }
            // A full page may end inside a batch: the last batch is read again, whole.
            if last.rawValue - 1 > revision.rawValue {
                revision = Revision(last.rawValue - 1)
            } else {
                limit *= 4
            }
        }
        return ServiceState(tables, domains: domains, activeDomain: activeDomain, root: root, revision: revision)
    }

    /// The grants on a key, where it has any.
    func grants(on key: ManagedKey) -> KeyGrants? { tables.grants.isEmpty ? nil : tables.grants[key.place] }

    /// The key that a text names for a caller of `account`.
    func key(_ identifier: KeyIdentifier, account: String, scope: ServiceScope, at time: Date)
        throws(KeyManagementError)
        -> ManagedKey
    {
        // Names are ASCII. Others could be equal to one of them in Swift, and not to what policies compare.
        var bytes = identifier.description.utf8Span
        guard bytes.checkForASCII() else {
            throw KeyManagementError(.notFound, "Invalid keyId '\(identifier)'")
        }
        // What a ``Key`` handle names, without taking it all apart.
        if let place = identifier.place, scope.isOwn(identifier.description), let key = tables.keys[place],
            key.state(at: time) != nil
        {
            return key
        }
        let resolved = ResolvedName(identifier, account: account, region: scope.region, partition: scope.partition)
        switch resolved {
        case nil: throw KeyManagementError(.notFound, "Invalid keyId '\(identifier)'")
        case .alias(let alias):
            if let target = aliases[alias]?.record.target, let key = keys["\(alias.account)/\(target)"],
                key.state(at: time) != nil
            {
                return key
            }
            throw KeyManagementError(.notFound, "Alias \(scope.aliasARN(alias)) is not found.")
        case .key(let id, let account):
            if let key = keys["\(account)/\(id)"], key.state(at: time) != nil { return key }
            throw KeyManagementError(.notFound, "Key '\(scope.keyARN(id: id, account: account))' does not exist")
        }
    }
}
