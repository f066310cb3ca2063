/// Why records cannot be taken for what was written.
package struct RecordIntegrityError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: Sendable, Hashable {
        /// A record was edited, put back, added or taken away.
        case tampered
        /// Others write so fast that the whole could not be read between two of their batches.
        case unstable
    }

    /// The kind of failure.
    package let code: Code
    /// What was found, for a person.
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
