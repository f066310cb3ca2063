/// Where an external key store's proxy is (AWS KMS, "XksProxyConfigurationType").
public struct XKSProxyAddress: Sendable, Hashable {
    /// Such as `https://xks.example.com`, in lower case. A port may follow, which AWS does not take.
    public let endpoint: String
    /// Such as `/tenant/kms/xks/v1`.
    public let path: String
    /// How it is reached.
    public private(set) var connectivity: XKSConnectivity

    /// Takes an address.
    ///
    /// - Throws: `validation` for an endpoint that is no `https` address of a host's name alone, or a path that does not end in
    ///   `/kms/xks/v1`.
    public init(
        endpoint: String, path: String, connectivity: XKSConnectivity = .publicEndpoint
    ) throws(KeyManagementError) {
        let parts = endpoint.dropFirst("https://".count)
            .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard endpoint.hasPrefix("https://"), (10...128).contains(endpoint.utf8.count),
            let name = parts.first?.lowercased(), name.hasOnlyLettersDigits(and: "-."),
            // A name of the DNS, and no address: those end in a number (WHATWG URL, "ends in a number").
            let last = name.split(separator: ".", omittingEmptySubsequences: false).last?.utf8.first,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(last),
            parts.count == 1 || parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = parts.count == 1 ? 443 : UInt16(parts[1]), port > 0
        else { throw KeyManagementError(.validation, "\(endpoint) is no https:// address of a host's name") }
        guard (10...128).contains(path.utf8.count), path.hasSuffix("/kms/xks/v1"), !path.contains("//"),
            path.hasOnlyLettersDigits(and: "/-_"), path.hasPrefix("/")
        else { throw KeyManagementError(.validation, "\(path) is no path that ends in /kms/xks/v1") }
        // One text for one address, so that the same one shows.
        self.endpoint = "https://\(name)" + (port == 443 ? "" : ":\(port)")
        self.path = path
        self.connectivity = connectivity
    }

    var host: String { String(endpoint.dropFirst("https://".count)) }

    /// The name of the endpoint service by which it is reached.
    var endpointService: String? {
        if case .endpointService(let name, _) = connectivity { name } else { nil }
    }

    /// The same where an endpoint service is the account's own unless it is somebody else's.
    func owned(by account: String) -> XKSProxyAddress {
        guard case .endpointService(let name, nil) = connectivity else { return self }
        var address = self
        address.connectivity = .endpointService(name, owner: account)
        return address
    }
}

/// How an external key store's proxy is reached (AWS KMS, "XksProxyConnectivityType").
public enum XKSConnectivity: Sendable, Hashable {
    /// By the transport that the service has for all.
    case publicEndpoint
    /// By an endpoint service of this name, and of this account where it is not the own one; see ``XKSEndpointService``.
    case endpointService(String, owner: String? = nil)
}

/// A way of its own to one proxy, such as a private network, on which accounts may have an external key store: AWS's VPC endpoint
/// service.
public struct XKSEndpointService: Sendable {
    /// The account whose it is.
    public let owner: String
    /// The name in the DNS that the proxy has there, which key stores on it must name.
    public let host: String
    /// The accounts that may have a key store on it, its owner among them where it is to.
    public let accounts: Set<String>
    let transport: any XKSTransport

    /// Describes an endpoint service.
    public init(owner: String, host: String, accounts: Set<String>, transport: any XKSTransport) {
        self.owner = owner
        self.host = host.lowercased()
        self.accounts = accounts
        self.transport = transport
    }
}
