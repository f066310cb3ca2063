internal import AccessPolicy
internal import Auditing
internal import FoundationEssentials
internal import KeyManagement

extension KMSOperation {
    /// Making keys and looking at them.
    static let keys: [String: KMSOperation] = [
        "CreateKey": KMSOperation { call in
            try await call.createKey()
            if let metadata = call.report.made { call.write(metadata) }
        },
        "DescribeKey": KMSOperation("KeyId") { call in
            call.write(try await call.client.describe(call.key))
        },
        "ListKeys": KMSOperation { call in
            let keys = try await call.client.listKeys()
            try call.page("Keys", keys, marker: \.id) { writer, key in
                writer.field("KeyId", key.id)
                writer.field("KeyArn", key.arn.description)
            }
        },
        "GetKeyLastUsage": KMSOperation("KeyId") { call in
            let usage = try await call.client.usage(of: call.key)
            call.output.field("KeyId", usage.keyARN.description)
            call.output.object("KeyLastUsage") { writer in
                guard let last = usage.last else { return }
                writer.field("Operation", last.operation)
                writer.date("Timestamp", last.date)
                writer.field("CloudTrailEventId", last.eventID)
            }
            call.write("TrackingStartDate", usage.creationDate)
            call.write("KeyCreationDate", usage.creationDate)
        },
        "UpdateKeyDescription": KMSOperation("KeyId", "Description") { call in
            try await call.client.updateDescription(of: call.key, to: call.required("Description"))
        },
    ]

    /// What keys may do, and how long.
    static let states: [String: KMSOperation] = [
        "EnableKey": KMSOperation("KeyId") { call in try await call.client.enable(call.key) },
        "DisableKey": KMSOperation("KeyId") { call in try await call.client.disable(call.key) },
        "ScheduleKeyDeletion": KMSOperation("KeyId") { call in
            let days = call.input.number("PendingWindowInDays") ?? 30
            let date = try await call.client.scheduleDeletion(call.key, afterDays: days)
            let waits = call.report.isWaitingForReplicas
            call.output.field("KeyId", call.usedKey)
            if !waits { call.write("DeletionDate", date) }
            call.output.field(
                "KeyState", (waits ? KeyState.pendingReplicaDeletion : .pendingDeletion).rawValue)
            call.write("PendingWindowInDays", days)
        },
        "ReplicateKey": KMSOperation("KeyId", "ReplicaRegion") { call in
            _ = try await call.client.replicateKey(
                call.key, to: call.required("ReplicaRegion"), description: call.input.text("Description") ?? "",
                tags: call.input.tags(), policy: call.policy(),
                bypassingLockoutCheck: call.input.flag("BypassPolicyLockoutSafetyCheck"))
            if let metadata = call.report.made {
                call.write(metadata, as: "ReplicaKeyMetadata")
                call.output.field("ReplicaPolicy", call.input.text("Policy") ?? call.report.madePolicy)
                try call.writeTags("ReplicaTags")
            }
        },
        "UpdatePrimaryRegion": KMSOperation("KeyId", "PrimaryRegion") { call in
            try await call.client.updatePrimaryRegion(of: call.key, to: call.required("PrimaryRegion"))
        },
        "CancelKeyDeletion": KMSOperation("KeyId") { call in
            try await call.client.cancelDeletion(call.key)
            call.output.field("KeyId", call.usedKey)
        },
    ]
}

