/// The names of every certificate must be such as the authorities above it may certify (RFC 5280, 4.2.1.10 and 6.1.4 g).
public struct NameConstraintsPolicy: PathPolicy {
    /// The one policy.
    public init() {}

    /// Name constraints.
    public var understoodExtensions: [ObjectIdentifier] { [NameConstraints.identifier] }

    /// The first certificate with a name that it may not have.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        var certificate = path.leaf
        do throws(PKIXError) {
            for (place, authority) in path.certificates.enumerated().dropFirst() {
                certificate = authority
                guard let constraints = try authority.extensions.value(NameConstraints.self) else { continue }
                for below in path.certificates[..<place] {
                    certificate = below
                    // A link between an authority's own keys has the authority's name (6.1.3 b).
                    guard below == path.leaf || !below.isSelfIssued else { continue }
                    let alternatives = try below.extensions.value(SubjectAlternativeName.self)?.names ?? []
                    let names = constraints.concerned(of: below.subject, alternatives)
                    // A directory's name is taken apart for each comparison.
                    let work = names.count + below.subject.derEncoded.count / 16
                    let (cost, overflow) = work.multipliedReportingOverflow(
                        by: constraints.permitted.count + constraints.excluded.count)
                    guard !overflow, budget.spendNameComparisons(cost) else {
                        return PathDefect(.budget, below, "too many names under constraints")
                    }
                    if let name = names.first(where: { !constraints.allow($0) }) {
                        return PathDefect(.nameConstraint, below, "\(authority.subject) may not certify \(name)")
                    }
                }
            }
        } catch { return PathDefect(error, certificate) }
        return nil
    }
}

extension NameConstraints {
    /// The first of a certificate's names that may not be certified; nil where all may.
    public func firstForbidden(of subject: DistinguishedName, _ alternativeNames: [GeneralName]) -> GeneralName? {
        concerned(of: subject, alternativeNames).first { !allow($0) }
    }

    /// The names that constraints are about: the alternative names, the subject, and mailboxes in the subject where there are no
    /// others (RFC 5280, 4.2.1.10).
    func concerned(of subject: DistinguishedName, _ alternativeNames: [GeneralName]) -> [GeneralName] {
        var names = alternativeNames
        let hasMail = names.contains { if case .email = $0 { true } else { false } }
        if !hasMail { names += subject.values(.emailAddress).map { .email($0) } }
        if !subject.isEmpty { names.append(.directory(subject)) }
        return names
    }

    /// Whether a name may be certified.
    func allow(_ name: GeneralName) -> Bool {
        let kinds = permitted.filter { $0.kind == name.kind }
        // A kind of name that this library does not compare is refused where there is a constraint on it.
        guard !excluded.contains(where: { $0.kind == name.kind && ($0.contains(name) ?? true || $0.isMet(by: name)) })
        else {
            return false
        }
        return kinds.isEmpty || kinds.contains { $0.contains(name) ?? false }
    }
}

extension GeneralName {
    /// The number of its tag.
    fileprivate var kind: UInt {
        switch self {
        case .other(let tag, _): tag
        case .email: 1
        case .dns: 2
        case .directory: 4
        case .uri: 6
        case .ip: 7
        case .registeredID: 8
        }
    }

    /// Whether a name is in this subtree; nil where that cannot be told.
    fileprivate func contains(_ name: GeneralName) -> Bool? {
        switch (self, name) {
        case (.dns(let base), .dns(let name)): GeneralName.dns(name, in: base)
        case (.email(let base), .email(let name)): GeneralName.email(name, in: base)
        case (.uri(let base), .uri(let name)): GeneralName.uri(name, in: base)
        case (.ip(let base), .ip(let address)): GeneralName.address(address, in: base)
        case (.directory(let base), .directory(let name)):
            name.canonical.starts(with: base.canonical)
        default: nil
        }
    }

    /// Whether a wildcard stands for a name within this subtree, though not only for such.
    fileprivate func isMet(by name: GeneralName) -> Bool {
        guard case .dns(let base) = self, case .dns(let pattern) = name, pattern.hasPrefix("*."), !base.hasPrefix(".")
        else { return false }
        let parent = String(pattern.dropFirst(2))
        guard let dot = base.firstIndex(of: ".") else { return false }
        return base[base.index(after: dot)...].lowercased() == parent.lowercased()
    }

    /// A domain and all below it. A dot at its beginning, which is not in the standard, is taken for "below it only". The
    /// empty one is everything.
    private static func dns(_ name: String, in base: String) -> Bool? {
        guard !base.isEmpty else { return true }
        let host = name.hasPrefix("*.") ? String(name.dropFirst(2)) : name
        let domain = base.hasPrefix(".") ? String(base.dropFirst()) : base
        guard isPlainHost(host), isPlainHost(domain) else { return nil }
        guard base.hasPrefix(".") else { return HostName.isWithin(name, domain) }
        return HostName.isWithin(name, domain) && name.count > domain.count
    }

    /// A mailbox, all mailboxes of a host, or with a dot at the beginning those of all hosts below a domain. The empty one is
    /// everything.
    private static func email(_ name: String, in base: String) -> Bool? {
        guard !base.isEmpty else { return true }
        guard let at = name.lastIndex(of: "@") else { return nil }
        let (mailbox, host) = (name[..<at], name[name.index(after: at)...].lowercased())
        guard isPlainHost(host) else { return nil }
        guard let baseAt = base.lastIndex(of: "@") else { return isWithin(host, base) }
        // The part before the sign is compared by case (RFC 5280, 7.5).
        return mailbox == base[..<baseAt] && host == base[base.index(after: baseAt)...].lowercased()
    }

    /// A host, or with a dot at the beginning all hosts below a domain. A resource without a host's name cannot be told. The
    /// empty one is everything.
    private static func uri(_ name: String, in base: String) -> Bool? {
        guard !base.isEmpty else { return true }
        guard let start = name.firstRange(of: "://")?.upperBound else { return nil }
        let authority = name[start...].prefix { !"/?#".contains($0) }
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let host = place.prefix { $0 != ":" }.lowercased()
        guard isPlainHost(host) else { return nil }
        return isWithin(host, base)
    }

    /// A host itself, or with a dot at the beginning the hosts below a domain.
    private static func isWithin(_ host: String, _ base: String) -> Bool? {
        let base = base.lowercased()
        guard isPlainHost(base.hasPrefix(".") ? String(base.dropFirst()) : base) else { return nil }
        return base.hasPrefix(".") ? host.hasSuffix(base) : host == base
    }

    /// A host in the one spelling that can be compared: no dot at its end, nothing encoded, no address.
    private static func isPlainHost(_ host: String) -> Bool { !host.hasSuffix(".") && HostName(host) != nil }

    /// An address in a network: base and mask, one behind the other.
    private static func address(_ address: [UInt8], in base: [UInt8]) -> Bool? {
        guard base.count == 2 * address.count else { return base.count == 8 || base.count == 32 ? false : nil }
        return address.indices.allSatisfy { index in
            address[index] & base[address.count + index] == base[index] & base[address.count + index]
        }
    }
}
