internal import AccessPolicy
internal import Auditing
internal import KeyManagement

extension KMSOperation {
    /// Permissions beside the policies.
    static let grants: [String: KMSOperation] = [
        "CreateGrant": KMSOperation("KeyId", "Operations") { call in
            guard let grantee = try call.principal("GranteePrincipal", service: "GranteeServicePrincipal") else {
                throw KeyManagementError(.validation, "GranteePrincipal or GranteeServicePrincipal is required.")
            }
            let operations = call.input.texts("Operations").compactMap { GrantOperation(rawValue: $0) }
            guard operations.count == call.input.texts("Operations").count else {
                throw KeyManagementError(.validation, "Keys that encapsulate are not supported.")
            }
            let (grant, token) = try await call.client.createGrant(
                on: call.key, to: grantee, allowing: Set(operations), within: call.grantConstraints(),
                retiredBy: call.principal("RetiringPrincipal", service: "RetiringServicePrincipal"),
                name: call.input.text("Name"))
            call.output.field("GrantToken", token.description)
            call.output.field("GrantId", grant.id)
        },
        "ListGrants": KMSOperation("KeyId") { call in
            let grants = try await call.client.grants(
                on: call.key, id: call.input.text("GrantId"),
                grantee: call.principal("GranteePrincipal", service: "GranteeServicePrincipal"))
            try call.page("Grants", grants, largest: 100, marker: \.id) { writer, grant in KMSCall.write(grant, &writer)
            }
        },
        "ListRetirableGrants": KMSOperation { call in
            guard let principal = try call.principal("RetiringPrincipal", service: "RetiringServicePrincipal") else {
                throw KeyManagementError(.validation, "RetiringPrincipal or RetiringServicePrincipal is required.")
            }
            let grants = try await call.client.grants(retirableBy: principal)
            try call.page("Grants", grants, largest: 100, marker: \.id) { writer, grant in KMSCall.write(grant, &writer)
            }
        },
        "RevokeGrant": KMSOperation("KeyId", "GrantId") { call in
            try await call.client.revokeGrant(call.required("GrantId"), on: call.key)
        },
        "RetireGrant": KMSOperation { call in
            if let token = call.input.text("GrantToken") {
                try await call.client.retireGrant(GrantToken(token))
            } else if call.input.has("KeyId"), let id = call.input.text("GrantId") {
                try await call.client.retireGrant(id, on: call.key)
            } else {
                throw KeyManagementError(.validation, "Either a GrantToken, or a KeyId and a GrantId are required.")
            }
        },
    ]
}

extension KMSCall {
    fileprivate func grantConstraints() throws(KeyManagementError) -> GrantConstraints {
        guard let constraints = input.constraints else { return .none }
        let context: GrantConstraints.Context?
        // Of both, clients that always write both leave one empty.
        func given(_ pairs: [String: String]?) -> [String: String]? { pairs?.isEmpty == true ? nil : pairs }
        switch (given(constraints.equals), given(constraints.subset)) {
        case (let pairs?, nil): context = .equals(EncryptionContext(pairs))
        case (nil, let pairs?): context = .includes(EncryptionContext(pairs))
        case (nil, nil): context = nil
        default: throw KeyManagementError(.validation, "A grant has one constraint of its encryption context.")
        }
        return GrantConstraints(context: context, sourceARN: constraints.sourceARN)
    }

    fileprivate static func write(_ grant: Grant, _ writer: inout JSONWriter) {
        writer.field("KeyId", grant.keyARN.description)
        writer.field("GrantId", grant.id)
        writer.field("Name", grant.name ?? "")
        writer.date("CreationDate", grant.creationDate)
        writer.principal(grant.grantee, "GranteePrincipal", "GranteeServicePrincipal")
        if let retiring = grant.retiringPrincipal {
            writer.principal(retiring, "RetiringPrincipal", "RetiringServicePrincipal")
        }
        writer.field("IssuingAccount", PrincipalName.account(grant.issuingAccount).description)
        writer.key("Operations")
        writer.list(grant.operations.sorted().map(\.rawValue)) { writer, name in writer.text(name) }
        guard grant.constraints != .none else { return }
        writer.object("Constraints") { writer in
            switch grant.constraints.context {
            case .equals(let context): writer.pairs("EncryptionContextEquals", context)
            case .includes(let context): writer.pairs("EncryptionContextSubset", context)
            case nil: break
            }
            if let source = grant.constraints.sourceARN { writer.field("SourceArn", source) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func principal(_ name: PrincipalName, _ principal: String, _ service: String) {
        field(name.account == nil ? service : principal, name.description)
    }

    fileprivate mutating func pairs(_ name: String, _ context: EncryptionContext) {
        object(name) { writer in
            for (key, value) in context.pairs.sorted(by: { $0.key < $1.key }) { writer.field(key, value) }
        }
    }
}