extension KMSCall {
    fileprivate func createKey() async throws {
        let usage = input.text("KeyUsage")
        guard !(input.has("KeySpec") && input.has("CustomerMasterKeySpec")) else {
            throw KeyManagementError(
                .validation, "You cannot specify KeySpec and CustomerMasterKeySpec in the same request.")
        }
        let spec = input.text("KeySpec") ?? input.text("CustomerMasterKeySpec") ?? "SYMMETRIC_DEFAULT"
        guard Member.keySpecs.contains(spec) else {
            throw AWSFailure(violations: [
                "Value '\(spec)' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [\(Member.keySpecs.joined(separator: ", "))]"
            ])
        }
        guard usage != nil || spec == "SYMMETRIC_DEFAULT" else {
            throw KeyManagementError(
                .validation, "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
        }
        switch usage ?? Encryption.usage {
        case Signing.usage: try await create(Signing.self, spec)
        case Authentication.usage: try await create(Authentication.self, spec)
        case Agreement.usage: try await create(Agreement.self, spec)
        case Encryption.usage where spec == "SYMMETRIC_DEFAULT": try await create(Encryption.self, spec)
        case Encryption.usage: try await create(AsymmetricEncryption.self, spec)
        default: throw KeyManagementError(.unsupportedOperation, "KeyUsage \(usage ?? "") is not supported.")
        }
    }

    private func create<Purpose: KeyPurpose>(_ purpose: Purpose.Type, _ spec: String) async throws {
        guard let specification = KeySpecification<Purpose>(spec) else {
            let isUnknown = ["SM2"].contains(spec) || spec.hasPrefix("ML_")
            throw isUnknown
                ? KeyManagementError(.unsupportedOperation, "KeySpec \(spec) is not supported.")
                : KeyManagementError(.validation, "KeyUsage \(Purpose.usage) is not compatible with KeySpec \(spec)")
        }
        let (description, tags) = (input.text("Description") ?? "", try input.tags())
        let (policy, bypasses) = (try policy(), input.flag("BypassPolicyLockoutSafetyCheck"))
        let (store, externalKey) = (input.text("CustomKeyStoreId"), input.text("XksKeyId"))
        guard externalKey == nil || input.text("Origin") == "EXTERNAL_KEY_STORE" else {
            throw KeyManagementError(.validation, "An XksKeyId goes with the Origin EXTERNAL_KEY_STORE.")
        }
        switch input.text("Origin") ?? (store == nil ? "AWS_KMS" : "AWS_CLOUDHSM") {
        case "AWS_KMS" where store == nil:
            _ = try await client.createKey(
                specification, description: description, tags: tags, policy: policy,
                multiRegion: input.flag("MultiRegion"), bypassingLockoutCheck: bypasses)
        case "EXTERNAL" where store == nil:
            _ = try await client.createKeyForImport(
                specification, description: description, tags: tags, policy: policy,
                multiRegion: input.flag("MultiRegion"), bypassingLockoutCheck: bypasses)
        case "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE":
            guard let store, spec == "SYMMETRIC_DEFAULT", !input.flag("MultiRegion") else {
                throw KeyManagementError(
                    .validation, "Keys in a key store are symmetric, of one Region, and name their CustomKeyStoreId.")
            }
            guard (externalKey != nil) == (input.text("Origin") == "EXTERNAL_KEY_STORE") else {
                throw KeyManagementError(.validation, "A key of an external key store has an XksKeyId.")
            }
            _ = try await client.createKey(
                .symmetric, in: store, externalKey: externalKey, description: description, tags: tags, policy: policy,
                bypassingLockoutCheck: bypasses)
        default:
            throw KeyManagementError(.validation, "A CustomKeyStoreId does not go with this Origin.")
        }
    }

    fileprivate mutating func write(_ metadata: KeyMetadata, as name: String = "KeyMetadata") {
        output.key(name)
        output.open()
        output.field("AWSAccountId", metadata.arn.account)
        output.field("KeyId", metadata.id)
        output.field("Arn", metadata.arn.description)
        write("CreationDate", metadata.creationDate)
        write("Enabled", metadata.state == .enabled)
        output.field("Description", metadata.description)
        output.field("KeyUsage", metadata.usage)
        output.field("KeyState", metadata.state.rawValue)
        if let date = metadata.deletionDate { write("DeletionDate", date) }
        if metadata.origin == "EXTERNAL", metadata.state != .pendingImport {
            output.field(
                "ExpirationModel",
                metadata.validTo == nil ? "KEY_MATERIAL_DOES_NOT_EXPIRE" : "KEY_MATERIAL_EXPIRES")
            if let date = metadata.validTo { write("ValidTo", date) }
        }
        output.field("Origin", metadata.origin)
        if let store = metadata.keyStore { output.field("CustomKeyStoreId", store) }
        if let key = metadata.externalKey { output.object("XksKeyConfiguration") { $0.field("Id", key) } }
        output.field("KeyManager", metadata.isManagedByService ? "AWS" : "CUSTOMER")
        output.field("CustomerMasterKeySpec", metadata.specification)
        output.field("KeySpec", metadata.specification)
        write(KMSCall.algorithmsMember(metadata.usage), metadata.algorithms)
        write("MultiRegion", metadata.multiRegion != nil)
        if let regions = metadata.multiRegion { write(regions, metadata.arn) }
        if let days = metadata.pendingDeletionWindowInDays { write("PendingDeletionWindowInDays", days) }
        if metadata.specification == "SYMMETRIC_DEFAULT", metadata.keyStore == nil,
            let material = metadata.materials.last
        {
            output.field("CurrentKeyMaterialId", material)
        }
        output.close()
    }

    fileprivate mutating func writeTags(_ name: String) throws(KeyManagementError) {
        let tags = try input.tags().sorted { $0.key < $1.key }
        output.key(name)
        output.list(tags) { writer, tag in
            writer.open()
            writer.field("TagKey", tag.key)
            writer.field("TagValue", tag.value)
            writer.close()
        }
    }

    private mutating func write(_ regions: MultiRegionConfiguration, _ arn: ARN) {
        func relative(_ region: String) -> String {
            ARN(
                partition: arn.partition, service: arn.service, region: region, account: arn.account,
                resource: arn.resource
            )
            .description
        }
        output.object("MultiRegionConfiguration") { writer in
            writer.field("MultiRegionKeyType", regions.isPrimary ? "PRIMARY" : "REPLICA")
            writer.object("PrimaryKey") { writer in
                writer.field("Arn", relative(regions.primaryRegion))
                writer.field("Region", regions.primaryRegion)
            }
            writer.key("ReplicaKeys")
            writer.list(regions.replicaRegions) { writer, region in
                writer.open()
                writer.field("Arn", relative(region))
                writer.field("Region", region)
                writer.close()
            }
        }
    }

    /// The member that names what keys of a usage do.
    static func algorithmsMember(_ usage: String) -> String {
        switch usage {
        case Signing.usage, Verification.usage: "SigningAlgorithms"
        case Authentication.usage: "MacAlgorithms"
        case Agreement.usage: "KeyAgreementAlgorithms"
        default: "EncryptionAlgorithms"
        }
    }
}
