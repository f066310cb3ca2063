import AWSCompatibility
import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// Both sides of the XKS proxy protocol: the key service, and our proxy over a custodian's keys.
@Suite struct ExternalKeyStoreTests {
    static let account = "111122223333"
    static let credentialID = "STRONGROOM234567ABCDEF"
    static let secret = "0123456789012345678901234567890123456789abc"
    let address: XKSProxyAddress
    let clock = MovableClock()
    let custodian: SoftwareCustodian
    let proxy: XKSProxy
    let wire: Wire
    let service: KeyManagementService
    let store = MemoryRecordStore()

    /// What is between the two, and may go wrong.
    final class Wire: XKSTransport {
        let proxy: XKSProxy
        let fault = Mutex<(@Sendable (HTTPRequest, HTTPResponse) throws(XKSTransportError) -> HTTPResponse)?>(nil)
        let seen = Mutex([HTTPRequest]())

        init(_ proxy: XKSProxy) { self.proxy = proxy }

        func send(_ request: HTTPRequest, to endpoint: String) async throws(XKSTransportError) -> HTTPResponse {
            seen.withLock { $0.append(request) }
            let response = await proxy.answer(request)
            guard let fault = fault.withLock({ $0 }) else { return response }
            return try fault(request, response)
        }
    }

    init() async throws {
        address = try XKSProxyAddress(endpoint: "https://xks.example.com", path: "/tenant/kms/xks/v1")
        custodian = try SoftwareCustodian(store: MemoryRecordStore(), key: .random(count: 32))
        let keys = [
            "first": XKSProxy.ExternalKey(try custodian.makeKey(.sealing)),
            "second": XKSProxy.ExternalKey(try custodian.makeKey(.sealing)),
            "off": XKSProxy.ExternalKey(try custodian.makeKey(.sealing), isEnabled: false),
            "gone": XKSProxy.ExternalKey(KeyHandle([1, 2, 3])),
            "signer": XKSProxy.ExternalKey(try custodian.makeKey(.ed25519)),
        ]
        proxy = XKSProxy(
            path: address.path,
            credentials: [
                XKSProxy.Credential(id: Self.credentialID, secret: SecretBytes(copying: Array(Self.secret.utf8)))
            ], custodian: custodian, keys: keys, clock: clock,
            authorize: { $0.principal != "arn:aws:iam::111122223333:user/barred" })
        wire = Wire(proxy)
        service = try await KeyManagementService(
            store: store, rootOfTrust: testRoot(), externalKeyStores: wire, clock: clock)
    }

    var client: KeyManagementClient { service.client(for: .user("admin", account: Self.account)) }

    func credential(_ secret: String = secret) -> AccessKey {
        AccessKey(id: Self.credentialID, secret: SecretBytes(copying: Array(secret.utf8)))
    }

    func connected() async throws -> String {
        let id = try await client.createKeyStore("outside", proxy: address, credential: credential())
        #expect(try await client.connectKeyStore(id) == .connected)
        return id
    }

