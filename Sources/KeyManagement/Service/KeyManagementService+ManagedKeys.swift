internal import AccessPolicy
internal import FoundationEssentials
internal import RecordIntegrity
internal import RecordStorage

extension KeyManagementService {
    private static let managedPrefix = "alias/aws/"
    /// About as many as AWS has services with such keys.
    private static let largestCount = 100

    /// Makes the key behind `alias/aws/SERVICE` where it is asked for the first time. It rotates every year, its policy lets the
    /// account's members use it, and lets nobody manage it (AWS KMS, "AWS managed keys").
    ///
    /// Whoever may not use it makes none.
    func makeManagedKey(
        _ identifier: KeyIdentifier, _ action: String, _ log: OperationLog, context: EncryptionContext = .none
    ) async throws(KeyManagementError) {
        guard !log.caller.isDryRun else { return }
        let account = log.principal.account
        guard
            let resolved = ResolvedName(identifier, account: account, region: scope.region, partition: scope.partition),
            case .alias(let name) = resolved, name.account == account, name.name.hasPrefix(Self.managedPrefix),
            Principal.isAccount(account)
        else { return }
        let state = try state()
        guard state.aliases[name] == nil else { return }
        let serviceName = name.name.dropFirst(Self.managedPrefix.count)
        guard (1...64).contains(serviceName.utf8.count), serviceName.utf8.allSatisfy(Self.isAllowed) else { return }
        let policy = try stated { try PolicyDocument(managedPolicy(account)) }
        let candidate = try stated {
            let record = KeyRecord(
                id: "new", account: account, created: 0, description: "", usage: Encryption.usage,
                specification: KeySpecification<Encryption>.symmetric.name, policy: policy.text, materials: [])
            return try ManagedKey(record, version: 0, scope: scope, after: nil)
        }
        try authorize(action, on: candidate, in: state, log, context: context, alias: name.name)
        let count = state.keys.values.count {
            $0.record.account == account && $0.record.manager == KeyRecord.awsManager
        }
        guard count < Self.largestCount else {
            throw KeyManagementError(
                .limitExceeded, "an account has at most \(Self.largestCount) keys behind alias/aws/")
        }
        try await change("CreateKey", as: .service) { log, state in
            guard state.aliases[name] == nil else { return ([], ()) }
            try checkDrift(log.time)
            var record = KeyRecord(
                id: UUID.random().lowercaseText, account: account, created: log.time.timeIntervalSince1970,
                description: "Default key that protects my \(serviceName) data when no other key is defined",
                usage: Encryption.usage, specification: KeySpecification<Encryption>.symmetric.name,
                policy: policy.text,
                materials: [])
            record.manager = KeyRecord.awsManager
            record.schedule = KeyRecord.Schedule(days: 365, next: log.time.timeIntervalSince1970 + 365 * 86400)
            let domain = try state.wrappingDomain
            record.materials = [try record.newMaterial(at: log.time, domain: state.activeDomain, under: domain)]
            let arn = scope.keyARN(id: record.id, account: account).description
            log.account = account
            log.resources = [arn]
            log.parameters = [("description", .text(record.description))]
            log.response = [("keyId", .text(record.id)), ("arn", .text(arn))]
            let time = log.time.timeIntervalSince1970
            let alias = AliasRecord(target: record.id, created: time, updated: time)
            return (
                [
                    .put(try record.name, try StoredJSON.encode(record), expecting: .absent),
                    .put(try AliasRecord.name(name), try StoredJSON.encode(alias), expecting: .absent),
                ], ()
            )
        }
    }

    private func managedPolicy(_ account: String) -> String {
        let actions = [
            "Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "CreateGrant", "RetireGrant", "DescribeKey",
            "GetKeyPolicy", "ListKeyPolicies", "ListGrants", "RevokeGrant", "GetKeyRotationStatus", "ListKeyRotations",
            "ListResourceTags",
        ]
        let list = actions.map { "\"kms:\($0)\"" }.joined(separator: ",")
        return #"{"Version":"2012-10-17","Id":"auto-managed","Statement":[{"Sid":"Use by the account's members","#
            + #""Effect":"Allow","Principal":{"AWS":"arn:\#(scope.partition):iam::\#(account):root"},"Action":[\#(list)],"Resource":"*"}]}"#
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }
}
