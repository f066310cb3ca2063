public import FoundationEssentials

/// Finds a path from a certificate to an anchor of trust that pleases a policy (RFC 5280, 6; RFC 4158), or says why there is
/// none.
///
/// ```swift
/// let validator = PathValidator(trusting: roots)
/// switch validator.validate(chain[0], with: chain.dropFirst(), for: .server("example.com", at: .now)) {
/// case .valid(let path): print(path.anchor.subject)
/// case .invalid(let diagnosis): print(diagnosis)
/// }
/// ```
///
/// Names that several authorities have, cross-signed authorities and old links are tried one after the other; a path that a
/// policy refuses is one that was tried. All of it is within a budget.
public struct PathValidator: Sendable {
    /// Who is trusted.
    public let anchors: [Certificate]
    /// How much work one validation may take.
    public let budget: WorkBudget

    private let anchorsByName: [DistinguishedName: [Certificate]]

    /// Trusts certificates.
    public init(trusting anchors: [Certificate], budget: WorkBudget = WorkBudget()) {
        self.anchors = anchors
        self.budget = budget
        anchorsByName = Dictionary(grouping: anchors, by: \.subject)
    }

    /// Looks for a path.
    ///
    /// - Parameters:
    ///   - certificate: the one that was presented.
    ///   - intermediates: others that may help, in any order; nothing is believed of them.
    ///   - requirement: what the path must please.
    public func validate(
        _ certificate: Certificate, with intermediates: some Sequence<Certificate>, for requirement: PathRequirement
    ) -> PathValidation {
        var search = PathSearch(
            anchors: anchorsByName,
            intermediates: Dictionary(grouping: intermediates.prefix(max(budget.intermediates, 0)), by: \.subject),
            policy: requirement.policy, budget: budget)
        if let path = search.extend([certificate]) { return .valid(path) }
        return .invalid(PathDiagnosis(attempts: search.attempts, certificate: certificate))
    }
}

/// What a path must please: the rules of RFC 5280, and what a use asks for beside.
public struct PathRequirement: Sendable {
    let policy: AllPolicies

    /// The rules of RFC 5280 at a time, and others.
    ///
    /// - Parameters:
    ///   - time: when it must be valid.
    ///   - others: what else is asked for.
    public init(at time: Date, _ others: [any PathPolicy] = []) {
        let policies: [any PathPolicy] =
            [ValidityPolicy(at: time), AuthorityPolicy(), NameConstraintsPolicy()] + others
        policy = AllPolicies(policies + [CriticalExtensionsPolicy(besides: policies)])
    }

    /// A server of TLS that has a name or an address.
    public static func server(_ identity: ServerIdentity, at time: Date) -> PathRequirement {
        PathRequirement(at: time, [PurposePolicy(.serverAuthentication), ServerIdentityPolicy(identity)])
    }

    /// A server of TLS, by the text of its name or address.
    public static func server(_ name: String, at time: Date) -> PathRequirement {
        server(ServerIdentity(name), at: time)
    }

    /// A client of TLS.
    public static func client(at time: Date) -> PathRequirement {
        PathRequirement(at: time, [PurposePolicy(.clientAuthentication)])
    }
}

/// What came of a validation.
public enum PathValidation: Sendable {
    /// There is a path.
    case valid(CertificatePath)
    /// There is none.
    case invalid(PathDiagnosis)

    /// The path, where there is one.
    public var path: CertificatePath? {
        if case .valid(let path) = self { path } else { nil }
    }
}

/// Why there is no path: what was tried, and what was wrong with each.
public struct PathDiagnosis: Error, Sendable, CustomStringConvertible {
    /// A path that was tried, as far as it went, and where it ended.
    public struct Attempt: Sendable, Hashable {
        /// The certificates, the presented one first.
        public let certificates: [Certificate]
        /// What was wrong.
        public let defect: PathDefect
    }

    /// What was tried, in order; the first 32.
    public let attempts: [Attempt]

    private let certificate: Certificate

    init(attempts: [Attempt], certificate: Certificate) {
        self.attempts = attempts
        self.certificate = certificate
    }

    /// The defect that tells most: of the path that came furthest. A path to an anchor tells more than one that led nowhere.
    public var defect: PathDefect {
        let complete = attempts.filter { $0.defect.kind != .unknownIssuer && $0.defect.kind != .budget }
        let best = (complete.isEmpty ? attempts : complete).max { $0.certificates.count < $1.certificates.count }
        return best?.defect ?? PathDefect(.unknownIssuer, certificate, "nothing was tried")
    }

