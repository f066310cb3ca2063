internal import SwiftASN1

/// Where the issuer's certificate is, and who answers on revocation (RFC 5280, 4.2.2.1).
public struct AuthorityInformationAccess: CodedExtension {
    /// Where to ask for revocation (RFC 6960).
    public let ocsp: [String]
    /// Where the issuer's certificate is.
    public let issuers: [String]

    /// Takes addresses.
    public init(ocsp: [String] = [], issuers: [String] = []) {
        self.ocsp = ocsp
        self.issuers = issuers
    }

    /// 1.3.6.1.5.5.7.1.1.
    public static let identifier: ObjectIdentifier = "1.3.6.1.5.5.7.1.1"
    /// Never.
    public var isCriticalByDefault: Bool { false }

    private static let ocspMethod: ObjectIdentifier = "1.3.6.1.5.5.7.48.1"
    private static let issuersMethod: ObjectIdentifier = "1.3.6.1.5.5.7.48.2"

    init(_ node: ASN1Node) throws {
        guard node.identifier == .sequence, case .constructed(let nodes) = node.content else {
            throw PKIXError(.malformed, "places of information")
        }
        let all = try nodes.map { node in
            try DER.sequence(node, identifier: .sequence) { nodes in
                let method = try ObjectIdentifier(&nodes)
                guard let place = nodes.next() else { throw PKIXError(.malformed, "a place of information") }
                return (method, try GeneralName(place))
            }
        }
        func addresses(_ method: ObjectIdentifier) -> [String] {
            all.compactMap { if case .uri(let address) = $0.1, $0.0 == method { address } else { nil } }
        }
        ocsp = addresses(AuthorityInformationAccess.ocspMethod)
        issuers = addresses(AuthorityInformationAccess.issuersMethod)
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard !ocsp.isEmpty || !issuers.isEmpty else { throw PKIXError(.invalidValue, "no place of information") }
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            for (method, addresses) in [
                (AuthorityInformationAccess.ocspMethod, ocsp), (AuthorityInformationAccess.issuersMethod, issuers),
            ] {
                for address in addresses {
                    try coder.appendConstructedNode(identifier: .sequence) { coder in
                        method.write(to: &coder)
                        try GeneralName.uri(address).write(to: &coder)
                    }
                }
            }
        }
    }
}

/// Where the issuer's revocation lists are (RFC 5280, 4.2.1.13): whole lists at addresses.
public struct CRLDistributionPoints: CodedExtension {
    /// The addresses.
    public let addresses: [String]

    /// Takes addresses.
    public init(_ addresses: [String]) { self.addresses = addresses }

    /// 2.5.29.31.
    public static let identifier: ObjectIdentifier = "2.5.29.31"
    /// Never.
    public var isCriticalByDefault: Bool { false }

    init(_ node: ASN1Node) throws {
        guard node.identifier == .sequence, case .constructed(let points) = node.content else {
            throw PKIXError(.malformed, "places of revocation lists")
        }
        var addresses: [String] = []
        for point in points {
            guard point.identifier == .sequence, case .constructed(let parts) = point.content else {
                throw PKIXError(.malformed, "a place of revocation lists")
            }
            for part in parts where part.identifier.tagNumber == 0 {
                guard case .constructed(let names) = part.content else {
                    throw PKIXError(.malformed, "a place of revocation lists")
                }
                for name in names where name.identifier.tagNumber == 0 {
                    addresses += try GeneralNames.names(name, name.identifier).compactMap {
                        if case .uri(let address) = $0 { address } else { nil }
                    }
                }
            }
        }
        self.addresses = addresses
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard !addresses.isEmpty else { throw PKIXError(.invalidValue, "no place of revocation lists") }
        let tag = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
        try serializer.appendConstructedNode(identifier: .sequence) { coder in
            for address in addresses {
                try coder.appendConstructedNode(identifier: .sequence) { coder in
                    try coder.appendConstructedNode(identifier: tag) { coder in
                        try GeneralNames.write([.uri(address)], to: &coder, as: tag)
                    }
                }
            }
        }
    }
}

/// Under which policies a certificate was issued (RFC 5280, 4.2.1.4), without their qualifiers.
public struct CertificatePolicies: CodedExtension {
    /// The policies.
    public let policies: [ObjectIdentifier]

    /// Takes policies.
    public init(_ policies: [ObjectIdentifier]) { self.policies = policies }

    /// 2.5.29.32.
    public static let identifier: ObjectIdentifier = "2.5.29.32"
    /// Never.
    public var isCriticalByDefault: Bool { false }

    init(_ node: ASN1Node) throws {
        guard node.identifier == .sequence, case .constructed(let nodes) = node.content else {
            throw PKIXError(.malformed, "policies")
        }
        policies = try nodes.map { node in
            guard case .constructed(let parts) = node.content, let first = parts.makeIterator().firstNode else {
                throw PKIXError(.malformed, "a policy")
            }
            return try ObjectIdentifier(first)
        }
        guard !policies.isEmpty, Set(policies).count == policies.count else {
            throw PKIXError(.malformed, "no policies, or one twice")
        }
    }

    func write(to serializer: inout DER.Serializer) throws {
        guard !policies.isEmpty else { throw PKIXError(.invalidValue, "no policies") }
        serializer.appendConstructedNode(identifier: .sequence) { coder in
            for policy in policies {
                coder.appendConstructedNode(identifier: .sequence) { policy.write(to: &$0) }
            }
        }
    }
}

extension ASN1NodeCollection.Iterator {
    fileprivate var firstNode: ASN1Node? {
        var copy = self
        return copy.next()
    }
}
