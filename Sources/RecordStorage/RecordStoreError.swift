/// Why a store refused or failed. Equality looks at the code and the subject.
public struct RecordStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        fileprivate let name: String

        /// A write expected another version than there is. Read again and decide again.
        public static let conflict = Code(name: "conflict")
        /// The store's bytes contradict themselves.
        public static let damaged = Code(name: "damaged")
        /// The disk is full.
        public static let full = Code(name: "full")
        /// The name is empty, too long or has control characters.
        public static let invalidName = Code(name: "invalidName")
        /// Another process holds the store for longer than the waiting time.
        public static let locked = Code(name: "locked")
        /// A newer version of this library wrote the store.
        public static let newerFormat = Code(name: "newerFormat")
        /// The file is a store of something else.
        public static let notAStore = Code(name: "notAStore")
        /// The store or its folder cannot be written.
        public static let readOnly = Code(name: "readOnly")
        /// The file cannot be opened or read.
        public static let unavailable = Code(name: "unavailable")
    }

    /// The kind of failure.
    public let code: Code
    /// The name or the path that it is about.
    public let subject: String
    /// What the system said.
    public let reason: String

    /// Describes a failure.
    public init(_ code: Code, subject: String, reason: String = "") {
        self.code = code
        self.subject = subject
        self.reason = reason
    }

    /// One line for a person.
    public var description: String {
        "\(code.name): \(subject)" + (reason.isEmpty ? "" : " (\(reason))")
    }

    /// Compares code and subject.
    public static func == (left: RecordStoreError, right: RecordStoreError) -> Bool {
        left.code == right.code && left.subject == right.subject
    }

    /// Hashes code and subject.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(subject)
    }
}
