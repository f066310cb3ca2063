import Cryptography
import KeyManagement
import StrongroomTestSupport
import Testing

/// What every ``RootOfTrust`` must do.
enum RootOfTrustSuite {
    /// - Parameter stranger: a root of the same kind with another secret.
    static func check(_ root: any RootOfTrust, stranger: any RootOfTrust) async throws {
        let key = try SecretBytes.random(count: 32)
        let context = Array("a store".utf8)
        let sealed = try await root.seal(key, context: context)
        let opened = try await root.open(sealed, context: context)
        #expect(opened.revealed == key.revealed)
        // Sealed twice, it shows no likeness.
        let again = try await root.seal(key, context: context)
        #expect(again.sealed != sealed.sealed)
        await refuse(stranger, sealed, context)
        await refuse(root, sealed, Array("another store".utf8))
        await refuse(root, SealedRootKey(kind: "other", parameters: sealed.parameters, sealed: sealed.sealed), context)
        for index in [0, sealed.sealed.count / 2, sealed.sealed.count - 1] {
            var bytes = sealed.sealed
            bytes[index] ^= 1
            await refuse(root, SealedRootKey(kind: sealed.kind, parameters: sealed.parameters, sealed: bytes), context)
        }
        for bytes in [[], Array(sealed.sealed.dropLast())] {
            await refuse(root, SealedRootKey(kind: sealed.kind, parameters: sealed.parameters, sealed: bytes), context)
        }
    }

    private static func refuse(_ root: any RootOfTrust, _ sealed: SealedRootKey, _ context: [UInt8]) async {
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) {
            _ = try await root.open(sealed, context: context).count
        }
    }
}

@Suite struct RootOfTrustTests {
    @Test func `a key file is a root of trust`() async throws {
        try await RootOfTrustSuite.check(testRoot(1), stranger: testRoot(2))
    }

    @Test func `a passphrase is a root of trust`() async throws {
        let cost = try Scrypt(cost: 2, blockSize: 1, parallelism: 1)
        let roots = ["one", "two"].map { PassphraseRoot(SecretBytes(copying: Array($0.utf8)), cost: cost) }
        try await RootOfTrustSuite.check(roots[0], stranger: roots[1])
    }

    @Test func `a custodian's key is a root of trust`() async throws {
        let custodian = try SoftwareCustodian(store: MemoryRecordStore(), key: .random(count: 32))
        let roots = try (0...1).map { _ in CustodianRoot(custodian, key: try custodian.makeKey(.sealing)) }
        try await RootOfTrustSuite.check(roots[0], stranger: roots[1])
    }
}
