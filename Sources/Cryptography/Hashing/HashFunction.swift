package import OpenSSLShim

/// A hash function of FIPS 180-4 or FIPS 202, or SM3.
public struct HashFunction: Sendable, Hashable, CustomStringConvertible {
    package let algorithm: DigestAlgorithm

    private init(_ algorithm: DigestAlgorithm) { self.algorithm = algorithm }

    /// SHA-1: collisions are practical. Here for OAEP, HMAC and old formats, never for new signatures.
    public static let sha1 = HashFunction(.sha1)
    /// SHA-224.
    public static let sha224 = HashFunction(.sha224)
    /// SHA-256.
    public static let sha256 = HashFunction(.sha256)
    /// SHA-384.
    public static let sha384 = HashFunction(.sha384)
    /// SHA-512.
    public static let sha512 = HashFunction(.sha512)
    /// SHA-512/256.
    public static let sha512_256 = HashFunction(.sha512_256)
    /// SHA3-224.
    public static let sha3_224 = HashFunction(.sha3_224)
    /// SHA3-256.
    public static let sha3_256 = HashFunction(.sha3_256)
    /// SHA3-384.
    public static let sha3_384 = HashFunction(.sha3_384)
    /// SHA3-512.
    public static let sha3_512 = HashFunction(.sha3_512)
    /// SM3 (GB/T 32905), for SM2.
    public static let sm3 = HashFunction(.sm3)

    /// The digest's length in bytes.
    public var digestByteCount: Int { algorithm.byteCount }
    /// The length of an input block in bytes.
    public var blockByteCount: Int { algorithm.blockByteCount }
    /// OpenSSL's name, such as "SHA2-256".
    public var description: String { algorithm.name }

    /// The digest of `bytes`. Allocates nothing.
    public func hash(_ bytes: Span<UInt8>) throws(CryptographyError) -> Digest {
        var context = try HashContext(self)
        try context.update(bytes)
        return try context.finish()
    }

    /// The digest of an array.
    public func hash(_ bytes: [UInt8]) throws(CryptographyError) -> Digest {
        try hash(bytes.span)
    }
}

/// A hash computed piece by piece. After ``finish()`` it starts anew, so one context serves many messages.
public struct HashContext: ~Copyable, Sendable {
    private var native: DigestContext

    /// Starts a computation.
    public init(_ function: HashFunction) throws(CryptographyError) {
        native = try bridged { () throws(NativeError) in try DigestContext(function.algorithm) }
    }

    private init(native: consuming DigestContext) { self.native = native }

    /// Appends bytes to the message.
    public mutating func update(_ bytes: Span<UInt8>) throws(CryptographyError) {
        do { try native.update(bytes) } catch { throw CryptographyError(error) }
    }

    /// The digest of all that came since the start or the last digest.
    public mutating func finish() throws(CryptographyError) -> Digest {
        var digest = Digest(zeroes: native.algorithm.byteCount)
        do {
            var bytes = digest.mutableBytes
            try native.finish(into: &bytes)
        } catch {
            throw CryptographyError(error)
        }
        return digest
    }

    /// Writes the digest into a buffer of its length: the form for digests that are themselves keys.
    public mutating func finish(into digest: inout MutableSpan<UInt8>) throws(CryptographyError) {
        do { try native.finish(into: &digest) } catch { throw CryptographyError(error) }
    }

    /// A context that has seen the same bytes, to go on twice from one prefix.
    public func copy() throws(CryptographyError) -> HashContext {
        do { return HashContext(native: try native.copy()) } catch { throw CryptographyError(error) }
    }
}
