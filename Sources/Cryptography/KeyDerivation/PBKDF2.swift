internal import OpenSSLShim

/// PBKDF2 with HMAC (RFC 8018, section 5.2): for formats that ask for it. ``Scrypt`` costs a guesser more.
public struct PBKDF2: Sendable {
    /// The hash function under HMAC.
    public let function: HashFunction
    /// How often it is applied.
    public let iterations: Int

    /// Chooses function and iterations, 1 to 2^31 - 1.
    public init(_ function: HashFunction, iterations: Int) throws(CryptographyError) {
        guard (1...Int(Int32.max)).contains(iterations) else {
            throw CryptographyError(.invalidLength, "1 to 2^31 - 1 iterations")
        }
        self.function = function
        self.iterations = iterations
    }

    /// Derives `count` bytes, from 1.
    public func derive(
        from passphrase: borrowing SecretBytes, salt: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        guard (1...Int(Int32.max)).contains(count) else { throw CryptographyError(.invalidLength, "from 1 byte") }
        return try SecretBytes(count: count) { key throws(CryptographyError) in
            do throws(NativeError) {
                try NativeKDF.pbkdf2(
                    function.algorithm, passphrase.bytes, salt: salt, iterations: Int32(clamping: iterations),
                    into: &key)
            } catch {
                throw CryptographyError(error)
            }
        }
    }
}
