import Cryptography
import KeyManagement
import StrongroomTestSupport
import Testing

@Suite struct CustodianTests {
    let store = MemoryRecordStore()
    let key = [UInt8](repeating: 5, count: 32)

    func custodian() throws -> SoftwareCustodian { try SoftwareCustodian(store: store, key: SecretBytes(copying: key)) }

    @Test func `the software custodian passes the suite`() async throws {
        try await KeyCustodianSuite.check(try custodian())
    }

    @Test func `keys outlive their custodian, and a destroyed one is gone for others too`() async throws {
        let (first, second) = (try custodian(), try custodian())
        let handle = try first.makeKey(.ecdsa(.p256))
        let signer = try second.signer(handle)
        try await SignerSuite.check(signer)
        try first.destroy(handle)
        let message: [UInt8] = [1]
        await #expect(throws: CryptographyError(.unknownKey)) {
            _ = try await signer.sign(message.span, using: .ecdsaSHA256)
        }
    }

    @Test func `the store shows no key, and another key opens none`() throws {
        let custodian = try custodian()
        let handle = try custodian.makeKey(.sealing)
        let stranger = try SoftwareCustodian(store: store, key: .random(count: 32))
        #expect(throws: CryptographyError(.authenticationFailure)) { _ = try stranger.kind(of: handle) }
        // A record moved to another name does not open there.
        let other = try custodian.makeKey(.sealing)
        let records = try store.records(prefix: "custody/")
        let (from, to) = (records[0], records[1])
        try store.commit([.put(to.name, from.value, expecting: .version(to.version))])
        let moved = to.name.description.hasSuffix(other.description) ? other : handle
        #expect(throws: CryptographyError(.authenticationFailure)) { _ = try custodian.kind(of: moved) }
    }

    @Test func `a store opens under a custodian's key, and under nothing else`() async throws {
        let keys = try custodian()
        let handle = try keys.makeKey(.sealing)
        let root = CustodianRoot(keys, key: handle)
        let state = MemoryRecordStore()
        let service = try await KeyManagementService(store: state, rootOfTrust: root)
        let client = service.client(for: .root(account: "111122223333"))
        let orders = try await client.createKey(.symmetric, alias: "alias/orders")
        let sealed = try await client.encrypt([1, 2], under: orders)
        let again = try await KeyManagementService(store: state, rootOfTrust: root)
        let opened = try await again.client(for: .root(account: "111122223333")).decrypt(sealed).revealed
        #expect(opened == [1, 2])
        let refusal = KeyManagementError(.wrongRootOfTrust)
        for handle in [try keys.makeKey(.sealing), KeyHandle([1])] {
            await #expect(throws: refusal) {
                _ = try await KeyManagementService(store: state, rootOfTrust: CustodianRoot(keys, key: handle))
            }
        }
        await #expect(throws: refusal) {
            _ = try await KeyManagementService(store: state, rootOfTrust: PassphraseRoot(SecretBytes(copying: [1])))
        }
        try keys.destroy(handle)
        await #expect(throws: refusal) { _ = try await KeyManagementService(store: state, rootOfTrust: root) }
    }
}
