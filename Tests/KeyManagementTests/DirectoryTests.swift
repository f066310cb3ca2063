import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct DirectoryTests {
    let store = MemoryRecordStore()
    let clock = MovableClock()
    static let account = "111122223333"
    static let stranger = "444455556666"

    func service() async throws -> KeyManagementService {
        try await KeyManagementService(store: store, rootOfTrust: testRoot(), access: .directory, clock: clock)
    }

    func root(_ service: KeyManagementService, _ account: String = DirectoryTests.account) -> KeyManagementClient {
        service.client(for: .root(account: account))
    }

    func allow(_ actions: String, _ rest: String = "") throws -> PolicyDocument {
        try PolicyDocument(
            #"{"Version":"2012-10-17","Statement":{"Sid":"Let","Effect":"Allow","Action":"\#(actions)","Resource":"*"\#(rest)}}"#
        )
    }

    func trust(_ principal: String, _ rest: String = "") throws -> PolicyDocument {
        try PolicyDocument(
            trust: #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"\#(principal)"},"#
                + #""Action":["sts:AssumeRole","sts:TagSession"]\#(rest)}}"#)
    }

    @Test func `users may what their policies say, and strangers nothing`() async throws {
        let service = try await service()
        let directory = root(service).directory
        let key = try await root(service).createKey(.symmetric, alias: "alias/k")
        let alice = service.client(for: .user("alice", account: Self.account))
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await alice.encrypt([1], under: key) }
        try await directory.createUser("alice", tags: ["team": "blue"])
        await #expect(throws: KeyManagementError(.alreadyExists)) { try await directory.createUser("alice") }
        try await directory.putPolicy(allow("kms:Encrypt"), named: "writes", on: .user("alice"))
        _ = try await alice.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.accessDenied)) { try await alice.directory.createUser("eve") }
        // Another process sees it, and so does this one after a restart.
        let other = try await self.service()
        _ = try await other.client(for: .user("alice", account: Self.account)).encrypt([1], under: key)
        // Tags and names are variables and conditions.
        let own =
            #","Condition":{"StringEquals":{"kms:EncryptionContext:owner":"${aws:username}","aws:PrincipalTag/Team":"blue"}}"#
        try await directory.putPolicy(allow("kms:GenerateDataKey", own), named: "own", on: .user("alice"))
        _ = try await alice.generateDataKey(under: key, context: ["owner": "alice"])
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await alice.generateDataKey(under: key, context: ["owner": "bob"])
        }
        try await directory.removePolicy(named: "writes", from: .user("alice"))
        do {
            _ = try await alice.encrypt([1], under: key)
            Issue.record("allowed")
        } catch {
            #expect(error.message.contains("no identity policy allows the kms:Encrypt action"))
        }
        #expect(try await directory.members().map(\.name) == [.user("alice")])
        try await directory.delete(.user("alice"))
        // Even where a key's policy names who was taken away.
        try await root(service).putPolicy(
            PolicyDocument(
                """
                {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
                  {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:*","Resource":"*"}]}
                """), on: KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await alice.encrypt([1], under: key) }
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""eventSource":"iam.amazonaws.com","eventName":"PutUserPolicy""#) })
    }

    @Test func `what no directory takes is refused`() async throws {
        let service = try await service()
        let directory = root(service).directory
        for name in ["", "a b", "a/b", String(repeating: "a", count: 65)] {
            await #expect(throws: KeyManagementError(.validation)) { try await directory.createUser(name) }
        }
        try await directory.createUser("a")
        let large = try allow(
            "kms:Encrypt", #","Condition":{"StringEquals":{"k":"\#(String(repeating: "x", count: 10300))"}}"#)
        await #expect(throws: KeyManagementError(.limitExceeded)) {
            try await directory.putPolicy(large, named: "p", on: .user("a"))
        }
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await directory.putPolicy(.delegating(toAccount: Self.account), named: "p", on: .user("a"))
        }
        await #expect(throws: KeyManagementError(.notFound)) {
            try await directory.removePolicy(named: "p", from: .user("a"))
        }
        await #expect(throws: KeyManagementError(.notFound)) { try await directory.delete(.role("a")) }
        #expect(throws: PolicyError.self) { try PolicyDocument(trust: allow("sts:AssumeRole").text) }
        await #expect(throws: KeyManagementError(.validation)) {
            try await directory.createRole("r", trust: trust(Self.account), longestSession: .seconds(60))
        }
    }

    @Test func `roles are taken on, narrowed, and end`() async throws {
        let service = try await service()
        let directory = root(service).directory
        let key = try await root(service).createKey(.symmetric)
        try await directory.createUser("alice")
        try await directory.createRole(
            "worker", trust: trust("arn:aws:iam::111122223333:user/alice"), tags: ["stage": "live"])
        try await directory.putPolicy(allow("kms:*"), named: "all", on: .role("worker"))
        let alice = service.client(for: .user("alice", account: Self.account)).directory
        let worker = PrincipalName.role("worker", account: Self.account)
        let session = try await alice.assumeRole(worker, session: "s1", tags: ["ticket": "7"])
        #expect(session.principal.description == "arn:aws:sts::111122223333:assumed-role/worker/s1")
        let client = service.client(for: session)
        let sealed = try await client.encrypt([1], under: key)
        // Narrowed: both must allow.
        let narrow = try await alice.assumeRole(worker, session: "s2", narrowedTo: [allow("kms:Decrypt")])
        #expect(try await service.client(for: narrow).decrypt(sealed).revealed == [1])
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: narrow).encrypt([1], under: key)
        }
        // What names the session itself is not narrowed; what names its role is.
        func name(_ arn: String) throws -> PolicyDocument {
            try PolicyDocument(
                """
                {"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
                  {"Effect":"Allow","Principal":{"AWS":"\(arn)"},"Action":"kms:Encrypt","Resource":"*"}]}
                """)
        }
        try await root(service).putPolicy(name(worker.description), on: KeyIdentifier(key))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: narrow).encrypt([1], under: key)
        }
        try await root(service).putPolicy(name(narrow.principal.description), on: KeyIdentifier(key))
        _ = try await service.client(for: narrow).encrypt([1], under: key)
        // Tags of the session and of the role.
        let tagged = #","Condition":{"StringEquals":{"aws:PrincipalTag/ticket":"7","aws:PrincipalTag/stage":"live"}}"#
        try await directory.putPolicy(allow("kms:*", tagged), named: "all", on: .role("worker"))
        _ = try await client.encrypt([1], under: key)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: narrow).decrypt(sealed)
        }
        for duration in [Duration.seconds(899), .seconds(3601)] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await alice.assumeRole(worker, session: "s3", for: duration)
            }
        }
        clock.advance(days: 1.0 / 24)
        await #expect(throws: KeyManagementError(.expiredSession)) { _ = try await client.encrypt([1], under: key) }
        let again = try await alice.assumeRole(worker, session: "s4", tags: ["ticket": "7"])
        try await directory.delete(.role("worker"))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: again).encrypt([1], under: key)
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await alice.assumeRole(worker, session: "s5")
        }
    }

    @Test func `a role is taken on by whom it trusts and who may`() async throws {
        let service = try await service()
        let (here, there) = (root(service).directory, root(service, Self.stranger).directory)
        let external = #","Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}"#
        try await here.createRole("guest", trust: trust(Self.stranger, external))
        try await there.createUser("bob")
        let bob = service.client(for: .user("bob", account: Self.stranger)).directory
        let guest = PrincipalName.role("guest", account: Self.account)
        // The other account must let its own.
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await bob.assumeRole(guest, session: "s1", externalID: "x-1")
        }
        try await there.putPolicy(allow("sts:AssumeRole"), named: "guest", on: .user("bob"))
        let session = try await bob.assumeRole(guest, session: "s1", externalID: "x-1")
        #expect(session.issuer == "arn:aws:iam::444455556666:user/bob")
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await bob.assumeRole(guest, session: "s1") }
        // Tags are a right of their own.
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await bob.assumeRole(guest, session: "s1", tags: ["a": "b"], externalID: "x-1")
        }
        // From one role to the next, for an hour at most.
        try await here.createRole(
            "next", trust: trust("arn:aws:iam::111122223333:role/guest"), longestSession: .seconds(43200))
        let chained = service.client(for: session).directory
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await chained.assumeRole(
                .role("next", account: Self.account), session: "s2", for: .seconds(7200))
        }
        _ = try await chained.assumeRole(.role("next", account: Self.account), session: "s2")
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""eventSource":"sts.amazonaws.com","eventName":"AssumeRole""#) })
    }

    @Test func `simulation says who may, and why not`() async throws {
        let service = try await service()
        let directory = root(service).directory
        let key = KeyIdentifier(try await root(service).createKey(.symmetric))
        try await directory.createUser("alice")
        try await directory.createUser("bob")
        try await directory.createRole("worker", trust: trust(Self.account))
        try await directory.putPolicy(allow("kms:Decrypt"), named: "reads", on: .user("alice"))
        try await directory.putPolicy(
            PolicyDocument(#"{"Statement":{"Sid":"Never","Effect":"Deny","Action":"kms:*","Resource":"*"}}"#),
            named: "no", on: .user("bob"))
        _ = try await root(service).createGrant(
            on: key, to: .role("worker", account: Self.account), allowing: [.decrypt])
        let answers = try await root(service).access(to: key, for: "kms:Decrypt")
        #expect(answers.map(\.decision.isAllowed) == [true, true, false, true])
        #expect(answers[1].decision == .allowed(by: DecidingStatement(policy: "reads", statement: "Let")))
        #expect(answers[2].decision == .deniedExplicitly(by: DecidingStatement(policy: "no", statement: "Never")))
        let from =
            #","Condition":{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]},"Bool":{"aws:SecureTransport":"true"}}"#
        try await directory.putPolicy(allow("kms:Decrypt", from), named: "reads", on: .user("alice"))
        let alice = Principal.user("alice", account: Self.account)
        for (address, isAllowed) in [("192.0.2.9", true), ("192.0.3.9", false), ("2001:db8::1", true), ("x", false)] {
            let request = RequestContext(sourceIPAddress: address, isSecureTransport: true)
            let decision = try await root(service).simulate("kms:Decrypt", on: key, as: alice, request: request)
            #expect(decision.isAllowed == isAllowed, "\(address)")
            let client = service.client(for: alice).with(request)
            #expect(try await service.auditEvents().last?.contains("sourceIPAddress") == false)
            _ = try? await client.describe(key)
            #expect(try await service.auditEvents().last?.contains(#""sourceIPAddress":"\#(address)""#) == true)
        }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await service.client(for: alice).access(to: key, for: "kms:Decrypt")
        }
    }

    @Test func `names that are equal in Swift alone are others`() async throws {
        let service = try await service()
        let root = root(service)
        let key = try await root.createKey(.symmetric, alias: "alias/King")
        try await root.tag(KeyIdentifier(key), ["Keep": "1"])
        // U+212A, the Kelvin sign, is canonically a K.
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await root.describe("alias/\u{212A}ing") }
        await #expect(throws: KeyManagementError(.notFound)) { try await root.deleteAlias("alias/\u{212A}ing") }
        try await root.untag(KeyIdentifier(key), ["\u{212A}eep"])
        #expect(try await root.tags(of: KeyIdentifier(key)) == ["Keep": "1"])
        try await root.directory.createRole("King", trust: trust(Self.account))
        #expect(throws: PolicyError.self) { try PrincipalName("arn:aws:iam::111122223333:role/\u{212A}ing") }
        #expect(PrincipalName.role("King", account: Self.account) != .role("\u{212A}ing", account: Self.account))
    }

    @Test func `one kind of document does not stand where the other belongs`() async throws {
        let service = try await service()
        let directory = root(service).directory
        let permissions = try PolicyDocument.delegating(toAccount: Self.account)
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await directory.createRole("r", trust: permissions)
        }
        try await directory.createRole("r", trust: trust(Self.account))
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await directory.putTrustPolicy(permissions, of: "r")
        }
        let unnamed = try PolicyDocument(trust: #"{"Statement":{"Effect":"Allow","Action":"kms:*"}}"#)
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await directory.putPolicy(unnamed, named: "p", on: .role("r"))
        }
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            _ = try await root(service).createKey(.symmetric, policy: trust(Self.account))
        }
        let key = KeyIdentifier(try await root(service).createKey(.symmetric))
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await root(service).putPolicy(trust(Self.account), on: key, bypassingLockoutCheck: true)
        }
        // The store opens all the same.
        _ = try await self.service()
    }

    @Test func `a session ends with its role, though another comes with the name`() async throws {
        let service = try await service()
        let directory = root(service).directory
        try await directory.createRole("ops", trust: trust(Self.account))
        try await directory.putPolicy(allow("kms:*"), named: "all", on: .role("ops"))
        let session = try await directory.assumeRole(.role("ops", account: Self.account), session: "s1")
        _ = try await service.client(for: session).generateRandom(byteCount: 1)
        try await directory.delete(.role("ops"))
        clock.advance(days: 0.001)
        try await directory.createRole("ops", trust: trust(Self.account))
        try await directory.putPolicy(allow("kms:*"), named: "all", on: .role("ops"))
        await #expect(throws: KeyManagementError(.expiredSession)) {
            _ = try await service.client(for: session).generateRandom(byteCount: 1)
        }
        for duration in [Duration.seconds(1e18), .seconds(-1), .seconds(Int64.max)] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await directory.assumeRole(
                    .role("ops", account: Self.account), session: "s2", for: duration)
            }
        }
    }

    @Test func `accounts do not look at each other`() async throws {
        let service = try await service()
        let key = KeyIdentifier(try await root(service).createKey(.symmetric))
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await root(service).simulate("kms:Decrypt", on: key, as: .user("bob", account: Self.stranger))
        }
        try await root(service, Self.stranger).directory.createRole("there", trust: trust(Self.stranger))
        var messages: Set<String> = []
        for name in ["there", "nowhere"] {
            do {
                _ = try await root(service).directory.assumeRole(.role(name, account: Self.stranger), session: "s1")
            } catch { messages.insert(error.message.replacing(name, with: "")) }
        }
        #expect(messages.count == 1)
    }

    @Test func `conditions see the alias of a decryption, re-encryption's keys and all aliases`() async throws {
        let service = try await service()
        let root = root(service)
        let (one, two) = (
            try await root.createKey(.symmetric, alias: "alias/one"), try await root.createKey(.symmetric)
        )
        let sealed = try await root.encrypt([1], under: one)
        try await root.directory.createUser("alice")
        let alice = service.client(for: .user("alice", account: Self.account))
        func deny(_ condition: String) async throws {
            try await root.directory.putPolicy(
                PolicyDocument(
                    """
                    {"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"},
                      {"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":\(condition)}]}
                    """), named: "p", on: .user("alice"))
        }
        try await deny(#"{"StringEquals":{"kms:RequestAlias":"alias/one"}}"#)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await alice.decrypt(sealed, under: "alias/one")
        }
        _ = try await alice.decrypt(sealed, under: KeyIdentifier(one))
        try await deny(#"{"Bool":{"kms:ReEncryptOnSameKey":"false"}}"#)
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await alice.reEncrypt(sealed, under: two) }
        _ = try await alice.reEncrypt(sealed, under: one, newContext: ["a": "b"])
        try await deny(#"{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/one"}}"#)
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await alice.decrypt(sealed) }
        _ = try await alice.encrypt([1], under: two)
        try await deny(#"{"Bool":{"kms:BypassPolicyLockoutSafetyCheck":"true"}}"#)
        await #expect(throws: KeyManagementError(.accessDenied)) {
            _ = try await alice.createKey(.symmetric, bypassingLockoutCheck: true)
        }
        _ = try await alice.createKey(.symmetric)
    }
}
