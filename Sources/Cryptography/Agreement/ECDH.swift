internal import OpenSSLShim

/// Elliptic-curve Diffie-Hellman with cofactor 1 (SP 800-56A, 5.7.1.2).
public enum ECDH {
    /// A private key, held by OpenSSL.
    public struct PrivateKey: AsymmetricPrivateKey, KeyAgreement {
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

        /// The x coordinate of the shared point, in the curve's length.
        public func sharedSecret(with peer: PublicKey) throws(CryptographyError) -> SecretBytes {
            guard peer.curve == curve else { throw CryptographyError(.invalidKey, "a key on another curve") }
            return try pair.key.agree(with: peer.point.key, count: curve.coordinateByteCount)
        }

        /// The x coordinate of the shared point, in the curve's length.
        public func sharedSecret(
            withPublicKey subjectPublicKeyInfo: Span<UInt8>
        ) throws(CryptographyError) -> SecretBytes {
            try sharedSecret(with: try PublicKey(subjectPublicKeyInfo: subjectPublicKeyInfo))
        }

        /// The private number, in the curve's length.
        public func scalar() throws(CryptographyError) -> SecretBytes { try pair.scalar() }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes { try pair.pkcs8() }

        /// The key as an ECPrivateKey (RFC 5915) that names its curve.
        public func sec1() throws(CryptographyError) -> SecretBytes { try pair.sec1() }
    }

    /// A public key.
    public struct PublicKey: AsymmetricPublicKey {
        fileprivate let point: EllipticCurvePoint<EllipticCurve>

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
    }
}

extension NativeKey {
    /// The secret shared with a peer. OpenSSL's refusal is the peer's key: the private one was checked when it was made.
    func agree(with peer: NativeKey, count: Int) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: count) { bytes throws(CryptographyError) in
            let written: Int
            do throws(NativeError) {
                written = try sharedSecret(with: peer, into: &bytes)
            } catch {
                if case .refused = error {
                    throw CryptographyError(.invalidKey, "no secret can be shared with this key")
                }
                throw CryptographyError(error)
            }
            guard written == count else { throw CryptographyError(.internalFailure, "a secret of another length") }
        }
    }
}
