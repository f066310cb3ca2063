import Cryptography
import Foundation
import StrongroomTestSupport
import Testing

@testable import KeyManagement

/// Every operation on a key of another account: nothing without the key's policy, and with it only what AWS opens to others.
@Suite struct TenantTests {
    typealias Operation = (name: String, isOpen: Bool, run: (KeyManagementClient) async throws -> Void)

    let service: KeyManagementService
    let owner: KeyManagementClient

    init() async throws {
        service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: testRoot(), clock: MovableClock())
        owner = service.client(for: .root(account: "111122223333"))
    }

    private func operations(_ policy: PolicyDocument?) async throws -> [Operation] {
        let key = try await owner.createKey(
            .symmetric, alias: "alias/tenant", policy: policy, bypassingLockoutCheck: true)
        let signing = try await owner.createKey(.ecdsa(.p256), policy: policy, bypassingLockoutCheck: true)
        let codes = try await owner.createKey(.hmac(.sha256), policy: policy, bypassingLockoutCheck: true)
        let agreeing = try await owner.createKey(.ecdh(.p256), policy: policy, bypassingLockoutCheck: true)
        let pair = try await owner.createKey(.rsaOAEP(.bits2048), policy: policy, bypassingLockoutCheck: true)
        let brought = try await owner.createKeyForImport(.symmetric, policy: policy, bypassingLockoutCheck: true)
        let id = KeyIdentifier(key)
        let alias = NamedKey<Encryption>("arn:aws:kms:us-east-1:111122223333:alias/tenant")
        let own = service.client(for: .root(account: "111122223333"))
        let sealed = try await own.encrypt([1], under: key)
        let encrypted = try await own.encrypt([1], under: pair, using: .rsaOAEPSHA256)
        let signature = try await own.sign([1], with: signing, using: .ecdsaSHA256)
        let code = try await own.generateMAC(for: [1], with: codes)
        let peer = try ECDH.PrivateKey(.p256).subjectPublicKeyInfo
        let grantee = PrincipalName.user("x", account: "111122223333")
        let (grant, _) = try await own.createGrant(on: id, to: grantee, allowing: [.encrypt])
        let document = try policy ?? .delegating(toAccount: "111122223333")
        return [
            ("Encrypt", true, { _ = try await $0.encrypt([1], under: key) }),
            ("Encrypt by alias", true, { _ = try await $0.encrypt([1], under: alias) }),
            ("Encrypt, asymmetric", true, { _ = try await $0.encrypt([1], under: pair, using: .rsaOAEPSHA256) }),
            ("Decrypt", true, { _ = try await $0.decrypt(sealed) }),
            ("Decrypt, asymmetric", true, { _ = try await $0.decrypt(encrypted, with: pair, using: .rsaOAEPSHA256) }),
            ("ReEncrypt", true, { _ = try await $0.reEncrypt(sealed, under: key) }),
            ("GenerateDataKey", true, { _ = try await $0.generateDataKey(under: key) }),
            ("WithoutPlaintext", true, { _ = try await $0.generateDataKeyWithoutPlaintext(under: key) }),
            ("Pair", true, { _ = try await $0.generateDataKeyPair(.ed25519, under: key) }),
            ("Sign", true, { _ = try await $0.sign([1], with: signing, using: .ecdsaSHA256) }),
            ("Verify", true, { try await $0.verify(signature, for: [1], with: signing, using: .ecdsaSHA256) }),
            ("GenerateMac", true, { _ = try await $0.generateMAC(for: [1], with: codes) }),
            ("VerifyMac", true, { try await $0.verifyMAC(code, for: [1], with: codes) }),
            ("DeriveSharedSecret", true, { _ = try await $0.deriveSharedSecret(with: agreeing, peer: peer) }),
            ("GetPublicKey", true, { _ = try await $0.publicKey(of: KeyIdentifier(signing)) }),
            ("DescribeKey", true, { _ = try await $0.describe(id) }),
            ("GetKeyRotationStatus", true, { _ = try await $0.rotationSchedule(of: id) }),
            ("CreateGrant", true, { _ = try await $0.createGrant(on: id, to: grantee, allowing: [.decrypt]) }),
            ("ListGrants", true, { _ = try await $0.grants(on: id) }),
            ("RevokeGrant", true, { try await $0.revokeGrant(grant.id, on: id) }),
            ("EnableKey", false, { try await $0.enable(id) }), ("DisableKey", false, { try await $0.disable(id) }),
            ("ScheduleKeyDeletion", false, { try await $0.scheduleDeletion(id) }),
            ("CancelKeyDeletion", false, { try await $0.cancelDeletion(id) }),
            ("GetKeyPolicy", false, { _ = try await $0.policy(of: id) }),
            ("PutKeyPolicy", false, { try await $0.putPolicy(document, on: id) }),
            ("ListKeyPolicies", false, { _ = try await $0.policyNames(of: id) }),
            ("UpdateKeyDescription", false, { try await $0.updateDescription(of: id, to: "x") }),
            ("TagResource", false, { try await $0.tag(id, ["a": "b"]) }),
            ("UntagResource", false, { try await $0.untag(id, ["a"]) }),
            ("ListResourceTags", false, { _ = try await $0.tags(of: id) }),
            ("CreateAlias", false, { try await $0.createAlias("alias/stolen", for: id) }),
            ("UpdateAlias", false, { try await $0.updateAlias("alias/tenant", to: id) }),
            ("DeleteAlias", false, { try await $0.deleteAlias("alias/tenant") }),
            ("ListAliases", false, { _ = try await $0.listAliases(of: id) }),
            ("EnableKeyRotation", false, { try await $0.enableRotation(of: id) }),
            ("DisableKeyRotation", false, { try await $0.disableRotation(of: id) }),
            ("RotateKeyOnDemand", false, { try await $0.rotate(id) }),
            ("ListKeyRotations", false, { _ = try await $0.rotations(of: id) }),
            ("GetParametersForImport", false, { _ = try await $0.importParameters(for: KeyIdentifier(brought)) }),
            (
                "DeleteImportedKeyMaterial", false,
                { _ = try await $0.deleteImportedKeyMaterial(of: KeyIdentifier(brought)) }
            ),
            (
                "SimulatePrincipalPolicy", false,
                {
                    _ = try await $0.simulate("kms:Decrypt", on: id, as: .root(account: "444455556666"))
                }
            ),
        ]
    }

    @Test func `without the key's policy another account gets nothing`() async throws {
        let stranger = service.client(for: .root(account: "444455556666"))
        for operation in try await operations(nil) {
            do {
                try await operation.run(stranger)
                Issue.record("\(operation.name) was allowed")
            } catch let error as KeyManagementError {
                #expect([.accessDenied, .notFound].contains(error.code), "\(operation.name): \(error)")
            }
        }
        #expect(try await stranger.listKeys().isEmpty)
        #expect(try await stranger.listAliases().isEmpty)
        #expect(try await stranger.directory.members().isEmpty)
    }

    @Test func `with it, another account gets what AWS opens to others`() async throws {
        let everything = try PolicyDocument(
            #"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#)
        let stranger = service.client(for: .root(account: "444455556666"))
        for operation in try await operations(everything) {
            var isAllowed = true
            do { try await operation.run(stranger) } catch let error as KeyManagementError {
                isAllowed = false
                if !operation.isOpen {
                    #expect([.accessDenied, .notFound].contains(error.code), "\(operation.name): \(error)")
                }
            }
            #expect(isAllowed == operation.isOpen, "\(operation.name)")
        }
        // Nothing has changed.
        #expect(try await owner.describe("alias/tenant").state == .enabled)
        #expect(try await owner.listAliases().map(\.name) == ["alias/tenant"])
    }
}
