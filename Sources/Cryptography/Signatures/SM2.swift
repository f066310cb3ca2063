internal import OpenSSLShim

/// SM2 (GB/T 32918, ISO/IEC 14888-3): signatures and encryption with SM3, for peers in China who ask for it.
///
/// The signer's identity is what all take where nothing was agreed on, "1234567812345678" (GM/T 0009). OpenSSL has no key exchange of SM2.
public enum SM2 {
    /// The longest signature in bytes.
    static let maximumSignatureByteCount = 72
    /// The most bytes that are encrypted at once, as with AWS KMS.
    public static let maximumPlaintextByteCount = 1024
    /// What encryption adds: a point, a digest, and the ASN.1 around them.
    static let maximumOverhead = 128

    /// A private key, held by OpenSSL, that signs or decrypts.
    public struct PrivateKey: AsymmetricPrivateKey, SynchronousSigner, Decryptor {
        private let pair: EllipticCurveKeyPair<SM2Curve>

        /// A new key.
        public init() throws(CryptographyError) { pair = try EllipticCurveKeyPair(.recommended) }

        /// A key from its private number of 32 bytes.
        public init(scalar: borrowing SecretBytes) throws(CryptographyError) {
            pair = try EllipticCurveKeyPair(.recommended, scalar: scalar.bytes)
        }

        /// Reads a PKCS #8 structure.
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
            pair = try EllipticCurveKeyPair(pkcs8: bytes)
        }

        /// The public half.
        public var publicKey: PublicKey {
            get throws(CryptographyError) { PublicKey(try pair.point) }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            get throws(CryptographyError) { try pair.point.subjectPublicKeyInfo }
        }

        /// SM2 with SM3.
        public var signatureAlgorithms: [SignatureAlgorithm] { [.sm2DSA] }
        /// SM2 with SM3.
        public var encryptionAlgorithms: [EncryptionAlgorithm] { [.sm2PKE] }

        /// Signs a message; the signature is DER.
        public func sign(
            _ message: Span<UInt8>, using algorithm: SignatureAlgorithm = .sm2DSA
        ) throws(CryptographyError) -> [UInt8] {
            try SM2.check(algorithm)
            return try signature { span throws(NativeError) in
                try pair.key.sign(message, as: .identified, into: &span)
            }
        }

        /// Signs what its maker has hashed: SM3 of the signer's identity hash and the message (GB/T 32918.2, 6.1).
        public func sign(identified digest: Digest) throws(CryptographyError) -> [UInt8] {
            try SM2.check(digest)
            return try signature { span throws(NativeError) in try pair.key.signECDSA(digest.bytes, into: &span) }
        }