    @Test func `a key beneath an external key works while both say so`() async throws {
        let id = try await connected()
        let key = try await client.createKey(.symmetric, in: id, externalKey: "first", alias: "alias/outside")
        let metadata = try await client.describe(KeyIdentifier(key))
        #expect(metadata.origin == "EXTERNAL_KEY_STORE" && metadata.externalKey == "first" && metadata.keyStore == id)
        let sealed = try await client.encrypt([1, 2, 3], under: key, context: ["a": "b"])
        #expect(sealed.bytes[2] == 2)
        #expect(try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
        let dataKey = try await client.generateDataKey(under: key)
        #expect(try await client.decrypt(dataKey.ciphertext).revealed == dataKey.plaintext.revealed)
        let longest = try await client.encrypt([UInt8](repeating: 7, count: 4096), under: key)
        #expect(try await client.decrypt(longest).count == 4096)
        let own = try await client.createKey(.symmetric)
        let moved = try await client.reEncrypt(sealed, context: ["a": "b"], under: own)
        #expect(try await client.decrypt(moved).revealed == [1, 2, 3])
        let batch = try await client.encrypt(batch: [[1], [2]], under: key)
        #expect(try await client.decrypt(batch[1]).revealed == [2])
        // The proxy sees ciphertexts and who asks, and neither the message nor its context.
        let requests = wire.seen.withLock { $0 }
        let bodies = requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.allSatisfy { !$0.contains(Data([1, 2, 3]).base64EncodedString() + "\"") })
        #expect(bodies.contains { $0.contains(#""kmsOperation":"ReEncrypt""#) && $0.contains(":key\\/") })
        let events = try await service.auditEvents()
        #expect(events.contains { $0.contains(#""xksKeyId":"first""#) && $0.contains(#""eventName":"Decrypt""#) })
        #expect(events.allSatisfy { !$0.contains(Self.secret) })
        // Another process has it too; without a way to the proxy it has not.
        let other = try await KeyManagementService(
            store: store, rootOfTrust: testRoot(), externalKeyStores: wire, clock: clock)
        let elsewhere = other.client(for: .user("admin", account: Self.account))
        #expect(try await elsewhere.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
        let blind = try await KeyManagementService(store: store, rootOfTrust: testRoot(), clock: clock)
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            _ = try await blind.client(for: .user("admin", account: Self.account)).decrypt(sealed, context: ["a": "b"])
        }
        try await client.disconnectKeyStore(id)
        #expect(try await client.describe(KeyIdentifier(key)).state == .unavailable)
        await #expect(throws: KeyManagementError(.invalidState)) {
            _ = try await client.decrypt(sealed, context: ["a": "b"])
        }
        try await client.connectKeyStore(id)
        #expect(try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
        await #expect(throws: KeyManagementError(.unsupportedOperation)) { try await client.rotate(KeyIdentifier(key)) }
        // The service's own wrapping changes under it.
        try await service.rotateDomainKey(unlockedBy: testRoot())
        #expect(try await client.decrypt(sealed, context: ["a": "b"]).revealed == [1, 2, 3])
    }

    @Test func `any flipped bit of its ciphertext, and any cut, is refused alike`() async throws {
        let key = try await client.createKey(.symmetric, in: connected(), externalKey: "first")
        let sealed = try await client.encrypt([1, 2, 3], under: key).bytes
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1 << (index % 8)
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await client.decrypt(Ciphertext(damaged))
            }
        }
        for count in stride(from: 0, to: sealed.count, by: 5) {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await client.decrypt(Ciphertext(Array(sealed.prefix(count))))
            }
        }
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await client.decrypt(Ciphertext(sealed), context: ["a": "b"])
        }
        // The layer inside does not open without the one around it.
        let opened = try #require(ExternalCiphertext(sealed))
        #expect(opened.vector.count == 12 && opened.metadata.isEmpty)
        let other = try await client.createKey(.symmetric)
        let plain = try await client.encrypt([1], under: other).bytes
        var disguised = plain
        disguised[2] = 2
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await client.decrypt(Ciphertext(disguised))
        }
    }

    @Test func `external keys are checked when keys are made of them`() async throws {
        let id = try await connected()
        _ = try await client.createKey(.symmetric, in: id, externalKey: "first")
        for (name, code) in [
            ("first", KeyManagementError.Code.externalKeyInUse), ("missing", .externalKeyNotFound),
            ("off", .invalidExternalKey), ("a/b", .validation), ("..", .validation), ("", .validation),
        ] {
            await #expect(throws: KeyManagementError(code), "\(name)") {
                _ = try await client.createKey(.symmetric, in: id, externalKey: name)
            }
        }
        await #expect(throws: KeyManagementError(.validation)) { _ = try await client.createKey(.symmetric, in: id) }
        await #expect(throws: KeyManagementError(.keyStoreNotFound)) {
            _ = try await client.createKey(.symmetric, in: "cks-nowhere", externalKey: "second")
        }
        // What the custodian lost, or what is of another kind, shows when it is used.
        for name in ["gone", "signer"] {
            let key = try await client.createKey(.symmetric, in: id, externalKey: name)
            await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.encrypt([1], under: key) }
        }
        // Whom the proxy bars, the proxy bars, whatever policies say here.
        let barred = service.client(for: .user("barred", account: Self.account))
        await #expect(throws: KeyManagementError(.invalidState)) {
            _ = try await barred.createKey(.symmetric, in: id, externalKey: "second")
        }
        // Another account has neither the key store nor its keys.
        let stranger = service.client(for: .user("admin", account: "444455556666"))
        #expect(try await stranger.keyStores().isEmpty)
        await #expect(throws: KeyManagementError(.keyStoreNotFound)) {
            _ = try await stranger.createKey(.symmetric, in: id, externalKey: "second")
        }
        for attempt in [
            { try await stranger.deleteKeyStore(id) }, { try await stranger.connectKeyStore(id) },
            { try await stranger.disconnectKeyStore(id) }, { try await stranger.renameKeyStore(id, to: "x") },
        ] as [() async throws -> Void] {
            await #expect(throws: KeyManagementError(.keyStoreNotFound)) { try await attempt() }
        }
    }

    @Test func `key stores are made, changed and taken away with care`() async throws {
        let id = try await client.createKeyStore("outside", proxy: address, credential: credential())
        #expect(id.hasPrefix("cks-") && id.utf8.count == 21)
        let made = try #require(try await client.keyStores().first)
        #expect(made.connection == .disconnected && made.name == "outside")
        #expect(made.backing == .external(address, accessKeyID: Self.credentialID))
        let elsewhere = try XKSProxyAddress(endpoint: "https://xks.example.com:8443", path: "/other/kms/xks/v1")
        await #expect(throws: KeyManagementError(.proxyInUse)) {
            _ = try await client.createKeyStore("second", proxy: address, credential: credential())
        }
        // The proxy has no such path, and does not know the secret.
        await #expect(throws: KeyManagementError(.invalidProxyConfiguration)) {
            _ = try await client.createKeyStore("second", proxy: elsewhere, credential: credential())
        }
        await #expect(throws: KeyManagementError(.incorrectProxyCredential)) {
            try await client.updateKeyStore(id, credential: credential(String(repeating: "x", count: 43)))
        }
        await #expect(throws: KeyManagementError(.validation)) {
            _ = try await client.createKeyStore("second", proxy: elsewhere, credential: credential("short"))
        }
        await #expect(throws: KeyManagementError(.keyStoreInvalidState)) { try await client.disconnectKeyStore(id) }
        try await client.connectKeyStore(id)
        #expect(try await client.connectKeyStore(id) == .connected, "it is already")
        await #expect(throws: KeyManagementError(.keyStoreInvalidState)) { try await client.deleteKeyStore(id) }
        try await client.updateKeyStore(id, credential: credential())
        try await client.renameKeyStore(id, to: "renamed")
        let key = try await client.createKey(.symmetric, in: id, externalKey: "first")
        try await client.disconnectKeyStore(id)
        await #expect(throws: KeyManagementError(.keyStoreHasKeys)) { try await client.deleteKeyStore(id) }
        await #expect(throws: KeyManagementError(.keyStoreInvalidState)) {
            _ = try await client.createKey(.symmetric, in: id, externalKey: "second")
        }
        try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
        clock.advance(days: 8)
        #expect(await service.maintain().deleted == 1)
        try await client.deleteKeyStore(id)
        #expect(try await client.keyStores().isEmpty)
        let again = try await client.createKeyStore("again", proxy: address, credential: credential())
        try await client.connectKeyStore(again)
        let used = try await client.createKey(.symmetric, in: again, externalKey: "first")
        // Nothing is asked of the proxy on behalf of one who may not, or who only tries.
        let before = wire.seen.withLock { $0.count }
        try await client.dryRun { _ = try await $0.createKeyStore("dry", proxy: elsewhere, credential: credential()) }
        try await client.dryRun { _ = try await $0.encrypt([1], under: used) }
        #expect(wire.seen.withLock { $0.count } == before)
        let events = try await service.auditEvents()
        #expect(
            events.contains {
                $0.contains(#""eventName":"UpdateCustomKeyStore""#) && $0.contains("IncorrectAuthenticationCredential")
                    && $0.contains("xks.example.com")
            })
    }

    @Test func `of a kind there is one, however many ask at once`() async throws {
        let (client, address) = (client, address)
        let made = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    let secret = SecretBytes(copying: Array(Self.secret.utf8))
                    let key = AccessKey(id: Self.credentialID, secret: secret)
                    return (try? await client.createKeyStore("one", proxy: address, credential: key)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        #expect(try await client.keyStores().count == 1)
    }

    @Test func `a key is gone at its date, and what its custodian has of it when that can be reached`() async throws {
        let custodian = custodian
        let cluster = KeyStoreCluster(trustAnchor: "anchor", accounts: [Self.account]) { _ in custodian }
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), clusters: ["cluster-2345abcdefg": cluster],
            clock: clock)
        let client = service.client(for: .user("admin", account: Self.account))
        let password = SecretBytes(copying: Array("password".utf8))
        // The certificate alone makes nobody its owner.
        let stranger = service.client(for: .user("admin", account: "444455556666"))
        await #expect(throws: KeyManagementError(.clusterNotFound)) {
            _ = try await stranger.createKeyStore(
                "theirs", cluster: "cluster-2345abcdefg", password: password, trustAnchor: "anchor")
        }
        let id = try await client.createKeyStore(
            "hsm", cluster: "cluster-2345abcdefg", password: password, trustAnchor: " anchor\n")
        try await client.connectKeyStore(id)
        let key = try await client.createKey(.symmetric, in: id)
        let sealed = try await client.encrypt([1], under: key)
        let handle = KeyHandle(
            try #require(try service.refreshedState().keys.values.first { _ in true }?.record.materials[0].wrapped))
        #expect(try custodian.kind(of: handle) == .authentication(.sha256))
        try await client.scheduleDeletion(KeyIdentifier(key), afterDays: 7)
        try await client.disconnectKeyStore(id)
        clock.advance(days: 8)
        let report = await service.maintain()
        #expect(report.deleted == 1 && report.failures.count == 1)
        #expect(try custodian.kind(of: handle) == .authentication(.sha256), "it could not be reached")
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await client.describe(KeyIdentifier(key)) }
        // It is not taken away with what the deleted key has left.
        await #expect(throws: KeyManagementError(.keyStoreHasKeys)) { try await client.deleteKeyStore(id) }
        try await client.connectKeyStore(id)
        #expect(await service.maintain().failures.isEmpty)
        #expect(throws: CryptographyError(.unknownKey)) { _ = try custodian.kind(of: handle) }
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await client.decrypt(sealed) }
        try await client.disconnectKeyStore(id)
        try await client.deleteKeyStore(id)
    }

    @Test func `nobody else is bothered by more requests than an account may make`() async throws {
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), externalKeyStores: wire,
            quotas: Quotas(otherRequestsPerSecond: 2), clock: clock)
        let client = service.client(for: .user("admin", account: Self.account))
        let id = try await client.createKeyStore("outside", proxy: address, credential: credential())
        try await client.connectKeyStore(id)
        for _ in 0..<2 { _ = try? await client.createKey(.symmetric, in: id, externalKey: "gone") }
        let before = wire.seen.withLock { $0.count }
        for _ in 0..<5 {
            await #expect(throws: KeyManagementError(.throttled)) {
                _ = try await client.createKey(.symmetric, in: id, externalKey: "first")
            }
        }
        #expect(wire.seen.withLock { $0.count } == before)
        clock.advance(days: 1)
        _ = try await client.createKey(.symmetric, in: id, externalKey: "first")
    }

    @Test func `a dry run asks about the destination too`() async throws {
        let id = try await client.createKeyStore("outside", proxy: address, credential: credential())
        try await client.connectKeyStore(id)
        let source = try await client.createKey(.symmetric, in: id, externalKey: "first")
        let sealed = try await client.encrypt([1], under: source)
        let open = try await client.createKey(.symmetric)
        let policy = try PolicyDocument(
            #"""
            {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*",
                            "Resource": "*"},
                           {"Effect": "Deny", "Principal": "*", "Action": "kms:ReEncryptTo", "Resource": "*"}]}
            """#)
        let closed = try await client.createKey(.symmetric, policy: policy)
        try await client.dryRun { _ = try await $0.reEncrypt(sealed, under: open) }
        await #expect(throws: KeyManagementError(.accessDenied)) {
            try await client.dryRun { _ = try await $0.reEncrypt(sealed, under: closed) }
        }
        try await client.disconnectKeyStore(id)
        await #expect(throws: KeyManagementError(.invalidState)) {
            try await client.dryRun { _ = try await $0.reEncrypt(sealed, under: open) }
        }
    }

    @Test func `what goes wrong on the way is told apart`() async throws {
        typealias Fault = @Sendable (HTTPRequest, HTTPResponse) throws(XKSTransportError) -> HTTPResponse
        func set(_ fault: Fault?) { wire.fault.withLock { $0 = fault } }
        func failing(_ error: XKSTransportError) -> Fault { { (_, _) throws(XKSTransportError) in throw error } }
        func answering(_ status: Int, _ body: String) -> Fault {
            { _, _ in HTTPResponse(status: status, body: Array(body.utf8)) }
        }
        let id = try await client.createKeyStore("outside", proxy: address, credential: credential())
        let failures: [(Fault, KeyStoreConnectionError)] = [
            (failing(.notReachable), .proxyNotReachable), (failing(.untrusted), .proxyInvalidTLS),
            (failing(.timedOut), .proxyTimedOut), (failing(.malformed), .proxyInvalidResponse),
            (answering(200, "{}"), .proxyInvalidResponse), (answering(500, "<html>"), .proxyInvalidResponse),
            (answering(401, #"{"errorName":"AuthenticationFailedException"}"#), .proxyAccessDenied),
            (answering(404, #"{"errorName":"InvalidUriPathException"}"#), .proxyInvalidConfiguration),
            (answering(503, #"{"errorName":"DependencyTimeoutException"}"#), .proxyTimedOut),
        ]
        for (fault, error) in failures {
            set(fault)
            #expect(try await client.connectKeyStore(id) == .failed(error))
            #expect(try await client.keyStores().first?.connection == .failed(error))
            await #expect(throws: KeyManagementError(.keyStoreInvalidState)) { try await client.connectKeyStore(id) }
            try await client.disconnectKeyStore(id)
        }
        set(nil)
        #expect(try await client.connectKeyStore(id) == .connected)
        let key = try await client.createKey(.symmetric, in: id, externalKey: "first")
        let sealed = try await client.encrypt([1], under: key)
        for fault in failures.map(\.0) {
            set(fault)
            await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.encrypt([1], under: key) }
            await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.decrypt(sealed) }
        }
        // A bit that fell over on its way here would make data unreadable: the hash shows it before anybody relies on it.
        set { request, response in
            guard request.path.hasSuffix("/encrypt"),
                var json = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: String],
                var bytes = Data(base64Encoded: json["ciphertext"] ?? "")
            else { return response }
            bytes[bytes.count / 2] ^= 1
            json["ciphertext"] = bytes.base64EncodedString()
            return HTTPResponse(
                status: 200, body: [UInt8]((try? JSONSerialization.data(withJSONObject: json)) ?? Data()))
        }
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.encrypt([1], under: key) }
        set(nil)
        #expect(try await client.decrypt(sealed).revealed == [1])
    }

    @Test func `the proxy takes nothing that is not signed for it, now`() async throws {
        let path = address.path
        func send(
            _ target: String, method: String = "POST", service: String = "kms-xks-proxy", age: Double = 0,
            _ body: String = #"{"requestMetadata":{"kmsOperation":"o","kmsRequestId":"r"}}"#
        ) async throws -> Int {
            let request = HTTPRequest(
                method: method, target: target, headers: [("Host", "xks.example.com")], body: Array(body.utf8))
            let signer = RequestSigner(credential(), region: "us-east-1", service: service)
            return await proxy.answer(try signer.sign(request, at: clock.now.addingTimeInterval(-age))).status
        }
        #expect(try await send("\(path)/health") == 200)
        #expect(try await send("\(path)/health", method: "GET") == 405)
        #expect(try await send("\(path)/health", service: "kms") == 401)
        #expect(try await send("\(path)/health", age: 301) == 401)
        #expect(try await send("\(path)/health", age: -301) == 401)
        #expect(try await send("\(path)/health", "{") == 400)
        #expect(try await send("/kms/xks/v1/health") == 404)
        #expect(try await send("\(path)/keys/first/destroy") == 404)
        #expect(try await send("\(path)/keys/none/metadata") == 404)
        #expect(try await send("\(path)/keys/off/encrypt") == 400)
        #expect(try await send("\(path)/keys/first/encrypt") == 400)
        let unsigned = HTTPRequest(method: "POST", target: "\(path)/health", headers: [("Host", "h")], body: [])
        #expect(await proxy.answer(unsigned).status == 401)
    }

    /// The example of the specification, Appendix C.
    @Test func `the integrity value is the specification's`() throws {
        let value = try XKS.integrityValue(
            Array("project=nile,department=marketing".utf8), Array("key_version=1".utf8),
            #require(Data(base64Encoded: "HMrlRw85cAJUd5Ax")).map { $0 },
            #require(Data(base64Encoded: "ghxkK1txeDNn3q8Y")).map { $0 },
            #require(Data(base64Encoded: "vBxN2ncH1oEkR8WVXpmyYQ==")).map { $0 })
        #expect(Data(value).base64EncodedString() == "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=")
    }

    @Test(arguments: [
        ("http://a.example", "/kms/xks/v1"), ("https://", "/kms/xks/v1"), ("https://a_b.example", "/kms/xks/v1"),
        ("https://127.0.0.1", "/kms/xks/v1"), ("https://169.254.169.254:80", "/kms/xks/v1"),
        ("https://0x7f.1", "/kms/xks/v1"), ("https://a.example.", "/kms/xks/v1"), ("https://[::1]", "/kms/xks/v1"),
        ("https://a.example:+443", "/kms/xks/v1"), ("https://a.example/", "/kms/xks/v1"),
        ("https://a.example:0", "/kms/xks/v1"),
        ("https://a@b.example", "/kms/xks/v1"),
        ("https://a.example", "/kms/xks/v2"), ("https://a.example", "/../kms/xks/v1"),
        ("https://a.example", "//kms/xks/v1"),
        ("https://a.example", "kms/xks/v1"),
    ]) func `an address that is none is refused`(endpoint: String, path: String) {
        #expect(throws: KeyManagementError(.validation)) { _ = try XKSProxyAddress(endpoint: endpoint, path: path) }
    }
}
