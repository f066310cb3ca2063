/// The words after a command's name: options with a value, flags, and at most one other word.
package struct Arguments: Sendable {
    package let values: [String: String]
    package let flags: Set<String>
    package let file: String?

    /// Sorts the words.
    ///
    /// - Throws: ``UsageError`` for a word that has no meaning here.
    package init(_ words: [String], options: Set<String>, flags known: Set<String>) throws(UsageError) {
        var (values, flags, file): ([String: String], Set<String>, String?) = ([:], [], nil)
        var rest = words[...]
        while let word = rest.popFirst() {
            if options.contains(word) {
                guard let value = rest.popFirst() else { throw UsageError("\(word) needs a value") }
                values[word] = value
            } else if known.contains(word) {
                flags.insert(word)
            } else if word.hasPrefix("-") || file != nil {
                throw UsageError("what is \(word)?")
            } else {
                file = word
            }
        }
        self.values = values
        self.flags = flags
        self.file = file
    }
}

/// A command that was called in a way it does not understand, or that lacks something it needs.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
