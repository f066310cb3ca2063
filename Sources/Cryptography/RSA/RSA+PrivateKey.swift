internal import OpenSSLShim

extension RSA {
    /// A private key with two prime factors, held by OpenSSL, which blinds what it does.
    public struct PrivateKey: AsymmetricPrivateKey {
        let key: NativeKey

        /// The public half.
        public let publicKey: PublicKey

        /// A new key with the public exponent 65537. Takes a quarter of a second at 2048 bits, seconds at 4096.
        ///
        /// - Parameter bits: 2048, 3072 or 4096.
        public init(bits: Int) throws(CryptographyError) {
            guard [2048, 3072, 4096].contains(bits) else {
                throw CryptographyError(.invalidKey, "RSA keys are made with 2048, 3072 or 4096 bits")
            }
            let key = try bridged { () throws(NativeError) in try NativeKey.generate(rsaBits: bits) }
            let modulus = try key.secretNumber("n")
            let exponent = try key.secretNumber("e")
            publicKey = try PublicKey(modulus: modulus.bytes, exponent: exponent.bytes)
            self.key = key
        }

        /// Reads a PKCS #8 structure. The numbers must fit together; whether the factors are prime is not checked.
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
            let info = try PrivateKeyInfo(bytes)
            guard info.algorithm == .rsa else { throw CryptographyError(.unsupported, "not an RSA key") }
            try self.init(pkcs1: info.key)
        }

        /// Reads an RSAPrivateKey (RFC 8017, A.1.2) in DER.
        public init(pkcs1 bytes: Span<UInt8>) throws(CryptographyError) {
            var outer = DERReader(bytes)
            var reader = try outer.enter(.sequence)
            try outer.end()
            // Version 1 has more than two factors.
            guard try reader.takeSmall() == 0 else {
                throw CryptographyError(.unsupported, "an RSA key of many factors")
            }
            let (modulus, exponent) = (try reader.takeUnsigned(), try reader.takeUnsigned())
            let privateExponent = try reader.takeUnsigned()
            let factors = (try reader.takeUnsigned(), try reader.takeUnsigned())
            let exponents = (try reader.takeUnsigned(), try reader.takeUnsigned())
            let coefficient = try reader.takeUnsigned()
            try reader.end()
            publicKey = try PublicKey(modulus: modulus, exponent: exponent)
            // No number is longer than the modulus: the work of checking stays small.
            let longest = max(
                privateExponent.count, factors.0.count, factors.1.count, exponents.0.count, exponents.1.count,
                coefficient.count)
            guard longest <= modulus.count else {
                throw CryptographyError(.invalidKey, "an RSA key's numbers do not fit")
            }
            do throws(NativeError) {
                key = try NativeKey.privateRSAKey(
                    modulus: modulus, exponent: exponent, privateExponent: privateExponent, factors: factors,
                    exponents: exponents, coefficient: coefficient)
            } catch {
                if case .length = error { throw CryptographyError(.invalidKey, "an RSA key's numbers do not fit") }
                throw CryptographyError(error)
            }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { publicKey.subjectPublicKeyInfo }

        /// The length of the modulus, of signatures and of ciphertexts in bytes.
        public var modulusByteCount: Int { publicKey.modulusByteCount }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes {
            try PrivateKeyInfo.encode(.rsa) { writer throws(CryptographyError) in try append(to: &writer) }
        }

        /// The key as an RSAPrivateKey.
        public func pkcs1() throws(CryptographyError) -> SecretBytes {
            var writer = DERWriter(capacity: 4096)
            try append(to: &writer)
            return writer.secret()
        }

        private func append(to writer: inout DERWriter) throws(CryptographyError) {
            try writer.append(.sequence) { writer throws(CryptographyError) in
                writer.appendSmall(0)
                for name in RSA.numbers {
                    let number = try key.secretNumber(name)
                    writer.appendUnsigned(number.bytes)
                }
            }
        }
    }

    /// OpenSSL's names of an RSAPrivateKey's numbers, in its order.
    private static let numbers: [StaticString] = [
        "n", "e", "d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1",
    ]
}

extension NativeKey {
    /// One of the key's numbers, without leading zeros.
    func secretNumber(_ name: StaticString) throws(CryptographyError) -> SecretBytes {
        let count = try bridged { () throws(NativeError) in try byteCount(of: name) }
        return try SecretBytes(count: count) { bytes throws(CryptographyError) in
            do throws(NativeError) { try write(name, into: &bytes) } catch { throw CryptographyError(error) }
        }
    }
}
