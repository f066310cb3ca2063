internal import OpenSSLShim

/// A key of HMAC (RFC 2104, FIPS 198-1) over any hash function.
///
/// The key is padded and hashed once; a message then costs two hashes. Safe to use from several threads at once.
public struct HMAC: MessageAuthenticator {
    private let key: MACKey

    /// The hash function.
    public let function: HashFunction

    /// Takes a key of any length. A key shorter than the digest is weaker than the function.
    public init(_ function: HashFunction, key: borrowing SecretBytes) throws(CryptographyError) {
        let copy = key.copy()
        do {
            self.key = try MACKey(.hmac(function.algorithm), key: copy.intoBuffer())
        } catch {
            throw CryptographyError(error)
        }
        self.function = function
    }

    /// The length of a tag in bytes: the digest's.
    public var tagByteCount: Int { key.tagByteCount }

    /// The tag of a message. Allocates nothing.
    public func authenticate(_ message: Span<UInt8>) throws(CryptographyError) -> Digest {
        var tag = Digest(zeroes: tagByteCount)
        do {
            var bytes = tag.mutableBytes
            try key.authenticate(message, into: &bytes)
        } catch { throw CryptographyError(error) }
        return tag
    }

    /// The tag of an array.
    public func authenticate(_ message: [UInt8]) throws(CryptographyError) -> Digest {
        try authenticate(message.span)
    }

    /// Whether `tag` is the message's, compared in constant time.
    public func isValid(_ tag: Span<UInt8>, for message: Span<UInt8>) throws(CryptographyError) -> Bool {
        try authenticate(message).bytes.isEqualInConstantTime(to: tag)
    }

    /// Starts a computation over a message that comes in pieces.
    public func begin() throws(CryptographyError) -> MACComputation {
        do { return MACComputation(native: try key.begin()) } catch { throw CryptographyError(error) }
    }
}

/// A MAC computed piece by piece. Finishing consumes it.
public struct MACComputation: ~Copyable, Sendable {
    private var native: MACContext

    init(native: consuming MACContext) { self.native = native }

    /// Appends bytes to the message.
    public mutating func update(_ bytes: Span<UInt8>) throws(CryptographyError) {
        do { try native.update(bytes) } catch { throw CryptographyError(error) }
    }

    /// The tag.
    public consuming func finish() throws(CryptographyError) -> Digest {
        var tag = Digest(zeroes: native.tagByteCount)
        do {
            var bytes = tag.mutableBytes
            try native.finish(into: &bytes)
        } catch {
            throw CryptographyError(error)
        }
        return tag
    }

    /// Writes the tag into a buffer of the tag's length: the form for tags that are themselves keys.
    public consuming func finish(into tag: inout MutableSpan<UInt8>) throws(CryptographyError) {
        do { try native.finish(into: &tag) } catch { throw CryptographyError(error) }
    }
}
