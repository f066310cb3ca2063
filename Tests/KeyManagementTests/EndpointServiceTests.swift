import Foundation
import StrongroomTestSupport
import Synchronization
import Testing

@testable import KeyManagement

/// External key stores on ways of their own.
extension ExternalKeyStoreTests {
    @Test func `an endpoint service leads to one proxy, for those who may use it`() async throws {
        let (name, others) = ("private", "444455556666")
        let way = XKSEndpointService(
            owner: others, host: "xks.example.com", accounts: [others, Self.account], transport: wire)
        func open(_ ways: [String: XKSEndpointService]) async throws -> KeyManagementClient {
            try await KeyManagementService(
                store: store, rootOfTrust: testRoot(), endpointServices: ways, clock: clock
            ).client(for: .user("admin", account: Self.account))
        }
        let client = try await open([name: way])
        func make(_ connectivity: XKSConnectivity, at endpoint: String) async throws -> String {
            let address = try XKSProxyAddress(endpoint: endpoint, path: address.path, connectivity: connectivity)
            return try await client.createKeyStore("\(UUID())", proxy: address, credential: credential())
        }
        let refusals: [(XKSConnectivity, String, KeyManagementError.Code)] = [
            // The own account's, which it is not; one that is not there; one that leads elsewhere; none at all.
            (.endpointService(name), address.endpoint, .endpointServiceNotFound),
            (.endpointService("other", owner: others), address.endpoint, .endpointServiceNotFound),
            (.endpointService(name, owner: others), "https://kms.example.com", .invalidEndpointService),
            (.publicEndpoint, address.endpoint, .unsupportedOperation),
        ]
        for (connectivity, endpoint, code) in refusals {
            await #expect(throws: KeyManagementError(code)) { _ = try await make(connectivity, at: endpoint) }
        }
        // Not even one who only tries learns who has a key store where the account may have none.
        for connectivity in [XKSConnectivity.endpointService(name), .endpointService("other", owner: others)] {
            let address = try XKSProxyAddress(
                endpoint: address.endpoint, path: address.path, connectivity: connectivity)
            await #expect(throws: KeyManagementError(.endpointServiceNotFound)) {
                try await client.dryRun { client in
                    _ = try await client.createKeyStore("tried", proxy: address, credential: credential())
                }
            }
        }
        let shared = XKSConnectivity.endpointService(name, owner: others)
        let id = try await make(shared, at: address.endpoint)
        // Nothing was asked of the proxy yet.
        #expect(wire.seen.withLock { $0.isEmpty })
        await #expect(throws: KeyManagementError(.endpointServiceInUse)) {
            _ = try await make(shared, at: address.endpoint)
        }
        #expect(try await client.connectKeyStore(id) == .connected)
        let key = try await client.createKey(.symmetric, in: id, externalKey: "first")
        let sealed = try await client.encrypt([1, 2, 3], under: key)
        // A process that has no such way, or one that leads elsewhere.
        let blind = try await open([:])
        let astray = try await open([
            name: XKSEndpointService(owner: others, host: "x.example.com", accounts: [Self.account], transport: wire)
        ])
        for client in [blind, astray] {
            await #expect(throws: KeyManagementError(.invalidState)) { _ = try await client.decrypt(sealed) }
        }
        try await client.disconnectKeyStore(id)
        #expect(try await blind.connectKeyStore(id) == .failed(.endpointServiceNotFound))
        try await blind.disconnectKeyStore(id)
        #expect(try await astray.connectKeyStore(id) == .failed(.invalidEndpointService))
        try await client.disconnectKeyStore(id)
        try await client.connectKeyStore(id)
        #expect(try await client.decrypt(sealed).revealed == [1, 2, 3])
        await #expect(throws: KeyManagementError(.validation)) {
            try await client.updateKeyStore(id, connectivity: .publicEndpoint)
        }
        // The owner stays who it is; and what is in use is asked before it is used in another way.
        try await client.updateKeyStore(id, endpoint: address.endpoint, connectivity: .endpointService(name))
        wire.fault.withLock { $0 = { (_, _) throws(XKSTransportError) in throw .notReachable } }
        await #expect(throws: KeyManagementError(.unreachableProxy)) {
            try await client.updateKeyStore(id, path: "/other/kms/xks/v1")
        }
        wire.fault.withLock { $0 = nil }
        #expect(try await client.decrypt(sealed).revealed == [1, 2, 3])
    }
}
