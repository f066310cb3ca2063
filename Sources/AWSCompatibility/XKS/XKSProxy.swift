public import AWSSignature
public import Cryptography
internal import FoundationEssentials
public import KeyManagement

/// An external key store's proxy: the owner's side of the XKS proxy protocol, version 1, over the keys of any ``KeyCustodian``, such as
/// an HSM's partition. AWS KMS can use it, and so can this key service.
///
/// It has no transport: bytes and fields in, bytes and status out. A server gives it HTTPS with the name of its endpoint.
/// Source: AWS KMS External Key Store Proxy API Specification.
public final class XKSProxy: Sendable {
    /// A key that the proxy lets others use.
    public struct ExternalKey: Sendable, Hashable {
        let handle: KeyHandle
        let isEnabled: Bool

        /// Offers a custodian's key for sealing.
        public init(_ handle: KeyHandle, isEnabled: Bool = true) {
            self.handle = handle
            self.isEnabled = isEnabled
        }
    }

    /// A key that signs requests.
    public struct Credential: Sendable {
        let id: String
        let secret: KeptSecret

        /// Takes an identifier of 20 to 30 characters, A to Z and 2 to 7, and a secret of 43 to 64: AWS takes no others.
        public init(id: String, secret: consuming SecretBytes) {
            self.id = id
            self.secret = KeptSecret(secret)
        }
    }

    /// Who asks for what, as the request says it: its signature covers it, and nothing else is known of it.
    public struct Call: Sendable, Hashable {
        /// "encrypt", "decrypt", "metadata" or "health".
        public let action: String
        /// The external key's name; nil for a question of health.
        public let key: String?
        /// Who called the key service; nil for a question of health.
        public let principal: String?
        /// The ARN of the key service's key; nil before it is made.
        public let keyARN: String?
        /// What was called there.
        public let operation: String
        /// The call's identifier there.
        public let requestID: String
    }

    let custodian: any KeyCustodian
    private let path: String
    private let credentials: [String: KeptSecret]
    private let keys: [String: ExternalKey]
    private let clock: any WallClock
    private let authorize: @Sendable (Call) -> Bool
    private let record: @Sendable (Call, _ error: String?) async -> Void

    /// For how many seconds a signature is good (Appendix A, task 4).
    private static let tolerance = 300.0
    /// The most bytes of a request's content.
    private static let largestContent = 65536

    /// Describes a proxy.
    ///
    /// - Parameters:
    ///   - path: where it is under its endpoint; ends in `/kms/xks/v1`.
    ///   - credentials: which signatures are taken: two while they change.
    ///   - custodian: who keeps the keys.
    ///   - keys: by the names that requests have for them.
    ///   - clock: what time it is: a signature is good for five minutes.
    ///   - authorize: whether a call that is well signed may be done. Questions of health are not asked about.
    ///   - record: hears of each call and its outcome: the name of an error, or nil. Never a secret.
    public init(
        path: String, credentials: [Credential], custodian: any KeyCustodian, keys: [String: ExternalKey],
        clock: any WallClock = SystemClock(), authorize: @escaping @Sendable (Call) -> Bool = { _ in true },
        record: @escaping @Sendable (Call, _ error: String?) async -> Void = { _, _ in }
    ) {
        self.path = path
        self.credentials = Dictionary(credentials.map { ($0.id, $0.secret) }) { $1 }
        self.custodian = custodian
        self.keys = keys
        self.clock = clock
        self.authorize = authorize
        self.record = record
    }

