internal import Auditing
internal import KeyManagement

extension KMSOperation {
    /// Other names of keys.
    static let aliases: [String: KMSOperation] = [
        "CreateAlias": KMSOperation("AliasName", "TargetKeyId") { call in
            try await call.client.createAlias(
                call.required("AliasName"), for: KeyIdentifier(call.required("TargetKeyId")))
        },
        "UpdateAlias": KMSOperation("AliasName", "TargetKeyId") { call in
            try await call.client.updateAlias(
                call.required("AliasName"), to: KeyIdentifier(call.required("TargetKeyId")))
        },
        "DeleteAlias": KMSOperation("AliasName") { call in
            try await call.client.deleteAlias(call.required("AliasName"))
        },
        "ListAliases": KMSOperation { call in
            let aliases = try await call.client.listAliases(of: call.input.text("KeyId").map { KeyIdentifier($0) })
            try call.page("Aliases", aliases, marker: \.name) { writer, alias in
                writer.field("AliasName", alias.name)
                writer.field("AliasArn", alias.arn.description)
                writer.field("TargetKeyId", alias.target)
                if let date = alias.creationDate { writer.date("CreationDate", date) }
                if let date = alias.lastUpdateDate { writer.date("LastUpdatedDate", date) }
            }
        },
    ]

    /// What owners write on keys.
    static let tags: [String: KMSOperation] = [
        "TagResource": KMSOperation("KeyId", "Tags") { call in
            try await call.client.tag(call.key, call.input.tags())
        },
        "UntagResource": KMSOperation("KeyId", "TagKeys") { call in
            try await call.client.untag(call.key, call.input.texts("TagKeys"))
        },
        "ListResourceTags": KMSOperation("KeyId") { call in
            let tags = try await call.client.tags(of: call.key).sorted { $0.key < $1.key }
            try call.page("Tags", tags, largest: 50, marker: \.key) { writer, tag in
                writer.field("TagKey", tag.key)
                writer.field("TagValue", tag.value)
            }
        },
    ]

    /// Who may use keys.
    static let policies: [String: KMSOperation] = [
        "PutKeyPolicy": KMSOperation("KeyId", "Policy") { call in
            try call.checkPolicyName()
            guard let policy = try call.policy() else { return }
            try await call.client.putPolicy(
                policy, on: call.key, bypassingLockoutCheck: call.input.flag("BypassPolicyLockoutSafetyCheck"))
        },
        "GetKeyPolicy": KMSOperation("KeyId") { call in
            try call.checkPolicyName()
            call.output.field("Policy", try await call.client.policy(of: call.key).text)
            call.output.field("PolicyName", "default")
        },
        "ListKeyPolicies": KMSOperation("KeyId") { call in
            call.write("PolicyNames", try await call.client.policyNames(of: call.key))
            call.write("Truncated", false)
        },
    ]
}

extension KMSCall {
    fileprivate func checkPolicyName() throws(KeyManagementError) {
        guard input.text("PolicyName") ?? "default" == "default" else {
            throw KeyManagementError(.notFound, "No such policy exists")
        }
    }
}
