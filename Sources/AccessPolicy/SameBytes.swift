extension String {
    /// Whether two texts are the same bytes: Swift holds texts for equal whose Unicode composition differs, and what is signed, granted or
    /// recorded is bytes.
    package func hasSameBytes(as other: String) -> Bool {
        guard self == other else { return false }
        return utf8Span.isKnownASCII && other.utf8Span.isKnownASCII || utf8.elementsEqual(other.utf8)
    }
}
