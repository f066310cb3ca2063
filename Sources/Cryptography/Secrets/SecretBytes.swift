package import OpenSSLShim

/// Bytes that must not leak: keys, passphrases, decrypted data.
///
/// They stand in memory that is locked into RAM where the system allows it (`isMemoryLocked`), left out of core dumps,
/// erased when the value goes, and zeroed in a forked child. A secret cannot be copied by accident: the type is
/// noncopyable, and the two ways to copy one say so (`init(copying:)`, `copy()`). It cannot be printed, encoded, or
/// compared in variable time.
///
/// ```swift
/// let key = try SecretBytes.random(count: 32)
/// let cipher = try AESGCM(key: key)
/// ```
///
/// A forked child that reads its parent's secret is stopped; operations on keys throw
/// ``CryptographyError/Code/secretOfParentProcess`` instead.
public struct SecretBytes: ~Copyable, Sendable {
    package var buffer: SecretBuffer

    package init(_ buffer: consuming SecretBuffer) {
        self.buffer = buffer
    }

    /// Makes a secret of `count` bytes, zero at first, that `body` writes in place. One slot of the slab, no allocation.
    public init<E: Error>(count: Int, filling body: (inout MutableSpan<UInt8>) throws(E) -> Void) throws(E) {
        buffer = try SecretBuffer(capacity: count) { output throws(E) in
            output.append(repeating: 0, count: count)
            var bytes = output.mutableSpan
            try body(&bytes)
        }
    }

    /// Makes a secret of at most `capacity` bytes: what `body` appends.
    public init<E: Error>(
        capacity: Int, initializingWith body: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        buffer = try SecretBuffer(capacity: capacity, initializingWith: body)
    }

    /// Copies bytes into secret memory. The source stays as it is: erasing it is its owner's part.
    public init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count) { output in
            output.append(copying: bytes)
        }
    }

    /// Copies an array into secret memory, for secrets that some other library delivers as arrays.
    public init(copying bytes: [UInt8]) {
        self.init(copying: bytes.span)
    }

    package consuming func intoBuffer() -> SecretBuffer { buffer }

    /// How many bytes the secret has.
    public var count: Int { buffer.count }

    /// Whether the memory is locked: the kernel will not write it to swap. False above the limit that
    /// `RLIMIT_MEMLOCK` sets for processes without privilege.
    public var isMemoryLocked: Bool { buffer.isLocked }

    /// The bytes, for as long as the secret is borrowed.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            buffer.bytes
        }
    }

    /// Calls `body` with the bytes: the form for a secret that a class stores.
    public func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try buffer.withBytes(body)
    }

    /// Calls `body` with the bytes, to be changed in place by their only owner.
    public mutating func withMutableBytes<E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> Void) throws(E) {
        try buffer.withMutableBytes(body)
    }

    /// A second owner of the same bytes.
    public func copy() -> SecretBytes {
        SecretBytes(copying: bytes)
    }

    /// The first `count` bytes; the secret itself where that is all of it.
    package consuming func prefix(_ count: Int) -> SecretBytes {
        if self.count <= count { return self }
        return slice(..<count)
    }

    /// A copy of some of the bytes.
    public func slice(_ range: some RangeExpression<Int>) -> SecretBytes {
        SecretBytes(copying: bytes.extracting(range))
    }

    /// Compares in time that depends on the lengths only.
    public static func == (left: borrowing SecretBytes, right: borrowing SecretBytes) -> Bool {
        ConstantTime.areEqual(left.bytes, right.bytes)
    }

    /// Random bytes, fit for keys.
    public static func random(
        count: Int, from source: any RandomSource = SystemRandom()
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: count) { bytes throws(CryptographyError) in try source.fill(&bytes) }
    }
}

extension Span<UInt8> {
    /// Compares in time that depends on the lengths only.
    public func isEqualInConstantTime(to other: Span<UInt8>) -> Bool {
        ConstantTime.areEqual(self, other)
    }
}

extension MutableSpan<UInt8> {
    /// Overwrites the bytes with zeros in a way that a compiler may not leave out.
    public mutating func cleanse() {
        ConstantTime.cleanse(&self)
    }
}
