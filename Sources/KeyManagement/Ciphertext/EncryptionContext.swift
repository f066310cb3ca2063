internal import Cryptography

/// Names and values that are authenticated with a message, not encrypted, and needed again to open it.
///
/// It stands in the audit trail in clear: no secrets. Names and values are compared exactly, case included; their order
/// does not matter. Source: AWS KMS Developer Guide, "Encryption context".
public struct EncryptionContext: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The pairs.
    public let pairs: [String: String]

    /// Takes pairs.
    public init(_ pairs: [String: String]) { self.pairs = pairs }

    /// Takes a literal; of a name that stands twice the last value counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        pairs = Dictionary(elements) { $1 }
    }

    /// No pairs.
    public static let none = EncryptionContext([:])

    /// Whether two contexts are the same bytes: a context is authenticated byte for byte, while texts are equal in Swift
    /// where only their Unicode composition differs.
    public static func == (left: EncryptionContext, right: EncryptionContext) -> Bool {
        left.pairs.count == right.pairs.count && left.includes(right)
    }

    /// Whether all pairs of another context stand in this one, byte for byte.
    func includes(_ other: EncryptionContext) -> Bool {
        other.pairs.allSatisfy { name, value in
            guard let place = pairs.index(forKey: name) else { return false }
            let (ownName, ownValue) = pairs[place]
            return name.hasSameBytes(as: ownName) && value.hasSameBytes(as: ownValue)
        }
    }

    /// The values of the pairs that have a name, given in lower case.
    func values(_ name: Substring.UTF8View) -> [String] {
        var values: [String] = []
        for (key, value) in pairs where key.lowercased().utf8.elementsEqual(name) { values.append(value) }
        return values
    }

    /// The one serialisation: pairs sorted by the bytes of their names, each text preceded by its length in 32 bits,
    /// big-endian.
    var canonicalBytes: [UInt8] {
        guard !pairs.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for (name, value) in pairs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            bytes.append(lengthPrefixed: name)
            bytes.append(lengthPrefixed: value)
        }
        return bytes
    }

    /// AWS KMS allows 8192 bytes in all.
    func check() throws(KeyManagementError) {
        let count = pairs.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard count <= 8192, pairs[""] == nil else {
            throw KeyManagementError(
                .validation, "an encryption context has at most 8192 bytes and no empty name")
        }
    }
}
