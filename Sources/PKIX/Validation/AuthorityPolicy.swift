/// Whoever issued a certificate must have been allowed to (RFC 5280, 6.1.4 k to n): version 3, basic constraints of an
/// authority, a key that signs certificates, and not more authorities below than it says.
public struct AuthorityPolicy: PathPolicy {
    /// The one policy.
    public init() {}

    /// Basic constraints and key usage.
    public var understoodExtensions: [ObjectIdentifier] { [BasicConstraints.identifier, KeyUsage.identifier] }

    /// The first authority that is none.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        do throws(PKIXError) {
            // The leaf's own must be readable too.
            _ = try path.leaf.extensions.value(BasicConstraints.self)
            _ = try path.leaf.extensions.value(KeyUsage.self)
        } catch { return PathDefect(error, path.leaf) }
        var below = 0
        for authority in path.authorities {
            if let defect = AuthorityPolicy.defect(of: authority, below) { return defect }
            // Links between an authority's own keys do not count.
            if !authority.isSelfIssued { below += 1 }
        }
        return nil
    }

    private static func defect(of authority: Certificate, _ below: Int) -> PathDefect? {
        do throws(PKIXError) {
            let constraints = try authority.extensions.value(BasicConstraints.self)
            guard authority.version == 3, let constraints, constraints.isAuthority else {
                return PathDefect(.notAnAuthority, authority, "has issued a certificate, and is no authority's")
            }
            if let usage = try authority.extensions.value(KeyUsage.self), !usage.contains(.certificateSigning) {
                return PathDefect(.keyUsage, authority, "its key does not sign certificates")
            }
            if let limit = constraints.pathLength, below > limit {
                return PathDefect(.pathLength, authority, "\(below) authorities below it, at most \(limit)")
            }
            return nil
        } catch { return PathDefect(error, authority) }
    }
}

/// A critical extension must be understood by one of the policies, or known to say nothing about trust (RFC 5280, 4.2).
public struct CriticalExtensionsPolicy: PathPolicy {
    private let understood: Set<ObjectIdentifier>

    /// - Parameter policies: those that see to extensions.
    public init(besides policies: [any PathPolicy]) {
        understood = Set(policies.flatMap(\.understoodExtensions) + [SubjectAlternativeName.identifier])
    }

    /// The first certificate with a critical extension that nobody understands.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        for certificate in path.certificates {
            // What counts as understood must be readable, whether or not anybody asks for it.
            do throws(PKIXError) {
                _ = try certificate.extensions.value(SubjectAlternativeName.self)
                _ = try certificate.extensions.value(NameConstraints.self)
            } catch { return PathDefect(error, certificate) }
            for one in certificate.extensions where one.isCritical && !understood.contains(one.identifier) {
                return PathDefect(.criticalExtension, certificate, "\(one.identifier) is critical and not understood")
            }
        }
        return nil
    }
}
