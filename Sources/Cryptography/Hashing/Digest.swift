internal import OpenSSLShim

/// The output of a hash function or a MAC: up to 64 bytes, kept inline. Comparison takes constant time.
public struct Digest: Sendable, Hashable, CustomStringConvertible {
    private var storage: InlineArray<64, UInt8> = .init(repeating: 0)

    /// The length in bytes.
    public let count: Int

    init(zeroes count: Int) {
        self.count = min(count, 64)
    }

    /// A digest that came from elsewhere: 1 to 64 bytes.
    public init(_ bytes: Span<UInt8>) throws(CryptographyError) {
        guard (1...64).contains(bytes.count) else {
            throw CryptographyError(.invalidLength, "a digest has 1 to 64 bytes")
        }
        count = bytes.count
        for index in bytes.indices { storage[index] = bytes[index] }
    }

    /// The bytes.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            storage.span.extracting(..<count)
        }
    }

    var mutableBytes: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            let count = count
            return storage.mutableSpan._consumingExtracting(..<count)
        }
    }

    /// The bytes as an array. One allocation.
    public var array: [UInt8] { (0..<count).map { storage[$0] } }

    /// Lower-case hexadecimal.
    public var description: String { Hexadecimal.encode(bytes) }

    /// Compares in time that depends on the lengths only.
    public static func == (left: Digest, right: Digest) -> Bool {
        ConstantTime.areEqual(left.bytes, right.bytes)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for index in 0..<count { hasher.combine(storage[index]) }
    }
}
