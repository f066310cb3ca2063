public import FoundationEssentials

/// A chain of certificates, from the one that was presented up to an anchor of trust. Its signatures are right.
public struct CertificatePath: Sendable, Hashable {
    /// The certificates, the presented one first and the anchor last.
    public let certificates: [Certificate]

    init(_ certificates: [Certificate]) { self.certificates = certificates }

    /// The one that was presented.
    public var leaf: Certificate { certificates[0] }
    /// The one that is trusted.
    public var anchor: Certificate { certificates[certificates.count - 1] }
    /// The authorities, from the leaf's issuer to the anchor.
    public var authorities: ArraySlice<Certificate> { certificates.dropFirst() }
}

/// A condition on paths. Policies are values: combine them, and write others.
///
/// Conformers: ``ValidityPolicy``, ``AuthorityPolicy``, ``NameConstraintsPolicy``, ``PurposePolicy``, ``ServerIdentityPolicy``,
/// ``CriticalExtensionsPolicy`` and ``AllPolicies``.
public protocol PathPolicy: Sendable {
    /// The kinds of extensions that this policy sees to: a critical one that no policy sees to is refused.
    var understoodExtensions: [ObjectIdentifier] { get }

    /// What is wrong with a path; nil where nothing is.
    func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect?
}

extension PathPolicy {
    /// None.
    public var understoodExtensions: [ObjectIdentifier] { [] }
}

/// Why a path was refused: which certificate, and what of it.
public struct PathDefect: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: String, Sendable, Hashable {
        /// No certificate has the issuer's name, or none of those has signed it.
        case unknownIssuer
        /// It is not valid yet, or no longer.
        case validity
        /// It is no authority's, and has issued another.
        case notAnAuthority
        /// Its key is not for this.
        case keyUsage
        /// Too many authorities stand below one that limits them.
        case pathLength
        /// A name is not one that an authority may certify.
        case nameConstraint
        /// It is not for this purpose.
        case purpose
        /// It has not the name that was asked for.
        case identity
        /// A critical extension that nobody here understands.
        case criticalExtension
        /// Something of it cannot be read, or is of a kind that this library does not have.
        case unreadable
        /// The search has used up its budget.
        case budget
    }

    /// What is wrong.
    public let kind: Kind
    /// Which certificate it is about.
    public let certificate: Certificate
    /// What was found, for a person.
    public let reason: String

    /// Describes a defect.
    public init(_ kind: Kind, _ certificate: Certificate, _ reason: String) {
        self.kind = kind
        self.certificate = certificate
        self.reason = reason
    }

    init(_ error: PKIXError, _ certificate: Certificate) { self.init(.unreadable, certificate, error.description) }

    /// One line for a person.
    public var description: String { "\(kind.rawValue): \(certificate): \(reason)" }
}

/// How much work a validation may take: certificates from strangers choose how much there is to do.
public struct WorkBudget: Sendable, Hashable {
    /// How many signatures are checked.
    public var signatures: Int
    /// How many names are compared with constraints.
    public var nameComparisons: Int
    /// How many certificates a path has at most.
    public var pathLength: Int
    /// How many issuers are considered, one and the same in several paths as often as it comes.
    public var steps: Int
    /// How many of the certificates that came along are looked at.
    public var intermediates: Int

    /// As much as honest chains need many times over.
    public init(
        signatures: Int = 64, nameComparisons: Int = 1 << 16, pathLength: Int = 10, steps: Int = 2000,
        intermediates: Int = 256
    ) {
        self.signatures = signatures
        self.nameComparisons = nameComparisons
        self.pathLength = pathLength
        self.steps = steps
        self.intermediates = intermediates
    }

    mutating func spendStep() -> Bool {
        steps -= 1
        return steps >= 0
    }

    mutating func spendSignature() -> Bool {
        signatures -= 1
        return signatures >= 0
    }

    mutating func spendNameComparisons(_ count: Int) -> Bool {
        let (rest, overflow) = nameComparisons.subtractingReportingOverflow(count)
        nameComparisons = rest
        return !overflow && rest >= 0
    }
}

/// Several policies at once. A path must please all.
public struct AllPolicies: PathPolicy {
    /// The policies, in the order in which they are asked.
    public let policies: [any PathPolicy]

    /// Combines policies.
    public init(_ policies: [any PathPolicy]) { self.policies = policies }

    /// Those of each.
    public var understoodExtensions: [ObjectIdentifier] { policies.flatMap(\.understoodExtensions) }

    /// The first defect that one of them finds.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        for policy in policies {
            if let defect = policy.defect(of: path, spending: &budget) { return defect }
        }
        return nil
    }
}

/// Each certificate must be valid at a time (RFC 5280, 6.1.3 a 2); an anchor too, since whoever trusts it has read it.
public struct ValidityPolicy: PathPolicy {
    /// The time.
    public let time: Date

    /// At a time.
    public init(at time: Date) { self.time = time }

    /// The first certificate that is not.
    public func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        for certificate in path.certificates where !certificate.validity.contains(time) {
            let isEarly = time < certificate.validity.notBefore
            let limit = isEarly ? certificate.validity.notBefore : certificate.validity.notAfter
            return PathDefect(
                .validity, certificate, isEarly ? "not valid before \(limit)" : "not valid after \(limit)")
        }
        return nil
    }
}
