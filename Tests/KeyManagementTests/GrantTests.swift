import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct GrantTests {
    let store = MemoryRecordStore()
    let clock = MovableClock()
    static let account = "111122223333"
    static let stranger = "444455556666"
    let worker = Principal.role("worker", session: "s1", account: GrantTests.account)
    let workerName = PrincipalName.role("worker", account: GrantTests.account)

    /// A service in which administrators may do everything, and nobody else anything but by grants.
    func service(_ policies: [String: String] = [:]) async throws -> KeyManagementService {
        let everything = try PolicyDocument(#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
        let parsed = try policies.mapValues { try PolicyDocument($0) }
        return try await KeyManagementService(
            store: store, rootOfTrust: testRoot(),
            access: .authorizer(
                PolicyEngine { principal in
                    if principal.description.hasSuffix("user/admin") { return [IdentityPolicy("admin", everything)] }
                    return parsed[principal.description].map { [IdentityPolicy("own", $0)] } ?? []
                }), clock: clock)
    }

    func admin(_ service: KeyManagementService) -> KeyManagementClient {
        service.client(for: .user("admin", account: GrantTests.account))
    }

    @Test func `every grantee is found, by services that were open before and after, whatever became of the key`()
        async throws
    {
        let before = try await service()
        let admin = admin(try await service())
        let key = try await admin.createKey(.symmetric)
        let sealed = try await admin.encrypt([1], under: key)
        func client(_ index: Int, of service: KeyManagementService) -> KeyManagementClient {
            service.client(for: .user("user\(index)", account: GrantTests.stranger))
        }
        for index in 0..<100 {
            _ = try await admin.createGrant(
                on: KeyIdentifier(key), to: .user("user\(index)", account: GrantTests.stranger), allowing: [.decrypt])
            if index % 3 == 1 { try await admin.updateDescription(of: KeyIdentifier(key), to: "\(index)") }
            // Looks into the store.
            _ = try await self.admin(before).grants(on: KeyIdentifier(key))
            for known in 0...index {
                let opened = try await client(known, of: before).decrypt(sealed)
                #expect(opened.revealed == [1])
            }
        }
        let after = try await service()
        for index in 0..<100 {
            let opened = try await client(index, of: after).decrypt(sealed)
            #expect(opened.revealed == [1])
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client(100, of: after).decrypt(sealed).count
        }
    }

    @Test func `a grant allows what it says, to whom it says, until it is revoked`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = try await admin.createKey(.symmetric, alias: "alias/orders")
        let sealed = try await admin.encrypt([1, 2], under: key, context: ["tenant": "42"])
        let client = service.client(for: worker)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client.decrypt(sealed, context: ["tenant": "42"])
        }
        let (grant, token) = try await admin.createGrant(
            on: KeyIdentifier(key), to: workerName, allowing: [.decrypt, .describeKey], name: "reader")
        #expect(grant.id.count == 64)
        #expect(try await client.decrypt(sealed, context: ["tenant": "42"]).revealed == [1, 2])
        #expect(try await client.using(token).decrypt(sealed, context: ["tenant": "42"]).revealed == [1, 2])
        #expect(try await client.describe("alias/orders").arn == key.arn)
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.encrypt([1], under: key) }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client.reEncrypt(sealed, context: ["tenant": "42"], under: key)
        }
        await #expect(throws: KeyManagementError(.accessDenied)) { try await client.disable(KeyIdentifier(key)) }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: .role("other", session: "s1", account: GrantTests.account)).decrypt(
                sealed)
        }
        #expect(try await admin.grants(on: KeyIdentifier(key)) == [grant])
        #expect(try await admin.grants(on: KeyIdentifier(key), grantee: .account("444455556666")).isEmpty)
        // The same request makes no second grant, another one does.
        let (again, other) = try await admin.createGrant(
            on: KeyIdentifier(key), to: workerName, allowing: [.describeKey, .decrypt], name: "reader")
        #expect(again == grant && other != token)
        let (second, _) = try await admin.createGrant(
            on: KeyIdentifier(key), to: workerName, allowing: [.decrypt], name: "reader")
        #expect(second.id != grant.id)
        try await admin.revokeGrant(second.id, on: KeyIdentifier(key))
        try await admin.revokeGrant(grant.id, on: KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await client.decrypt(sealed) }
        await #expect(throws: KeyManagementError(.notFound)) {
            try await admin.revokeGrant(grant.id, on: KeyIdentifier(key))
        }
        await #expect(throws: KeyManagementError(.notFound)) {
            _ = try await admin.grants(on: KeyIdentifier(key), id: grant.id)
        }
        for text in [String(grant.id.dropLast()), grant.id + "0", "grant", String(repeating: "g", count: 64)] {
            await #expect(throws: KeyManagementError(.invalidGrantID)) {
                try await admin.retireGrant(text, on: KeyIdentifier(key))
            }
        }
        for text in [token.description, "", "AAAA", "not base64"] {
            await #expect(throws: KeyManagementError(.invalidGrantToken)) {
                _ = try await admin.using(GrantToken(text)).encrypt([1], under: key)
            }
        }
        let events = try await service.auditEvents().filter { $0.contains(#""eventName":"CreateGrant""#) }
        #expect(events.count == 3 && !events.joined().contains(token.description))
    }

    @Test func `contexts constrain, and a grantee hands on no more than it has`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = try await admin.createKey(.symmetric)
        let id = KeyIdentifier(key)
        let client = service.client(for: worker)
        let child = PrincipalName.user("child", account: GrantTests.account)
        let (equal, _) = try await admin.createGrant(
            on: id, to: workerName, allowing: [.encrypt], within: .context(equals: ["a": "1"]))
        _ = try await client.encrypt([1], under: key, context: ["a": "1"])
        let others: [EncryptionContext] = [.none, ["a": "2"], ["A": "1"], ["a": "1", "b": "2"]]
        for context in others {
            await #expect(throws: KeyManagementError(.accessDenied)) {
                _ = try await client.encrypt([1], under: key, context: context)
            }
        }
        try await admin.revokeGrant(equal.id, on: id)
        _ = try await admin.createGrant(
            on: id, to: workerName, allowing: [.encrypt, .decrypt, .createGrant], within: .context(includes: ["a": "1"])
        )
        _ = try await client.encrypt([1], under: key, context: ["a": "1", "b": "2"])
        // Handing on: the same or less, as constrained or more.
        for constraints: GrantConstraints in [.context(includes: ["a": "1", "b": "2"]), .context(equals: ["a": "1"])] {
            _ = try await client.createGrant(on: id, to: child, allowing: [.encrypt], within: constraints)
        }
        _ = try await client.createGrant(
            on: id, to: child, allowing: [.encrypt, .decrypt, .createGrant], within: .context(includes: ["a": "1"]))
        for constraints: GrantConstraints in [.none, .context(includes: ["b": "2"]), .context(equals: ["a": "2"])] {
            await #expect(throws: KeyManagementError(.accessDenied)) {
                _ = try await client.createGrant(on: id, to: child, allowing: [.encrypt], within: constraints)
            }
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await client.createGrant(
                on: id, to: child, allowing: [.encrypt, .generateDataKey], within: .context(equals: ["a": "1"]))
        }
    }

    @Test func `grants end by whoever may end them`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = try await admin.createKey(.symmetric)
        let id = KeyIdentifier(key)
        let retiring = Principal.user("retiring", account: GrantTests.stranger)
        func make(_ operations: Set<GrantOperation> = [.encrypt]) async throws -> (grant: Grant, token: GrantToken) {
            try await admin.createGrant(
                on: id, to: workerName, allowing: operations,
                retiredBy: .user("retiring", account: GrantTests.stranger))
        }
        let (first, token) = try await make()
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await service.client(for: worker).retireGrant(first.id, on: id)
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await service.client(for: .user("stranger", account: GrantTests.stranger)).retireGrant(token)
        }
        #expect(try await admin.grants(retirableBy: .user("retiring", account: GrantTests.stranger)) == [first])
        try await service.client(for: retiring).retireGrant(token)
        let (second, _) = try await make([.encrypt, .retireGrant])
        try await service.client(for: worker).retireGrant(second.id, on: id)
        let (third, _) = try await make()
        try await service.client(for: .root(account: GrantTests.account)).retireGrant(third.id, on: id)
        #expect(try await admin.grants(on: id).isEmpty)
        // A policy that denies is not overruled by a grant.
        let (fourth, _) = try await make([.encrypt, .retireGrant])
        try await admin.putPolicy(
            PolicyDocument(
                """
                {"Statement":[
                  {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
                  {"Sid":"No","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/worker"},
                   "Action":["kms:Encrypt","kms:RetireGrant"],"Resource":"*"}]}
                """), on: id)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: worker).encrypt([1], under: key)
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await service.client(for: worker).retireGrant(fourth.id, on: id)
        }
    }

    @Test func `what no grant can be is refused`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = KeyIdentifier(try await admin.createKey(.symmetric))
        let signing = KeyIdentifier(try await admin.createKey(.ed25519))
        let many = EncryptionContext(Dictionary(uniqueKeysWithValues: (0..<9).map { ("k\($0)", "v") }))
        let long = EncryptionContext(["k": String(repeating: "v", count: 384)])
        let cases: [(KeyIdentifier, Set<GrantOperation>, GrantConstraints, String?)] = [
            (key, [], .none, nil), (key, [.sign], .none, nil), (signing, [.encrypt], .none, nil),
            (signing, [.sign], .context(equals: ["a": "b"]), nil), (key, [.encrypt], .context(equals: .none), nil),
            (key, [.encrypt], .context(includes: many), nil), (key, [.encrypt], .context(includes: long), nil),
            (key, [.encrypt], .none, ""), (key, [.encrypt], .none, "a b"),
            (key, [.encrypt], .init(sourceARN: "bucket"), nil),
        ]
        for (id, operations, constraints, name) in cases {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await admin.createGrant(
                    on: id, to: workerName, allowing: operations, within: constraints, name: name)
            }
        }
        await #expect(throws: KeyManagementError(.notFound)) {
            _ = try await admin.createGrant(on: "alias/x", to: workerName, allowing: [.encrypt])
        }
        try await admin.disable(key)
        await #expect(throws: KeyManagementError(.disabled)) {
            _ = try await admin.createGrant(on: key, to: workerName, allowing: [.encrypt])
        }
        #expect(throws: PolicyError.self) { try PrincipalName("arn:aws:s3:::bucket") }
        #expect(throws: PolicyError.self) { try PrincipalName("arn:aws:iam::12:user/a") }
    }

    @Test func `policies see what is granted, and to whom`() async throws {
        let delegate = "arn:aws:iam::111122223333:user/delegate"
        let policy = """
            {"Statement":{"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*","Condition":{
              "StringEquals":{"kms:GrantConstraintType":"EncryptionContextSubset","kms:EncryptionContext:tenant":"42",
                "kms:GranteePrincipal":"arn:aws:iam::111122223333:role/worker"},
              "ForAllValues:StringEquals":{"kms:GrantOperations":["Encrypt","Decrypt"]}}}}
            """
        let service = try await service([delegate: policy])
        let key = KeyIdentifier(try await admin(service).createKey(.symmetric))
        let client = service.client(for: .user("delegate", account: GrantTests.account))
        _ = try await client.createGrant(
            on: key, to: workerName, allowing: [.encrypt], within: .context(includes: ["tenant": "42"]))
        let tries: [(PrincipalName, Set<GrantOperation>, GrantConstraints)] = [
            (workerName, [.encrypt], .none), (workerName, [.encrypt], .context(equals: ["tenant": "42"])),
            (workerName, [.generateDataKey], .context(includes: ["tenant": "42"])),
            (.user("eve", account: GrantTests.account), [.encrypt], .context(includes: ["tenant": "42"])),
        ]
        for (grantee, operations, constraints) in tries {
            await #expect(throws: KeyManagementError(.accessDenied)) {
                _ = try await client.createGrant(on: key, to: grantee, allowing: operations, within: constraints)
            }
        }
    }

    @Test func `grants reach other processes and accounts, outlast restarts, and go with their key`() async throws {
        let here = try await service()
        let there = try await service()
        let admin = admin(here)
        let key = try await admin.createKey(.symmetric)
        let outsider = Principal.user("outsider", account: GrantTests.stranger)
        let name = PrincipalName.user("outsider", account: GrantTests.stranger)
        // The other process has looked just now, and would not look again for a while.
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await there.client(for: outsider).encrypt([1], under: key)
        }
        let (grant, token) = try await admin.createGrant(
            on: KeyIdentifier(key), to: name, allowing: [.encrypt], within: .init(sourceARN: "arn:aws:s3:::bucket"))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await there.client(for: outsider).using(token).encrypt([1], under: key)
        }
        let bucket = ARN(service: "s3", account: "", resource: "bucket")
        _ = try await there.client(for: outsider).onBehalf(of: bucket).using(token).encrypt([1], under: key)
        // A change of the key behind the grant does not hide the grant from who has seen neither.
        try await admin.disable(KeyIdentifier(key))
        try await admin.enable(KeyIdentifier(key))
        let restarted = try await service()
        #expect(try await self.admin(restarted).grants(on: KeyIdentifier(key)) == [grant])
        // Everybody of an account, by the account's leave.
        let (_, _) = try await admin.createGrant(
            on: KeyIdentifier(key), to: .account(GrantTests.stranger), allowing: [.generateDataKey])
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await here.client(for: outsider).generateDataKey(under: key)
        }
        _ = try await here.client(for: .user("admin", account: GrantTests.stranger)).generateDataKey(under: key)
        try await admin.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
        clock.advance(days: 8)
        #expect(try await here.deleteDueKeys() == 1)
        #expect(try store.records(prefix: "grant/").isEmpty)
    }

    @Test func `a dry run checks everything and changes nothing`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = try await admin.createKey(.symmetric)
        let sealed = try await admin.encrypt([1], under: key)
        try await admin.dryRun { _ = try await $0.decrypt(sealed) }
        try await admin.dryRun { try await $0.disable(KeyIdentifier(key)) }
        try await admin.dryRun { _ = try await $0.createKey(.symmetric) }
        #expect(try await admin.describe(KeyIdentifier(key)).state == .enabled)
        #expect(try await admin.listKeys().count == 1)
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            try await admin.dryRun { _ = try await $0.decrypt(sealed, context: ["a": "b"]) }
        }
        let events = try await service.auditEvents()
        #expect(events.count { $0.contains("DryRunOperationException") } == 3)
    }

    @Test func `services make grants that end, and nobody is named by the wrong kind of name`() async throws {
        let service = try await service()
        let admin = admin(service)
        let key = KeyIdentifier(try await admin.createKey(.symmetric))
        try await admin.putPolicy(
            PolicyDocument(
                """
                {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
                  {"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"kms:CreateGrant","Resource":"*"}]}
                """), on: key)
        let arn = try await admin.describe(key).arn.description
        let (grant, _) = try await service.client(for: .service("lambda.amazonaws.com")).createGrant(
            on: KeyIdentifier(arn), to: workerName, allowing: [.encrypt, .retireGrant])
        try await service.client(for: worker).retireGrant(grant.id, on: key)
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await admin.createGrant(
                on: key, to: .service("arn:aws-cn:iam::111122223333:role/worker"), allowing: [.encrypt])
        }
        #expect(throws: PolicyError.self) {
            try PolicyDocument(
                #"{"Statement":{"Effect":"Allow","Principal":{"Service":"*"},"Action":"*","Resource":"*"}}"#)
        }
    }
}
