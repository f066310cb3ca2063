/// The name of a record: 1 to 512 bytes of UTF-8 without control characters. Slashes order names into folders by custom.
public struct RecordName: Sendable, Hashable, Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The name as text.
    public let description: String

    /// Checks a name.
    public init(_ name: String) throws(RecordStoreError) {
        guard (1...512).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw RecordStoreError(.invalidName, subject: name)
        }
        description = name
    }

    /// A name that stands in the source.
    public init(stringLiteral name: StaticString) {
        description = "\(name)"
    }

    /// Orders by the bytes of UTF-8, as every store does.
    public static func < (left: RecordName, right: RecordName) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}

/// A stored value.
public struct Record: Sendable, Hashable {
    /// Under which name it stands.
    public let name: RecordName
    /// How often the name has been written, from 1.
    public let version: UInt64
    /// What was written last.
    public let value: [UInt8]

    /// Joins the three.
    public init(name: RecordName, version: UInt64, value: [UInt8]) {
        self.name = name
        self.version = version
        self.value = value
    }
}

/// One write of a batch, and what it expects to find.
public struct RecordWrite: Sendable, Hashable {
    /// What must be true of the name for the batch to go through.
    public enum Expectation: Sendable, Hashable {
        /// There is no record.
        case absent
        /// There is one, and this is its version.
        case version(UInt64)
        /// Whatever is there may be replaced.
        case anything
    }

    /// Which name is written.
    public let name: RecordName
    /// What must be there before.
    public let expectation: Expectation
    /// The new value, or nil for a deletion.
    public let value: [UInt8]?

    /// A new value.
    public static func put(
        _ name: RecordName, _ value: [UInt8], expecting expectation: Expectation
    ) -> RecordWrite {
        RecordWrite(name: name, expectation: expectation, value: value)
    }

    /// A deletion. Deleting what is not there is no conflict where `expectation` is `anything`.
    public static func delete(_ name: RecordName, expecting expectation: Expectation) -> RecordWrite {
        RecordWrite(name: name, expectation: expectation, value: nil)
    }
}

/// How many batches a store has taken.
public struct Revision: Sendable, Hashable, Comparable {
    /// The count.
    public let rawValue: UInt64

    /// Wraps a count.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The revision of an empty store.
    public static let zero = Revision(0)

    /// Orders by age.
    public static func < (left: Revision, right: Revision) -> Bool { left.rawValue < right.rawValue }
}

/// The latest change of one name.
public struct RecordChange: Sendable, Hashable {
    /// Which name changed.
    public let name: RecordName
    /// Its version after the change.
    public let version: UInt64
    /// With which batch.
    public let revision: Revision
    /// Whether the change was a deletion.
    public let isDeletion: Bool

    /// Joins the four.
    public init(name: RecordName, version: UInt64, revision: Revision, isDeletion: Bool) {
        self.name = name
        self.version = version
        self.revision = revision
        self.isDeletion = isDeletion
    }
}
