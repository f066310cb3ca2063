/// Within what a grant holds (AWS KMS, "Using grant constraints").
public struct GrantConstraints: Sendable, Hashable {
    /// What the encryption context of a request must be.
    public enum Context: Sendable, Hashable {
        /// These pairs, and no others.
        case equals(EncryptionContext)
        /// These pairs, and maybe others.
        case includes(EncryptionContext)
    }

    /// What the encryption context must be. Operations without one, describing and retiring, are not constrained.
    public let context: Context?
    /// On behalf of which resource the request must be made, by its ARN.
    public let sourceARN: String?

    /// Joins the two; each may be missing.
    public init(context: Context? = nil, sourceARN: String? = nil) {
        self.context = context
        self.sourceARN = sourceARN
    }

    /// No constraint.
    public static let none = GrantConstraints()
    /// Requests with exactly this encryption context.
    public static func context(equals pairs: EncryptionContext) -> GrantConstraints { .init(context: .equals(pairs)) }
    /// Requests whose encryption context has these pairs.
    public static func context(includes pairs: EncryptionContext) -> GrantConstraints {
        .init(context: .includes(pairs))
    }

    /// AWS's names of the constraints, as policies see them.
    var typeNames: [String] {
        let type =
            switch context {
            case .equals: "EncryptionContextEquals"
            case .includes: "EncryptionContextSubset"
            case nil: ""
            }
        return [type, sourceARN == nil ? "" : "SourceArn"].filter { !$0.isEmpty }
    }

    /// The pairs that the encryption context must have.
    var pairs: EncryptionContext {
        switch context {
        case .equals(let pairs), .includes(let pairs): pairs
        case nil: .none
        }
    }

    /// Whether everything that `other` lets through, this one lets through too.
    func allows(_ other: GrantConstraints) -> Bool {
        guard sourceARN == nil || sourceARN == other.sourceARN else { return false }
        return switch (context, other.context) {
        case (nil, _): true
        case (.equals(let mine), .equals(let theirs)): mine == theirs
        case (.includes(let mine), .equals(let theirs)), (.includes(let mine), .includes(let theirs)):
            theirs.includes(mine)
        case (.equals, .includes), (.some, nil): false
        }
    }

    /// Whether a request is within.
    func allow(_ operation: GrantOperation, context: EncryptionContext, sourceARN: String?) -> Bool {
        switch operation {
        case .retireGrant: return true
        // Describing says on whose behalf or does not.
        case .describeKey: return self.sourceARN == nil || sourceARN == nil || self.sourceARN == sourceARN
        default:
            guard self.sourceARN == nil || self.sourceARN == sourceARN else { return false }
            return switch self.context {
            case .equals(let pairs): pairs == context
            case .includes(let pairs): context.includes(pairs)
            case nil: true
            }
        }
    }

    func check(isSymmetric: Bool) throws(KeyManagementError) {
        if let sourceARN {
            guard sourceARN.hasPrefix("arn:"), sourceARN.utf8.count <= 2048 else {
                throw KeyManagementError(.validation, "\(sourceARN) is no ARN")
            }
        }
        guard context != nil else { return }
        guard isSymmetric else {
            throw KeyManagementError(
                .validation, "only keys that take encryption contexts have grants that constrain them")
        }
        guard (1...8).contains(pairs.pairs.count),
            pairs.pairs.allSatisfy({ !$0.key.isEmpty && $0.key.utf8.count + $0.value.utf8.count <= 384 })
        else {
            throw KeyManagementError(.validation, "a grant constrains 1 to 8 pairs of at most 384 bytes each")
        }
    }
}