    /// Answers a request.
    public func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.path.hasPrefix(path + "/") else { return XKSProxy.response(.invalidURIPath) }
        let parts = request.path.dropFirst(path.utf8.count + 1)
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let action: (name: String, key: String?)
        switch (parts.count, parts.first, parts.last) {
        case (1, "health", _): action = ("health", nil)
        case (3, "keys", let name?) where ["metadata", "encrypt", "decrypt"].contains(name): action = (name, parts[1])
        default: return XKSProxy.response(.invalidURIPath)
        }
        guard request.method == "POST" else { return HTTPResponse(status: 405, headers: [("Allow", "POST")]) }
        guard request.body.count <= XKSProxy.largestContent else { return XKSProxy.response(.validation) }
        guard isSigned(request) else { return XKSProxy.response(.authenticationFailed) }
        guard let plain: XKS.PlainRequest = XKSProxy.read(request.body) else { return XKSProxy.response(.validation) }
        let metadata = plain.requestMetadata
        let call = Call(
            action: action.name, key: action.key, principal: metadata.awsPrincipalArn, keyARN: metadata.kmsKeyArn,
            operation: metadata.kmsOperation, requestID: metadata.kmsRequestId)
        let response: HTTPResponse
        var failure: XKS.ErrorName?
        do throws(Refusal) {
            response = HTTPResponse(
                status: 200, headers: XKSProxy.headers, body: try await perform(call, request.body))
        } catch {
            failure = error.name
            response = XKSProxy.response(error.name)
        }
        await record(call, failure?.rawValue)
        return response
    }

    private func perform(_ call: Call, _ body: [UInt8]) async throws(Refusal) -> [UInt8] {
        guard let name = call.key else { return try await health() }
        guard authorize(call) else { throw Refusal(.accessDenied) }
        guard let key = keys[name] else { throw Refusal(.keyNotFound) }
        if call.action == "metadata" {
            return try XKSProxy.write(
                XKS.KeyMetadata(
                    keySpec: "AES_256", keyUsage: ["ENCRYPT", "DECRYPT"],
                    keyStatus: key.isEnabled ? "ENABLED" : "DISABLED"))
        }
        guard key.isEnabled else { throw Refusal(.invalidState) }
        let sealer: any Sealer
        do { sealer = try await custodian.sealer(key.handle) } catch { throw Refusal(wrapping: error) }
        if call.action == "encrypt" {
            guard let request: XKS.EncryptRequest = XKSProxy.read(body) else { throw Refusal(.validation) }
            return try XKSProxy.write(try await XKSProxy.encrypt(request, with: sealer))
        }
        guard let request: XKS.DecryptRequest = XKSProxy.read(body) else { throw Refusal(.validation) }
        return try XKSProxy.write(try await XKSProxy.decrypt(request, with: sealer))
    }

    /// Whether the custodian answers for one of some keys.
    private func health() async throws(Refusal) -> [UInt8] {
        var isActive = keys.isEmpty
        for key in keys.values.lazy.filter(\.isEnabled).prefix(10) where !isActive {
            isActive = (try? await custodian.kind(of: key.handle)) != nil
        }
        guard isActive else { throw Refusal(.internal) }
        return try XKSProxy.write(
            XKS.Health(
                vendor: "Strongroom", model: "Strongroom XKS proxy",
                managers: [.init(id: "custodian", model: "\(type(of: custodian))", healthStatus: "ACTIVE")]))
    }

    private func isSigned(_ request: HTTPRequest) -> Bool {
        do {
            let presented = try PresentedSignature(request)
            guard presented.scope.service == XKS.service, let secret = credentials[presented.accessKeyID] else {
                return false
            }
            try presented.check(
                with: presented.scope.signingKey(secret.bytes), at: clock.now, within: XKSProxy.tolerance)
        } catch { return false }
        return true
    }
}

extension XKSProxy: XKSTransport {
    /// Answers in this process, whatever the endpoint.
    public func send(_ request: HTTPRequest, to endpoint: String) async throws(XKSTransportError) -> HTTPResponse {
        await answer(request)
    }
}

extension XKSProxy {
    /// Why a call is refused.
    struct Refusal: Error {
        let name: XKS.ErrorName

        init(_ name: XKS.ErrorName) { self.name = name }

        /// A custodian's error.
        init(wrapping error: any Error) {
            switch (error as? CryptographyError)?.code {
            case .unknownKey: name = .keyNotFound
            case .unsupported: name = .invalidKeyUsage
            default: name = .internal
            }
        }
    }

    private static let headers = [(name: "Content-Type", value: "application/json")]

    private static func response(_ name: XKS.ErrorName) -> HTTPResponse {
        let body = try? write(XKS.Failure(errorName: name.rawValue, errorMessage: nil))
        return HTTPResponse(status: name.status, headers: headers, body: body ?? [])
    }

    private static func read<T: Decodable>(_ body: [UInt8]) -> T? {
        try? JSONDecoder().decode(T.self, from: Data(body))
    }

    private static func write(_ content: some Encodable) throws(Refusal) -> [UInt8] {
        do { return [UInt8](try JSONEncoder().encode(content)) } catch { throw Refusal(.internal) }
    }
}