    /// The defect that tells most, and how many paths were tried.
    public var description: String { "\(defect) (\(attempts.count) path\(attempts.count == 1 ? "" : "s") tried)" }
}

/// The search itself: depth first, from the leaf up.
private struct PathSearch {
    let anchors: [DistinguishedName: [Certificate]]
    let intermediates: [DistinguishedName: [Certificate]]
    let policy: AllPolicies
    var budget: WorkBudget
    var attempts: [PathDiagnosis.Attempt] = []
    /// Which issuer's key has been found to have signed which certificate.
    private var signatures: [Link: Bool] = [:]
    /// Whether the budget is used up: then no path goes on.
    private var isExhausted = false

    private struct Link: Hashable {
        let certificate: Certificate
        let key: [UInt8]
    }

    /// What is kept of what was tried: enough to understand, however hostile the chain.
    private static let largestReport = 32

    init(
        anchors: [DistinguishedName: [Certificate]], intermediates: [DistinguishedName: [Certificate]],
        policy: AllPolicies, budget: WorkBudget
    ) {
        self.anchors = anchors
        self.intermediates = intermediates
        self.policy = policy
        self.budget = budget
    }

    /// Goes on from a path whose signatures are right.
    mutating func extend(_ path: [Certificate]) -> CertificatePath? {
        let last = path[path.count - 1]
        // An anchor that was presented itself is a path of one.
        if path.count == 1, anchors[last.subject]?.contains(last) == true, let found = finish(path) { return found }
        guard path.count < budget.pathLength else {
            note(path) { PathDefect(.budget, last, "the path is too long") }
            return nil
        }
        var hasIssuer = false
        let candidates = [(anchors, true), (intermediates, false)].flatMap { pool, isAnchor in
            ordered(pool[last.issuer] ?? [], for: last).map { (certificate: $0, isAnchor: isAnchor) }
        }
        for candidate in candidates {
            let issuer = candidate.certificate
            guard !isExhausted, budget.spendStep() else {
                isExhausted = true
                note(path) { PathDefect(.budget, last, "too many issuers to consider") }
                return nil
            }
            // A key under one name twice in a path is a circle.
            guard
                !path.contains(where: {
                    $0.subject == issuer.subject && $0.subjectPublicKeyInfo == issuer.subjectPublicKeyInfo
                })
            else { continue }
            switch isSigned(last, by: issuer) {
            case nil:
                isExhausted = true
                note(path) { PathDefect(.budget, last, "too many signatures to check") }
                return nil
            case false?: continue
            case true?: hasIssuer = true
            }
            let longer = path + [issuer]
            if let found = candidate.isAnchor ? finish(longer) : extend(longer) { return found }
        }
        if !hasIssuer {
            note(path) {
                last.signatureAlgorithm == nil
                    ? PathDefect(.unreadable, last, "it is signed in a way that is not known here")
                    : PathDefect(.unknownIssuer, last, "nobody known as \(last.issuer) has signed it")
            }
        }
        return nil
    }

    private mutating func finish(_ path: [Certificate]) -> CertificatePath? {
        let complete = CertificatePath(path)
        guard let defect = policy.defect(of: complete, spending: &budget) else { return complete }
        note(path) { defect }
        return nil
    }

    private mutating func note(_ path: [Certificate], _ defect: () -> PathDefect) {
        guard attempts.count < PathSearch.largestReport else { return }
        attempts.append(PathDiagnosis.Attempt(certificates: path, defect: defect()))
    }

    /// Those first whose key has the name that the certificate gives for its issuer's (RFC 4158, 3.5.12).
    private func ordered(_ candidates: [Certificate], for certificate: Certificate) -> [Certificate] {
        guard candidates.count > 1,
            let wanted = try? certificate.extensions.value(AuthorityKeyIdentifier.self)?.keyIdentifier
        else { return candidates }
        func isNamed(_ candidate: Certificate) -> Bool {
            (try? candidate.extensions.value(SubjectKeyIdentifier.self))?.bytes == wanted
        }
        return candidates.filter { isNamed($0) } + candidates.filter { !isNamed($0) }
    }

    /// Whether an issuer's key has signed a certificate; nil where the budget is used up.
    private mutating func isSigned(_ certificate: Certificate, by issuer: Certificate) -> Bool? {
        let link = Link(certificate: certificate, key: issuer.subjectPublicKeyInfo)
        if let known = signatures[link] { return known }
        guard budget.spendSignature() else { return nil }
        let isSigned = (try? certificate.isSigned(by: issuer)) ?? false
        signatures[link] = isSigned
        return isSigned
    }
}
