/// A pattern of an ARN: its six parts match apart, so that a star in one takes nothing of the next.
struct ARNPattern: Sendable {
    /// Six, or one for a text that is no ARN.
    private let parts: [Pattern]

    /// Prepares a text.
    init(_ text: String, hasVariables: Bool) throws(PolicyError) {
        let units = try Pattern.units(text, hasWildcards: true, hasVariables: hasVariables)
        let split = units.split(separator: .byte(UInt8(ascii: ":")), maxSplits: 5, omittingEmptySubsequences: false)
        parts = split.count == 6 ? split.map { Pattern(Array($0)) } : [Pattern(units)]
    }

    /// Whether it has the parts of an ARN, or is a star.
    var isARN: Bool { parts.count == 6 || isAnything }

    /// Whether it is a star.
    var isAnything: Bool { parts.count == 1 && parts[0].isAnything }

    func matches(_ text: String, _ request: AccessRequest) -> Bool {
        guard parts.count == 6 else { return parts[0].matches(text, request) }
        let texts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return texts.count == 6 && zip(parts, texts).allSatisfy { $0.matches(String($1), request) }
    }
}