        private func signature(
            _ body: (inout MutableSpan<UInt8>) throws(NativeError) -> Int
        ) throws(CryptographyError) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: SM2.maximumSignatureByteCount)
            let count: Int
            do throws(NativeError) {
                var span = signature.mutableSpan
                count = try body(&span)
            } catch { throw CryptographyError(error) }
            signature.removeLast(signature.count - count)
            return signature
        }

        /// Refused: the digest of a message alone is not what SM2 signs.
        public func sign(
            digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            throw CryptographyError(.unsupported, "SM2 signs messages behind their signer's identity")
        }

        /// Decrypts.
        ///
        /// - Throws: `authenticationFailure` for any ciphertext that does not decrypt.
        public func decrypt(
            _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm = .sm2PKE
        ) throws(CryptographyError) -> SecretBytes {
            try SM2.check(algorithm)
            let most = SM2.maximumPlaintextByteCount + SM2.maximumOverhead
            // OpenSSL passes over what stands behind it.
            guard (1...most).contains(ciphertext.count), SM2.isOneElement(ciphertext) else {
                throw CryptographyError(.authenticationFailure)
            }
            return try SecretBytes(capacity: ciphertext.count) { secret throws(CryptographyError) in
                secret.append(repeating: 0, count: ciphertext.count)
                let count: Int
                do throws(NativeError) {
                    var span = secret.mutableSpan
                    count = try pair.key.decryptSM2(ciphertext, into: &span)
                } catch { throw CryptographyError(error) }
                secret.removeLast(ciphertext.count - count)
            }
        }

        /// The private number.
        public func scalar() throws(CryptographyError) -> SecretBytes { try pair.scalar() }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes { try pair.pkcs8() }
    }

    /// A public key.
    public struct PublicKey: VerificationKey, EncryptionKey {
        private let point: EllipticCurvePoint<SM2Curve>

        fileprivate init(_ point: EllipticCurvePoint<SM2Curve>) { self.point = point }

        /// Reads a point, compressed or not. One that is not on the curve is refused.
        public init(point bytes: [UInt8]) throws(CryptographyError) {
            point = try EllipticCurvePoint(.recommended, encoded: bytes.span)
        }

        /// Reads a SubjectPublicKeyInfo.
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            point = try EllipticCurvePoint(subjectPublicKeyInfo: bytes)
        }

        /// The point, 04 || x || y.
        public var uncompressedPoint: [UInt8] { point.uncompressed }
        /// The key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { point.subjectPublicKeyInfo }

        /// Whether a signature is this key's for a message.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm = .sm2DSA
        ) throws(CryptographyError) -> Bool {
            try SM2.check(algorithm)
            do { return try point.key.isValid(signature, for: message, as: .identified) } catch {
                throw CryptographyError(error)
            }
        }

        /// Whether a signature is this key's for what its maker has hashed; see ``PrivateKey/sign(identified:)``.
        public func isValid(
            _ signature: Span<UInt8>, forIdentified digest: Digest
        ) throws(CryptographyError) -> Bool {
            try SM2.check(digest)
            do { return try point.key.isValidECDSA(signature, for: digest.bytes) } catch {
                throw CryptographyError(error)
            }
        }

        /// Refused: the digest of a message alone is not what SM2 signs.
        public func isValid(
            _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            throw CryptographyError(.unsupported, "SM2 signs messages behind their signer's identity")
        }

        /// How many bytes are encrypted at once: 1024.
        public func maximumPlaintextByteCount(_ algorithm: EncryptionAlgorithm) -> Int { SM2.maximumPlaintextByteCount }

        /// Encrypts a short secret; the ciphertext is ASN.1 (GM/T 0009).
        public func encrypt(
            _ secret: borrowing SecretBytes, using algorithm: EncryptionAlgorithm = .sm2PKE
        ) throws(CryptographyError) -> [UInt8] {
            try SM2.check(algorithm)
            guard (1...SM2.maximumPlaintextByteCount).contains(secret.count) else {
                throw CryptographyError(.invalidLength, "\(secret.count) bytes do not fit")
            }
            var ciphertext = [UInt8](repeating: 0, count: secret.count + SM2.maximumOverhead)
            let count: Int
            do throws(NativeError) {
                var span = ciphertext.mutableSpan
                count = try point.key.encryptSM2(secret.bytes, into: &span)
            } catch { throw CryptographyError(error) }
            ciphertext.removeLast(ciphertext.count - count)
            return ciphertext
        }
    }

    private static func isOneElement(_ bytes: Span<UInt8>) -> Bool {
        var reader = DERReader(bytes)
        return (try? reader.take(.sequence)) != nil && reader.isAtEnd
    }

    fileprivate static func check(_ algorithm: SignatureAlgorithm) throws(CryptographyError) {
        guard algorithm == .sm2DSA else {
            throw CryptographyError(.unsupported, "this key does not sign with \(algorithm)")
        }
    }

    fileprivate static func check(_ algorithm: EncryptionAlgorithm) throws(CryptographyError) {
        guard algorithm == .sm2PKE else {
            throw CryptographyError(.unsupported, "this key does not encrypt with \(algorithm)")
        }
    }

    fileprivate static func check(_ digest: Digest) throws(CryptographyError) {
        guard digest.count == HashFunction.sm3.digestByteCount else {
            throw CryptographyError(.invalidLength, "SM2 signs digests of 32 bytes")
        }
    }
}
