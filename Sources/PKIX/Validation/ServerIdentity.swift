/// Who a client wants to speak to.
public enum ServerIdentity: Sendable, Hashable {
    /// A host by its name, in ASCII (an internationalised name in its `xn--` form).
    case host(String)
    /// An address.
    case address(IPAddress)

    /// A name or an address, by what it looks like.
    public init(_ text: String) {
        self = IPAddress(text).map { .address($0) } ?? .host(text)
    }

    /// A host's name as a client of TLS tells it (RFC 6066, 3): in lower case, without the dot of the root; nil for an
    /// address, and for a text that is no name.
    public var indicatedName: String? {
        guard case .host(let host) = self else { return nil }
        return HostName(host)?.text
    }
}

/// The certificate must be the server's that was asked for (RFC 9525): by an alternative name, never by the common name.
public struct ServerIdentityPolicy: PathPolicy {
    /// Who was asked for.
    public let identity: ServerIdentity

    /// For a server.
    public init(_ identity: ServerIdentity) { self.identity = identity }

    /// Alternative names.
    public var understoodExtensions: [ObjectIdentifier] { [SubjectAlternativeName.identifier] }

    /// Whether a certificate is for the server, whoever has issued it.
    public func isMet(by certificate: Certificate) -> Bool {
        let names = (try? certificate.extensions.value(SubjectAlternativeName.self))?.names ?? []
        return names.contains { isMatch($0) }
    }

    /// Whether the leaf has another name.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        do throws(PKIXError) {
            let names = try path.leaf.extensions.value(SubjectAlternativeName.self)?.names ?? []
            guard budget.spendNameComparisons(names.count) else {
                return PathDefect(.budget, path.leaf, "too many names")
            }
            guard !names.contains(where: { isMatch($0) }) else { return nil }
            let shown = names.prefix(5).map(\.description).joined(separator: ", ")
            return PathDefect(
                .identity, path.leaf,
                names.isEmpty ? "it has no alternative name" : "it is for \(shown), not \(identity)")
        } catch { return PathDefect(error, path.leaf) }
    }

    private func isMatch(_ name: GeneralName) -> Bool {
        switch (identity, name) {
        case (.address(let address), .ip(let bytes)): address.bytes == bytes
        case (.host(let host), .dns(let pattern)): HostName(host)?.matches(pattern) ?? false
        default: false
        }
    }
}

/// The name of a host, by labels.
struct HostName {
    private let labels: [String]

    /// Reads a name of letters, digits, hyphens and underscores, with or without the dot of the root at its end; nil for
    /// anything else.
    init?(_ text: String) {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        let labels = HostName.split(name)
        // What ends in a number is an address, or a try at one.
        guard (1...253).contains(name.utf8.count), labels.allSatisfy({ HostName.isLabel($0) }),
            labels.last?.utf8.allSatisfy({ (0x30...0x39).contains($0) }) == false
        else { return nil }
        self.labels = labels
    }

    /// In lower case, without the dot of the root.
    var text: String { labels.joined(separator: ".") }

    /// Whether a name of a certificate is this: in any case, or with `*` for the whole of the first label and at least two
    /// more (RFC 9525, 6.3).
    func matches(_ pattern: String) -> Bool {
        let other = HostName.split(pattern)
        guard other.count == labels.count else { return false }
        guard other[0] == "*" else { return other == labels }
        return labels.count >= 3 && other.dropFirst() == labels.dropFirst()
    }

    /// Whether it is a domain, or stands below it.
    static func isWithin(_ name: String, _ domain: String) -> Bool {
        let (labels, other) = (split(name), split(domain))
        return labels.count >= other.count && Array(labels.suffix(other.count)) == other
    }

    private static func split(_ text: String) -> [String] {
        text.split(separator: ".", omittingEmptySubsequences: false).map { $0.lowercased() }
    }

    private static func isLabel(_ label: String) -> Bool {
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
    }
}
