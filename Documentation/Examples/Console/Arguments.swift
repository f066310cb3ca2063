/// The words after a command's name: options with a value, flags, and others.
package struct Arguments: Sendable {
    package let values: [String: String]
    package let flags: Set<String>
    /// The words that are neither, in order.
    package let words: [String]
    /// The first of them.
    package var file: String? { words.first }

    /// Sorts the words.
    ///
    /// - Parameter count: how many others there may be.
    /// - Throws: ``UsageError`` for a word that has no meaning here.
    package init(
        _ words: [String], options: Set<String>, flags known: Set<String>, words count: Int = 1
    ) throws(UsageError) {
        var (values, flags, others): ([String: String], Set<String>, [String]) = ([:], [], [])
        var rest = words[...]
        while let word = rest.popFirst() {
            if options.contains(word) {
                guard let value = rest.popFirst() else { throw UsageError("\(word) needs a value") }
                values[word] = value
            } else if known.contains(word) {
                flags.insert(word)
            } else if word.hasPrefix("-") || others.count == count {
                throw UsageError("what is \(word)?")
            } else {
                others.append(word)
            }
        }
        self.values = values
        self.flags = flags
        self.words = others
    }
}

/// A command that was called in a way it does not understand, or that lacks something it needs.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
