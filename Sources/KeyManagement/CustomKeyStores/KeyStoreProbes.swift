internal import AWSSignature
internal import Auditing
internal import Cryptography

/// A secret that a change may be tried with more than once.
final class KeyStoreSecret: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    func checkLength() throws(KeyManagementError) {
        guard (7...32).contains(bytes.count) else {
            throw KeyManagementError(.validation, "a password has 7 to 32 characters")
        }
    }
}

/// What is asked of others before a key store is changed: within no change, which may be tried again.
extension KeyManagementClient {
    /// What the trail tells of a proxy.
    static func parameters(_ proxy: XKSProxyAddress, _ accessKeyID: String) -> [(String, AuditEvent.Value)] {
        var parameters: [(String, AuditEvent.Value)] = [
            ("xksProxyUriEndpoint", .text(proxy.endpoint)), ("xksProxyUriPath", .text(proxy.path)),
            ("xksProxyAuthenticationAccessKeyId", .text(accessKeyID)),
        ]
        if case .endpointService(let name, let owner) = proxy.connectivity {
            parameters.append(("xksProxyVpcEndpointServiceName", .text(name)))
            if let owner { parameters.append(("xksProxyVpcEndpointServiceOwner", .text(owner))) }
        }
        return parameters
    }

    /// The client for what follows, where policies let the principal do this and its requests are not too many: asked before somebody else is
    /// bothered. Policies are asked again in the operation itself; the request is counted. Where this is nil, the operation refuses itself.
    func admitted(_ operation: String) -> KeyManagementClient? {
        let log = OperationLog(name: operation, caller: caller, time: service.clock.now, isReadOnly: false)
        do {
            try service.check(caller, at: log.time)
            try service.authorize(operation, resource: "*", inAccount: principal.account, log)
            try service.limiter.take(operation, account: principal.account, at: service.clock.uptime)
        } catch { return nil }
        return copy { $0.isAdmitted = true }
    }

    /// The state of a cluster, as far as the principal may have a key store there. What is only tried bothers nobody.
    func state(ofCluster cluster: String?) async -> KeyStoreCluster.State {
        guard !caller.isDryRun, let known = cluster.flatMap({ service.connections.clusters[$0] }),
            known.accounts.contains(principal.account)
        else { return .active }
        return await known.state()
    }

    /// Asks a proxy whether it works with a credential. Refusals are recorded. One that is reached by an endpoint service is not asked
    /// before the key store is connected, as with AWS.
    ///
    /// - Parameter isConnected: whether what is changed is in use: then any proxy is asked.
    func checkProxy(
        _ operation: String, _ proxy: XKSProxyAddress, _ credential: consuming AccessKey,
        _ parameters: [(String, AuditEvent.Value)], isConnected: Bool = false
    ) async throws(KeyManagementError) {
        let isWellFormed =
            (20...30).contains(credential.id.utf8.count) && (43...64).contains(credential.secret.count)
            && credential.id.unicodeScalars.allSatisfy { ("A"..."Z").contains($0) || ("2"..."7").contains($0) }
        do throws(KeyManagementError) {
            guard isWellFormed else {
                throw KeyManagementError(.validation, "a credential is of 20 to 30 and 43 to 64 characters")
            }
            let client = try service.connections.client(proxy, credential, of: principal.account)
            // What is only tried bothers nobody else.
            guard proxy.endpointService == nil || isConnected, !caller.isDryRun else { return }
            do throws(XKSFailure) {
                try await client.checkHealth(service.requestMetadata(operation, nil))
            } catch { throw error.whileConfiguring }
        } catch {
            try await service.perform(operation, as: caller) { (log: inout OperationLog) throws -> Void in
                log.isReadOnly = false
                log.parameters = parameters
                throw error
            }
        }
    }
}

extension KeyStoreConnections {
    /// Tries a key store. Nil where it works.
    func probe(_ record: KeyStoreRecord, _ metadata: XKS.RequestMetadata) async -> KeyStoreConnectionError? {
        guard let proxy = record.proxy else {
            do throws(KeyStoreConnectionError) { _ = try await custodian(record, isNew: true) } catch { return error }
            return nil
        }
        do throws(KeyManagementError) { _ = try endpointService(proxy.address, of: record.account) } catch {
            return error.code == .endpointServiceNotFound
                ? .endpointServiceNotFound
                : error.code == .invalidEndpointService ? .invalidEndpointService : .internalError
        }
        guard let client = try? self.proxy(record) else { return .internalError }
        do throws(XKSFailure) { try await client.checkHealth(metadata) } catch { return error.connectionError }
        return nil
    }
}

extension KeyManagementError {
    /// Somebody was not let through, and now is: what had to be asked before was not.
    static let policiesAreChanging = KeyManagementError(.conflict, "policies are being changed")
}

extension KeyStoreCluster.State? {
    /// Refuses a cluster that can have no key store, or whose state nobody could ask for.
    func check() throws(KeyManagementError) {
        switch self {
        case nil: throw .policiesAreChanging
        case .active: return
        case .inactive: throw KeyManagementError(.clusterNotActive)
        case .misconfigured(let reason): throw KeyManagementError(.invalidClusterConfiguration, reason)
        }
    }
}
