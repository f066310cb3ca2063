internal import Cryptography

/// The key of a chain, replaced after every record by a one-way function of itself.
///
/// Who takes the key from a running process can go on with the chain, but cannot make a record of the past: the keys of
/// the past are gone. (Bellare and Yee, "Forward Integrity for Secure Audit Logs", 1997.)
struct EvolvingKey: ~Copyable {
    private var key: SecretBytes
    /// How often it has evolved.
    private(set) var generation: UInt64 = 0

    init(_ first: consuming SecretBytes) { key = first }

    /// The tag of a record and its name under the current key.
    func tag(_ purpose: StaticString, _ name: String, _ bytes: [UInt8]) throws(CryptographyError) -> Digest {
        var computation = try HMAC(.sha256, key: key).begin()
        try computation.update(Array("\(purpose)\0\(name)\0".utf8).span)
        try computation.update(bytes.span)
        return try computation.finish()
    }

    /// Replaces the key; the old one is erased.
    mutating func evolve() throws(CryptographyError) {
        var computation = Optional(try HMAC(.sha256, key: key).begin())
        key = try SecretBytes(count: 32) { next throws(CryptographyError) in
            guard var computation = computation.take() else { return }
            try computation.update(Array("strongroom audit: next key".utf8).span)
            try computation.finish(into: &next)
        }
        generation += 1
    }
}
