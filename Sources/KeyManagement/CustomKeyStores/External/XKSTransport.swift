public import AWSSignature

/// Carries requests to an external key store's proxy, by HTTPS as a rule: the key service itself opens no connection.
///
/// Conformers: `HTTPSTransport` of KeyManagementNIO, and `XKSProxy` of AWSCompatibility, which answers in this process.
public protocol XKSTransport: Sendable {
    /// Sends a signed request and waits for the answer, for 250 ms as AWS does.
    ///
    /// - Parameters:
    ///   - request: with its Host, path and content; its fields must arrive as they are.
    ///   - endpoint: such as `https://xks.example.com`.
    func send(_ request: HTTPRequest, to endpoint: String) async throws(XKSTransportError) -> HTTPResponse
}

/// Why there was no answer.
public enum XKSTransportError: Error, Sendable, Hashable {
    /// There is no connection to the proxy.
    case notReachable
    /// The proxy did not prove that it is the one of the endpoint's name.
    case untrusted
    /// It took too long.
    case timedOut
    /// What came is no answer of HTTP, or too long.
    case malformed
}
