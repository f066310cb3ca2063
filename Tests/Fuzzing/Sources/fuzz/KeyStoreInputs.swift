import AWSCompatibility
import Foundation
import Synchronization

/// Both sides of the XKS proxy protocol: what a proxy answers, and what it is asked.
enum KeyStoreInputs {
    static let now = Date(timeIntervalSince1970: 1_790_000_000)
    nonisolated(unsafe) private static var made:
        (proxy: XKSProxy, wire: Wire, client: KeyManagementClient, key: Key<Encryption>)?
    static let path = "/kms/xks/v1"
    static let secret = [UInt8](repeating: UInt8(ascii: "s"), count: 43)

    private struct Clock: WallClock {
        var now: Date { KeyStoreInputs.now }
        var uptime: Duration { .zero }
    }

    /// Gives the proxy's answers, or other bytes in their place.
    final class Wire: XKSTransport {
        let proxy: XKSProxy
        let answer = Mutex<[UInt8]?>(nil)

        init(_ proxy: XKSProxy) { self.proxy = proxy }

        func send(_ request: HTTPRequest, to endpoint: String) async throws(XKSTransportError) -> HTTPResponse {
            guard let bytes = answer.withLock({ $0 }) else { return await proxy.answer(request) }
            return HTTPResponse(status: bytes.first == 0 ? 400 : 200, body: Array(bytes.dropFirst()))
        }
    }

    static var setup: (proxy: XKSProxy, wire: Wire, client: KeyManagementClient, key: Key<Encryption>) {
        guard let made else { fatalError("prepare first") }
        return made
    }

    static func prepare() async throws {
        let custodian = try SoftwareCustodian(store: MemoryRecordStore(), key: .random(count: 32))
        let handle = try custodian.makeKey(.sealing)
        let proxy = XKSProxy(
            path: path, credentials: [.init(id: "FUZZFUZZFUZZFUZZFUZZ", secret: SecretBytes(copying: secret))],
            custodian: custodian, keys: ["k": .init(handle)], clock: Clock())
        let wire = Wire(proxy)
        let service = try await KeyManagementService(
            store: MemoryRecordStore(), rootOfTrust: KeyFileRoot(key: .random(count: 32)), externalKeyStores: wire,
            clock: Clock())
        let client = service.client(for: .root(account: "111122223333"))
        let address = try XKSProxyAddress(endpoint: "https://a.example", path: path)
        let store = try await client.createKeyStore("a", proxy: address, credential: credential())
        try await client.connectKeyStore(store)
        made = (proxy, wire, client, try await client.createKey(.symmetric, in: store, externalKey: "k"))
    }

    static func credential() -> AccessKey {
        AccessKey(id: "FUZZFUZZFUZZFUZZFUZZ", secret: SecretBytes(copying: secret))
    }

    /// A signed request, so that what is behind the signature is reached.
    static func request(_ bytes: [UInt8]) throws -> HTTPRequest {
        let actions = ["health", "keys/k/metadata", "keys/k/encrypt", "keys/k/decrypt", "keys/x/encrypt"]
        let action = actions[Int(bytes.first ?? 0) % actions.count]
        let request = HTTPRequest(
            method: "POST", target: "\(path)/\(action)", headers: [("Host", "a.example")],
            body: Array(bytes.dropFirst()))
        return try RequestSigner(credential(), region: "us-east-1", service: "kms-xks-proxy").sign(request, at: now)
    }

    static let requests: [[UInt8]] = [
        "\u{2}{\"requestMetadata\":{\"kmsOperation\":\"Encrypt\",\"kmsRequestId\":\"r\",\"awsPrincipalArn\":\"a\",\"kmsKeyArn\":\"k\"},\"plaintext\":\"YWJj\",\"encryptionAlgorithm\":\"AES_GCM\",\"additionalAuthenticatedData\":\"YQ==\",\"ciphertextDataIntegrityValueAlgorithm\":\"SHA_256\"}",
        "\u{3}{\"requestMetadata\":{\"kmsOperation\":\"Decrypt\",\"kmsRequestId\":\"r\"},\"ciphertext\":\"YWJj\",\"encryptionAlgorithm\":\"AES_GCM\",\"initializationVector\":\"HMrlRw85cAJUd5Ax\",\"authenticationTag\":\"vBxN2ncH1oEkR8WVXpmyYQ==\"}",
    ].map { Array($0.utf8) }

    static let answers: [[UInt8]] = [
        "\u{1}{\"ciphertext\":\"YWJj\",\"ciphertextMetadata\":\"YQ==\",\"initializationVector\":\"HMrlRw85cAJUd5Ax\",\"authenticationTag\":\"vBxN2ncH1oEkR8WVXpmyYQ==\",\"ciphertextDataIntegrityValue\":\"qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=\"}",
        "\u{0}{\"errorName\":\"ThrottlingException\",\"errorMessage\":\"m\"}",
    ].map { Array($0.utf8) }
}
