internal import OpenSSLShim

/// The Elliptic Curve Digital Signature Algorithm (FIPS 186-5), with signatures in DER (RFC 3279, 2.2.3) and nonces
/// drawn at random.
public enum ECDSA {
    /// The longest signature in bytes: on P-521.
    public static let maximumSignatureByteCount = 141

    /// Every curve signs with each of them; the one that goes with the curve comes first.
    static func algorithms(_ curve: EllipticCurve) -> [SignatureAlgorithm] {
        switch curve.function {
        case .sha384: with384First
        case .sha512: with512First
        default: with256First
        }
    }

    private static let with256First: [SignatureAlgorithm] = [.ecdsaSHA256, .ecdsaSHA384, .ecdsaSHA512]
    private static let with384First: [SignatureAlgorithm] = [.ecdsaSHA384, .ecdsaSHA256, .ecdsaSHA512]
    private static let with512First: [SignatureAlgorithm] = [.ecdsaSHA512, .ecdsaSHA256, .ecdsaSHA384]

    /// Refuses digests that are too weak or no digests at all.
    fileprivate static func check(_ digest: Digest) throws(CryptographyError) {
        guard digest.count >= 28 else {
            throw CryptographyError(.invalidLength, "ECDSA signs digests of 28 bytes and more")
        }
    }
}

extension ECDSA {
    /// A private key, held by OpenSSL.
    public struct PrivateKey: AsymmetricPrivateKey, SynchronousSigner {
        private let pair: EllipticCurveKeyPair<EllipticCurve>

        /// The curve.
        public var curve: EllipticCurve { pair.curve }

        /// A new key.
        public init(_ curve: EllipticCurve) throws(CryptographyError) { pair = try EllipticCurveKeyPair(curve) }

        /// A key from its private number, in the curve's length.
        public init(_ curve: EllipticCurve, scalar: borrowing SecretBytes) throws(CryptographyError) {
            pair = try EllipticCurveKeyPair(curve, scalar: scalar.bytes)
        }

        /// Reads a PKCS #8 structure.
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
            pair = try EllipticCurveKeyPair(pkcs8: bytes)
        }

        /// Reads an ECPrivateKey (SEC 1, C.4; RFC 5915) that names its curve.
        public init(sec1 bytes: Span<UInt8>) throws(CryptographyError) { pair = try EllipticCurveKeyPair(sec1: bytes) }

        /// The public half.
        public var publicKey: PublicKey {
            get throws(CryptographyError) { PublicKey(try pair.point) }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            get throws(CryptographyError) { try pair.point.subjectPublicKeyInfo }
        }

        /// ECDSA with SHA-256, SHA-384 and SHA-512, the curve's own first.
        public var signatureAlgorithms: [SignatureAlgorithm] { ECDSA.algorithms(curve) }

        /// Signs a message's digest into the caller's buffer of ``ECDSA/maximumSignatureByteCount`` bytes.
        ///
        /// - Returns: the signature's length.
        public func sign(
            _ digest: Digest, into signature: inout MutableSpan<UInt8>
        ) throws(CryptographyError) -> Int {
            try ECDSA.check(digest)
            guard signature.count >= ECDSA.maximumSignatureByteCount else {
                throw CryptographyError(.invalidLength, "a signature may need \(ECDSA.maximumSignatureByteCount) bytes")
            }
            do throws(NativeError) {
                return try pair.key.signECDSA(digest.bytes, into: &signature)
            } catch { throw CryptographyError(error) }
        }

        /// Signs a message's digest.
        public func sign(_ digest: Digest) throws(CryptographyError) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: ECDSA.maximumSignatureByteCount)
            let count: Int
            do {
                var span = signature.mutableSpan
                count = try sign(digest, into: &span)
            }
            signature.removeLast(signature.count - count)
            return signature
        }

        /// Signs a message.
        public func sign(
            _ message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            try sign(digest: try algorithm.digest(message), using: algorithm)
        }

        /// Signs a message's digest.
        public func sign(
            digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            try algorithm.check(digest, in: signatureAlgorithms)
            return try sign(digest)
        }

        /// The private number, in the curve's length.
        public func scalar() throws(CryptographyError) -> SecretBytes { try pair.scalar() }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes { try pair.pkcs8() }

        /// The key as an ECPrivateKey (RFC 5915) that names its curve.
        public func sec1() throws(CryptographyError) -> SecretBytes { try pair.sec1() }
    }

    /// A public key.
    public struct PublicKey: VerificationKey {
        private let point: EllipticCurvePoint<EllipticCurve>

        fileprivate init(_ point: EllipticCurvePoint<EllipticCurve>) { self.point = point }

        /// The curve.
        public var curve: EllipticCurve { point.curve }

        /// Reads a point (SEC 1, 2.3.4), compressed or not. One that is not on the curve is refused.
        public init(_ curve: EllipticCurve, point bytes: [UInt8]) throws(CryptographyError) {
            point = try EllipticCurvePoint(curve, encoded: bytes.span)
        }

        /// Reads a SubjectPublicKeyInfo.
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            point = try EllipticCurvePoint(subjectPublicKeyInfo: bytes)
        }

        /// The point, 04 || x || y.
        public var uncompressedPoint: [UInt8] { point.uncompressed }
        /// The point, 02 or 03 || x.
        public var compressedPoint: [UInt8] { point.compressed }
        /// The key as a SubjectPublicKeyInfo, its point uncompressed.
        public var subjectPublicKeyInfo: [UInt8] { point.subjectPublicKeyInfo }

        /// Whether a signature is this key's for a message's digest.
        public func isValid(_ signature: Span<UInt8>, for digest: Digest) throws(CryptographyError) -> Bool {
            try ECDSA.check(digest)
            do { return try point.key.isValidECDSA(signature, for: digest.bytes) } catch {
                throw CryptographyError(error)
            }
        }

        /// Whether a signature is this key's for a message's digest.
        public func isValid(_ signature: [UInt8], for digest: Digest) throws(CryptographyError) -> Bool {
            try isValid(signature.span, for: digest)
        }

        /// Whether a signature is this key's for a message.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            try isValid(signature, forDigest: try algorithm.digest(message), using: algorithm)
        }

        /// Whether a signature is this key's for a message's digest.
        public func isValid(
            _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            try algorithm.check(digest, in: ECDSA.algorithms(curve))
            return try isValid(signature, for: digest)
        }
    }
}
