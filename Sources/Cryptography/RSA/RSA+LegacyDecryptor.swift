internal import OpenSSLShim

extension RSA {
    /// Decrypts RSAES-PKCS1-v1_5, for peers that know nothing better.
    ///
    /// Whoever learns whether a ciphertext's padding was right can decrypt any ciphertext (Bleichenbacher). So no
    /// ciphertext of the right length is refused: where the padding is wrong, the answer is a message that the key and the
    /// ciphertext determine and nobody else can predict, found in constant time (implicit rejection, draft-irtf-cfrg-
    /// rsa-guidance, section 7; the same as OpenSSL's since 3.2). What is decrypted must be authenticated by other means.
    public struct LegacyDecryptor: Decryptor {
        private let key: PrivateKey
        private let secret: HMAC

        /// Takes a key for this use. The parameter is there to be searched for.
        public init(_ key: PrivateKey, allowing padding: EncryptionAlgorithm) throws(CryptographyError) {
            guard padding == .rsaPKCS1v15 else { throw CryptographyError(.unsupported, "\(padding) is not legacy") }
            self.key = key
            // SHA-256 of the private exponent, padded to the modulus' length, keys the derivation.
            let exponent = try key.paddedPrivateExponent()
            let hashed = try SecretBytes(count: 32) { bytes throws(CryptographyError) in
                var context = try HashContext(.sha256)
                try context.update(exponent.bytes)
                try context.finish(into: &bytes)
            }
            secret = try HMAC(.sha256, key: hashed)
        }

        /// The public key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }

        /// PKCS #1 v1.5 alone.
        public var encryptionAlgorithms: [EncryptionAlgorithm] { [.rsaPKCS1v15] }

        /// Decrypts, or makes something up; see the type.
        ///
        /// - Throws: `authenticationFailure` for a ciphertext of another length, or not below the modulus: things that
        ///   anybody can see.
        public func decrypt(
            _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm
        ) throws(CryptographyError) -> SecretBytes {
            guard algorithm == .rsaPKCS1v15 else {
                throw CryptographyError(.unsupported, "this key does not decrypt \(algorithm)")
            }
            let padded = try key.decryptUnpadded(ciphertext)
            let seed = try SecretBytes(count: 32) { bytes throws(CryptographyError) in
                var computation = try secret.begin()
                try computation.update(ciphertext)
                try computation.finish(into: &bytes)
            }
            let function = try HMAC(.sha256, key: seed)
            let synthetic = try LegacyDecryptor.expand(function, "message", count: padded.count)
            let lengths = try LegacyDecryptor.expand(function, "length", count: 256)
            return ImplicitRejection.select(padded.bytes, synthetic.bytes, lengths.bytes)
        }

        /// HMAC in counter mode: counter in 16 bits, label, output length in bits.
        private static func expand(
            _ function: HMAC, _ label: StaticString, count: Int
        ) throws(CryptographyError) -> SecretBytes {
            let blocks = (count + 31) / 32
            let bytes = try SecretBytes(count: blocks * 32) { bytes throws(CryptographyError) in
                for block in 0..<blocks {
                    var input: [UInt8] = []
                    input.appendBigEndian(UInt16(truncatingIfNeeded: block))
                    input += label.description.utf8
                    input.appendBigEndian(UInt16(truncatingIfNeeded: count * 8))
                    var computation = try function.begin()
                    try computation.update(input.span)
                    var next = bytes._mutatingExtracting((block * 32)..<(block * 32 + 32))
                    try computation.finish(into: &next)
                }
            }
            return bytes.prefix(count)
        }
    }
}

extension RSA.PrivateKey {
    fileprivate func decryptUnpadded(_ ciphertext: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        guard ciphertext.count == modulusByteCount else { throw CryptographyError(.authenticationFailure) }
        return try SecretBytes(count: modulusByteCount) { bytes throws(CryptographyError) in
            do throws(NativeError) {
                guard try key.decryptRSA(ciphertext, .none, into: &bytes) == modulusByteCount else { throw .length }
            } catch { throw CryptographyError(error) }
        }
    }

    fileprivate func paddedPrivateExponent() throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: modulusByteCount) { bytes throws(CryptographyError) in
            do throws(NativeError) { try key.write("d", into: &bytes) } catch { throw CryptographyError(error) }
        }
    }
}

/// Chooses between a decrypted message and a made-up one without a branch or an address that depends on which.
enum ImplicitRejection {
    /// - Parameters:
    ///   - padded: what RSA gave: 00 02, at least 8 bytes that are not zero, 00, the message.
    ///   - synthetic: as long; the made-up message is its end.
    ///   - lengths: 128 candidates for the made-up message's length, 16 bits each.
    static func select(_ padded: Span<UInt8>, _ synthetic: Span<UInt8>, _ lengths: Span<UInt8>) -> SecretBytes {
        let count = padded.count
        let longest = UInt32(count - 10)
        var mask = longest
        for shift in [1, 2, 4, 8] as [UInt32] { mask |= mask >> shift }
        var syntheticCount: UInt32 = 0
        for index in stride(from: 0, to: lengths.count, by: 2) {
            let candidate = (UInt32(lengths[index]) << 8 | UInt32(lengths[index + 1])) & mask
            syntheticCount = choose(isLess(candidate, longest), candidate, syntheticCount)
        }
        var isGood = isZero(UInt32(padded[0])) & isZero(UInt32(padded[1]) ^ 2)
        var (found, separator): (UInt32, UInt32) = (0, 0)
        for index in 2..<count {
            let isEnd = isZero(UInt32(padded[index]))
            separator = choose(~found & isEnd, UInt32(truncatingIfNeeded: index), separator)
            found |= isEnd
        }
        isGood &= ~isLess(separator, 10)
        let start = choose(isGood, separator &+ 1, UInt32(truncatingIfNeeded: count) &- syntheticCount)
        // From here on the start is public: with a wrong padding it is the made-up message's.
        return SecretBytes(capacity: count) { output in
            for index in Int(start)..<count {
                output.append(
                    UInt8(truncatingIfNeeded: choose(isGood, UInt32(padded[index]), UInt32(synthetic[index]))))
            }
        }
    }

    /// All ones where `value` is zero.
    private static func isZero(_ value: UInt32) -> UInt32 { mostSignificant(~value & (value &- 1)) }

    /// All ones where `left` is the smaller; both below 2^31.
    private static func isLess(_ left: UInt32, _ right: UInt32) -> UInt32 { mostSignificant(left &- right) }

    private static func mostSignificant(_ value: UInt32) -> UInt32 { 0 &- (value >> 31) }

    private static func choose(_ mask: UInt32, _ left: UInt32, _ right: UInt32) -> UInt32 {
        left & mask | right & ~mask
    }
}
