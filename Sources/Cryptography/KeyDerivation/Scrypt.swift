internal import OpenSSLShim

/// scrypt (RFC 7914): a key from a passphrase, at a cost in time and memory that slows down guessing.
public struct Scrypt: Sendable, Hashable, Codable {
    /// N: a power of two above 1.
    public let cost: UInt64
    /// r.
    public let blockSize: UInt64
    /// p.
    public let parallelism: UInt64

    /// N = 2^17, r = 8, p = 1: 128 MiB and about a third of a second.
    public static let standard = Scrypt(uncheckedCost: 1 << 17, blockSize: 8, parallelism: 1)

    /// Chooses parameters that need at most 1 GiB of memory and sixteen times the standard's work.
    ///
    /// - Throws: `invalidLength` outside these bounds, which keeps a forged file from exhausting the machine.
    public init(cost: UInt64, blockSize: UInt64, parallelism: UInt64) throws(CryptographyError) {
        guard cost > 1, cost <= 1 << 20, cost & (cost - 1) == 0, (1...32).contains(blockSize),
            (1...16).contains(parallelism), cost * blockSize <= 1 << 23, cost * blockSize * parallelism <= 1 << 24
        else { throw CryptographyError(.invalidLength, "scrypt parameters out of bounds") }
        self.init(uncheckedCost: cost, blockSize: blockSize, parallelism: parallelism)
    }

    private init(uncheckedCost: UInt64, blockSize: UInt64, parallelism: UInt64) {
        cost = uncheckedCost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// Derives `count` bytes.
    public func derive(
        from passphrase: borrowing SecretBytes, salt: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        // Decoding goes round the checking initialiser.
        _ = try Scrypt(cost: cost, blockSize: blockSize, parallelism: parallelism)
        return try SecretBytes(count: count) { key throws(CryptographyError) in
            do throws(NativeError) {
                try NativeKDF.scrypt(
                    passphrase.bytes, salt: salt, cost: cost, blockSize: blockSize, parallelism: parallelism, into: &key
                )
            } catch {
                throw CryptographyError(error)
            }
        }
    }
}
