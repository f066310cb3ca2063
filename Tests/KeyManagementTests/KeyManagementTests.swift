import Auditing
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

@Suite struct KeyManagementTests: OneStore {
    let store = MemoryRecordStore()
    let clock = MovableClock()

    @Test func `the first example works`() async throws {
        let admin = try await alice()
        let card = Array("4111 1111 1111 1111".utf8)
        let orders = try await admin.createKey(.symmetric, alias: "alias/orders")
        let sealed = try await admin.encrypt(card, under: orders, context: ["tenant": "42"])
        let opened = try await admin.decrypt(sealed, context: ["tenant": "42"])
        #expect(opened.revealed == card)
        #expect(sealed.bytes.count == card.count + Ciphertext.overhead)
        let later = try await admin.key("alias/orders", for: Encryption.self)
        #expect(later == orders)
        #expect(orders.arn.description.hasPrefix("arn:aws:kms:us-east-1:111122223333:key/"))
        await #expect(throws: KeyManagementError(.invalidKeyUsage)) {
            _ = try await admin.key("alias/orders", for: Signing.self)
        }
        for context in [EncryptionContext.none, ["tenant": "43"], ["Tenant": "42"], ["tenant": "42", "x": ""]] {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await admin.decrypt(sealed, context: context)
            }
        }
    }

    @Test func `any flipped bit and any cut of a blob is refused alike`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric)
        let sealed = try await admin.encrypt([1, 2, 3, 4, 5], under: key)
        for position in 0..<sealed.bytes.count * 8 {
            var bytes = sealed.bytes
            bytes[position / 8] ^= 1 << UInt8(position % 8)
            await #expect(throws: KeyManagementError(.invalidCiphertext), "bit \(position)") {
                _ = try await admin.decrypt(Ciphertext(bytes))
            }
        }
        for count in 0..<sealed.bytes.count {
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await admin.decrypt(Ciphertext(Array(sealed.bytes.prefix(count))))
            }
        }
        await #expect(throws: KeyManagementError(.invalidCiphertext)) {
            _ = try await admin.decrypt(Ciphertext(sealed.bytes + [0]))
        }
    }

    @Test func `data keys open again, and re-encryption moves between keys and contexts`() async throws {
        let admin = try await alice()
        let (first, second) = (try await admin.createKey(.symmetric), try await admin.createKey(.symmetric))
        let dataKey = try await admin.generateDataKey(under: first, context: ["a": "b"])
        #expect(dataKey.keyARN == first.arn)
        let opened = try await admin.decrypt(dataKey.ciphertext, context: ["a": "b"])
        #expect(opened.revealed == dataKey.plaintext.revealed)
        let moved = try await admin.reEncrypt(
            dataKey.ciphertext, context: ["a": "b"], under: second, newContext: ["c": "d"])
        let again = try await admin.decrypt(moved, context: ["c": "d"], under: KeyIdentifier(second))
        #expect(again.revealed == dataKey.plaintext.revealed)
        await #expect(throws: KeyManagementError(.incorrectKey)) {
            _ = try await admin.decrypt(moved, context: ["c": "d"], under: KeyIdentifier(first))
        }
        let blind = try await admin.generateDataKeyWithoutPlaintext(under: first, byteCount: 64)
        #expect(try await admin.decrypt(blind).count == 64)
        for count in [0, 4097] {
            await #expect(throws: KeyManagementError(.validation)) {
                _ = try await admin.encrypt([UInt8](repeating: 0, count: count), under: first)
            }
        }
    }

    @Test func `a key lives through its states`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric, alias: "alias/k")
        let id = KeyIdentifier(key)
        let sealed = try await admin.encrypt([1], under: key)
        try await admin.disable(id)
        await #expect(throws: KeyManagementError(.disabled)) { _ = try await admin.decrypt(sealed) }
        await #expect(throws: KeyManagementError(.disabled)) { try await admin.rotate(id) }
        try await admin.enable(id)
        try await admin.rotate(id)
        let newer = try await admin.encrypt([2], under: key)
        #expect(newer.bytes[3..<35] != sealed.bytes[3..<35])
        #expect(try await admin.decrypt(sealed).revealed == [1])
        #expect(try await admin.decrypt(newer).revealed == [2])
        let date = try await admin.scheduleDeletion(id, afterDays: 7)
        #expect(try await admin.describe("alias/k").deletionDate == date)
        await #expect(throws: KeyManagementError(.invalidState)) { _ = try await admin.decrypt(sealed) }
        await #expect(throws: KeyManagementError(.invalidState)) { try await admin.enable(id) }
        try await admin.cancelDeletion(id)
        await #expect(throws: KeyManagementError(.invalidState)) { try await admin.cancelDeletion(id) }
        #expect(try await admin.describe(id).state == .disabled)
        try await admin.enable(id)
        try await admin.scheduleDeletion(id, afterDays: 7)
        clock.advance(days: 8)
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await admin.describe(id) }
        await #expect(throws: KeyManagementError(.invalidCiphertext)) { _ = try await admin.decrypt(sealed) }
        await #expect(throws: KeyManagementError(.notFound)) { try await admin.cancelDeletion(id) }
        #expect(try await admin.service.deleteDueKeys() == 1)
        #expect(try await admin.listAliases().isEmpty)
        #expect(try store.records(prefix: "key/").isEmpty)
    }

    @Test(arguments: [400.0, -400]) func `a clock that jumps deletes nothing`(_ days: Double) async throws {
        let admin = try await alice()
        let (waiting, other) = (try await admin.createKey(.symmetric), try await admin.createKey(.symmetric))
        let sealed = try await admin.encrypt([7], under: waiting)
        try await admin.scheduleDeletion(KeyIdentifier(waiting))
        clock.advance(days: 1)
        clock.jump(days: days)
        await #expect(throws: KeyManagementError(.clockJumped)) { try await admin.service.deleteDueKeys() }
        await #expect(throws: KeyManagementError(.clockJumped)) {
            try await admin.scheduleDeletion(KeyIdentifier(other))
        }
        await #expect(throws: KeyManagementError(.clockJumped)) { try await admin.createKey(.symmetric) }
        await #expect(throws: KeyManagementError(.clockJumped)) { try await admin.rotate(KeyIdentifier(other)) }
        // Opened on a clock that is behind the store's own keys, a service does not take it for the time either.
        if days < 0 {
            let again = try await alice()
            await #expect(throws: KeyManagementError(.clockJumped)) {
                try await again.scheduleDeletion(KeyIdentifier(other))
            }
        }
        // The clock is right again, and everything is there.
        clock.jump(days: -days)
        #expect(try await admin.service.deleteDueKeys() == 0)
        try await admin.cancelDeletion(KeyIdentifier(waiting))
        try await admin.enable(KeyIdentifier(waiting))
        #expect(try await admin.decrypt(sealed).revealed == [7])
        #expect(try await admin.service.verifyAuditTrail(unlockedBy: testRoot()).isSound)
    }

    @Test func `keys rotate by their schedule, once for all processes, and on demand at most 25 times`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric)
        let id = KeyIdentifier(key)
        let first = try await admin.encrypt([1], under: key)
        for days in [89, 2561] {
            await #expect(throws: KeyManagementError(.validation)) {
                try await admin.enableRotation(of: id, everyDays: days)
            }
        }
        #expect(try await admin.rotationSchedule(of: id) == nil)
        try await admin.enableRotation(of: id, everyDays: 100)
        let start = clock.now
        let (one, two) = (try await service(testRoot()), try await service(testRoot()))
        #expect(try await one.rotateDueKeys() == 0)
        clock.advance(days: 101)
        async let byOne = one.rotateDueKeys()
        async let byTwo = two.rotateDueKeys()
        #expect(try await byOne + byTwo == 1)
        let schedule = try #require(try await admin.rotationSchedule(of: id))
        #expect(schedule.periodInDays == 100 && abs(schedule.nextRotation.timeIntervalSince(start) - 200 * 86400) < 5)
        // Three dates missed are one rotation, and the dates stay.
        clock.advance(days: 305)
        try await admin.disable(id)
        #expect(try await one.rotateDueKeys() == 0)
        try await admin.enable(id)
        #expect(try await one.rotateDueKeys() == 1)
        let later = try #require(try await admin.rotationSchedule(of: id))
        #expect(abs(later.nextRotation.timeIntervalSince(start) - 500 * 86400) < 5)
        try await admin.rotate(id)
        let history = try await admin.rotations(of: id)
        #expect(history.map(\.kind) == [nil, .automatic, .automatic, .onDemand])
        #expect(history.map { $0.state == .current } == [false, false, false, true])
        #expect(try await admin.decrypt(first).revealed == [1])
        for _ in 1..<25 { try await admin.rotate(id) }
        await #expect(throws: KeyManagementError(.limitExceeded)) { try await admin.rotate(id) }
        try await admin.disableRotation(of: id)
        clock.advance(days: 1000)
        #expect(try await two.rotateDueKeys() == 0)
        clock.jump(days: 3000)
        await #expect(throws: KeyManagementError(.clockJumped)) { _ = try await two.rotateDueKeys() }
        let mac = try await self.service(testRoot()).client(for: .user("alice", account: "111122223333"))
            .createKey(.hmac(.sha256))
        await #expect(throws: KeyManagementError(.unsupportedOperation)) {
            try await admin.enableRotation(of: KeyIdentifier(mac))
        }
    }

    @Test func `data-key pairs work, and open again`() async throws {
        let admin = try await alice()
        let key = try await admin.createKey(.symmetric)
        let kinds: [DataKeyPairKind] =
            EllipticCurve.allCases.map { .ellipticCurve($0) } + [.ed25519, .rsa(.bits2048), .rsa(.bits4096)]
        for kind in kinds {
            let pair = try await admin.generateDataKeyPair(kind, under: key, context: ["a": "b"])
            let opened = try await admin.decrypt(pair.ciphertext, context: ["a": "b"])
            #expect(opened.revealed == pair.privateKey.revealed)
            let half: [UInt8]
            switch try KeyAlgorithm(pkcs8: opened.bytes) {
            case .ellipticCurve: half = try ECDSA.PrivateKey(pkcs8: opened.bytes).subjectPublicKeyInfo
            case .rsa: half = try RSA.PrivateKey(pkcs8: opened.bytes).subjectPublicKeyInfo
            default: half = try Ed25519.PrivateKey(pkcs8: opened.bytes).subjectPublicKeyInfo
            }
            #expect(half == pair.publicKey)
            await #expect(throws: KeyManagementError(.invalidCiphertext)) {
                _ = try await admin.decrypt(pair.ciphertext).count
            }
        }
        let (info, sealed) = try await admin.generateDataKeyPairWithoutPlaintext(.ed25519, under: key)
        let private1 = try await admin.decrypt(sealed)
        #expect(try Ed25519.PrivateKey(pkcs8: private1.bytes).subjectPublicKeyInfo == info)
    }

    @Test func `aliases move and go`() async throws {
        let admin = try await alice()
        let (first, second) = (try await admin.createKey(.symmetric), try await admin.createKey(.symmetric))
        try await admin.createAlias("alias/a", for: KeyIdentifier(first))
        await #expect(throws: KeyManagementError(.alreadyExists)) {
            try await admin.createAlias("alias/a", for: KeyIdentifier(second))
        }
        try await admin.updateAlias("alias/a", to: KeyIdentifier(second))
        #expect(try await admin.key("alias/a", for: Encryption.self) == second)
        #expect(try await admin.listAliases().map(\.target) == [second.id])
        try await admin.deleteAlias("alias/a")
        await #expect(throws: KeyManagementError(.notFound)) { _ = try await admin.describe("alias/a") }
        for name in [
            "a", "alias/", "alias/a:b", "alias/ä", "alias/" + String(repeating: "x", count: 251),
        ] {
            await #expect(throws: KeyManagementError(.invalidAliasName)) {
                try await admin.createAlias(name, for: KeyIdentifier(first))
            }
        }
        await #expect(throws: KeyManagementError(.notAuthorized)) {
            try await admin.createAlias("alias/aws/x", for: KeyIdentifier(first))
        }
    }

    @Test func `policies decide, and say what did`() async throws {
        let everything = try PolicyDocument(
            #"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#)
        let service = try await service(
            testRoot(),
            access: .authorizer(
                PolicyEngine { principal in
                    principal == .user("alice", account: "111122223333") ? [IdentityPolicy("admin", everything)] : []
                }))
        let admin = service.client(for: .user("alice", account: "111122223333"))
        let bob = service.client(for: .user("bob", account: "111122223333"))
        let stranger = service.client(for: .user("alice", account: "444455556666"))
        let key = try await admin.createKey(.symmetric)
        let sealed = try await admin.encrypt([1], under: key, context: ["tenant": "42"])
        for client in [bob, stranger] {
            await #expect(throws: KeyManagementError(.accessDenied)) {
                _ = try await client.decrypt(sealed, context: ["tenant": "42"])
            }
        }
        try await admin.putPolicy(
            try PolicyDocument(
                #"""
                {"Version":"2012-10-17","Statement":[
                  {"Sid":"Account","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
                  {"Sid":"Bob42","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},
                   "Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*",
                   "Condition":{"StringEquals":{"kms:EncryptionContext:tenant":["42","43"]}}},
                  {"Sid":"Never44","Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*",
                   "Condition":{"StringLike":{"kms:EncryptionContext:tenant":"4?"},
                                "StringNotEquals":{"kms:EncryptionContext:tenant":"42"}}}]}
                """#), on: KeyIdentifier(key))
        #expect(try await bob.decrypt(sealed, context: ["tenant": "42"]).revealed == [1])
        await #expect(throws: KeyManagementError(.accessDenied)) { _ = try await bob.encrypt([1], under: key) }
        do {
            _ = try await admin.encrypt([1], under: key, context: ["tenant": "44"])
            Issue.record("an explicit deny was passed over")
        } catch {
            #expect(error.message.hasSuffix("with an explicit deny in key policy, Never44"))
        }
        await #expect(throws: KeyManagementError(.malformedPolicy)) {
            try await admin.putPolicy(
                try PolicyDocument(
                    #"{"Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}}"#),
                on: KeyIdentifier(key))
        }
    }
}
