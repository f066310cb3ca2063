internal import OpenSSLShim

/// RSA (RFC 8017) with moduli of 2048 to 4096 bits, for signatures and for encrypting keys.
public enum RSA {
    /// The lengths of modulus that are made and read, in bits. Below, keys are weak; above, a hostile key costs whoever
    /// uses it seconds.
    public static let modulusBitCounts = 2048...4096
}

extension RSA {
    /// A public key.
    public struct PublicKey: AsymmetricPublicKey {
        let key: NativeKey

        /// The modulus, most significant byte first, without leading zeros.
        public let modulus: [UInt8]
        /// The public exponent, most significant byte first, without leading zeros.
        public let exponent: [UInt8]

        /// Takes the two numbers.
        ///
        /// - Throws: `invalidKey` for a modulus outside ``RSA/modulusBitCounts``, or an exponent that is even, below 3 or
        ///   longer than 64 bits.
        public init(modulus: Span<UInt8>, exponent: Span<UInt8>) throws(CryptographyError) {
            self.modulus = try RSA.number(modulus, "modulus")
            self.exponent = try RSA.number(exponent, "exponent")
            let bits = self.modulus.count * 8 - (self.modulus.first?.leadingZeroBitCount ?? 0)
            guard RSA.modulusBitCounts.contains(bits) else {
                throw CryptographyError(.invalidKey, "an RSA modulus of \(bits) bits")
            }
            guard self.exponent.count <= 8, self.exponent.count > 1 || (self.exponent.first ?? 0) >= 3 else {
                throw CryptographyError(.invalidKey, "an RSA exponent out of bounds")
            }
            key = try bridged { () throws(NativeError) in
                try NativeKey.publicRSAKey(modulus: modulus, exponent: exponent)
            }
        }

        /// Reads an RSAPublicKey (RFC 8017, A.1.1) in DER.
        public init(pkcs1 bytes: Span<UInt8>) throws(CryptographyError) {
            var outer = DERReader(bytes)
            var reader = try outer.enter(.sequence)
            try outer.end()
            let modulus = try reader.takeUnsigned()
            let exponent = try reader.takeUnsigned()
            try reader.end()
            try self.init(modulus: modulus, exponent: exponent)
        }

        /// Reads a SubjectPublicKeyInfo.
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            let info = try SubjectPublicKeyInfo(bytes)
            guard info.algorithm == .rsa else { throw CryptographyError(.unsupported, "not an RSA key") }
            try self.init(pkcs1: info.key)
        }

        /// The length of the modulus, of signatures and of ciphertexts in bytes.
        public var modulusByteCount: Int { modulus.count }

        /// The key as an RSAPublicKey in DER.
        public var pkcs1: [UInt8] {
            var writer = DERWriter(capacity: modulus.count + 32)
            writer.append(.sequence) { writer in
                writer.appendUnsigned(modulus.span)
                writer.appendUnsigned(exponent.span)
            }
            return writer.array()
        }

        /// The key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { SubjectPublicKeyInfo.encode(.rsa, pkcs1.span) }
    }

    /// An odd number without leading zeros.
    private static func number(_ bytes: Span<UInt8>, _ name: StaticString) throws(CryptographyError) -> [UInt8] {
        guard bytes.count > 0, bytes[0] != 0, bytes[bytes.count - 1] & 1 == 1 else {
            throw CryptographyError(.invalidKey, "an RSA \(name) that cannot be one")
        }
        return bytes.indices.map { bytes[$0] }
    }
}
