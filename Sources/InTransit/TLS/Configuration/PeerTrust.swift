public import FoundationEssentials
internal import TLSShim

/// Whom a side trusts, and what it asks of their certificates (RFC 5280, by ``PathValidator``).
public struct PeerTrust: Sendable {
    /// The validator, with its anchors and its budget.
    public var validator: PathValidator
    /// What is asked for beside the rules of RFC 5280, the purpose and the server's name.
    public var policies: [any PathPolicy]
    /// Tells the time at which certificates must be valid.
    public var clock: @Sendable () -> Date

    /// Trusts authorities.
    public init(
        _ anchors: [Certificate], requiring policies: [any PathPolicy] = [],
        clock: @escaping @Sendable () -> Date = { Date() }
    ) {
        validator = PathValidator(trusting: anchors)
        self.policies = policies
        self.clock = clock
    }

    /// Judges a chain as a peer has sent it, its own certificate first.
    func judge(_ chain: [[UInt8]], identity: ServerIdentity?) -> Judgement {
        var certificates: [Certificate] = []
        for bytes in chain {
            // What cannot be read helps nobody; where it is the peer's own, there is no path.
            guard let certificate = try? Certificate(derEncoded: bytes) else {
                if certificates.isEmpty { return .unreadable }
                continue
            }
            certificates.append(certificate)
        }
        guard let own = certificates.first else { return .unreadable }
        var wanted: [any PathPolicy] = [
            HandshakeKeyPolicy(), PurposePolicy(identity == nil ? .clientAuthentication : .serverAuthentication),
        ]
        if let identity { wanted.append(ServerIdentityPolicy(identity)) }
        let requirement = PathRequirement(at: clock(), wanted + policies)
        switch validator.validate(own, with: certificates.dropFirst(), for: requirement) {
        case .valid(let path): return .trusted(path)
        case .invalid(let diagnosis): return .untrusted(diagnosis, isExpired: isExpired(diagnosis.defect))
        }
    }

    private func isExpired(_ defect: PathDefect) -> Bool { defect.certificate.validity.notAfter < clock() }
}

/// The peer's own key signs the handshake: it must be one that this library has, with a size that is safe, and its certificate
/// must let it sign (RFC 8446, 4.4.2.2).
private struct HandshakeKeyPolicy: PathPolicy {
    func defect(of path: CertificatePath, spending budget: inout WorkBudget) -> PathDefect? {
        let leaf = path.leaf
        let info = leaf.subjectPublicKeyInfo
        do {
            _ = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
        } catch { return PathDefect(.unreadable, leaf, "its key: \(error)") }
        do {
            guard let usage = try leaf.extensions.value(KeyUsage.self) else { return nil }
            return usage.contains(.digitalSignature)
                ? nil : PathDefect(.keyUsage, leaf, "its key is not for signatures")
        } catch { return PathDefect(.unreadable, leaf, "\(error)") }
    }
}

/// What is found about a peer.
enum Judgement {
    case trusted(CertificatePath)
    case untrusted(PathDiagnosis, isExpired: Bool)
    case unreadable

    /// As libssl makes an alert of it.
    var native: NativeVerdict {
        switch self {
        case .trusted: .trusted
        case .unreadable: .bad
        case .untrusted(let diagnosis, let isExpired):
            switch diagnosis.defect.kind {
            case .validity: isExpired ? .expired : .bad
            case .identity, .unreadable: .bad
            case .purpose, .keyUsage: .unsuitable
            case .unknownIssuer, .notAnAuthority, .pathLength, .budget: .unknownAuthority
            case .nameConstraint, .criticalExtension: .refused
            }
        }
    }
}
