internal import OpenSSLShim

/// The Elliptic Curve Digital Signature Algorithm (FIPS 186-5) over NIST's curves, with signatures in DER.
public enum ECDSA {
    /// A curve together with the hash function that goes with it.
    public enum Curve: String, Sendable, Hashable, CaseIterable {
        /// P-256 with SHA-256.
        case p256 = "P-256"
        /// P-384 with SHA-384.
        case p384 = "P-384"
        /// P-521 with SHA-512.
        case p521 = "P-521"

        /// The hash function of signatures on this curve.
        public var function: HashFunction {
            switch self {
            case .p256: .sha256
            case .p384: .sha384
            case .p521: .sha512
            }
        }
    }

    /// A private key, held by OpenSSL.
    public struct PrivateKey: Sendable {
        private let key: NativeECKey

        /// The curve.
        public let curve: Curve

        /// A new key.
        public init(_ curve: Curve) throws(CryptographyError) {
            do { key = try NativeECKey.generate(curve.rawValue) } catch { throw CryptographyError(error) }
            self.curve = curve
        }

        /// The public key's point, compressed (SEC 1, 2.3.3).
        public func compressedPublicKey() throws(CryptographyError) -> [UInt8] {
            do { return try key.compressedPoint() } catch { throw CryptographyError(error) }
        }

        /// Signs a message's digest.
        public func sign(_ digest: Digest) throws(CryptographyError) -> [UInt8] {
            guard digest.count == curve.function.digestByteCount else {
                throw CryptographyError(.invalidLength, "\(curve.rawValue) signs digests of \(curve.function)")
            }
            do { return try key.sign(digest.bytes) } catch { throw CryptographyError(error) }
        }
    }

    /// A public key.
    public struct PublicKey: Sendable {
        private let key: NativeECKey

        /// The curve.
        public let curve: Curve

        /// Reads a point, compressed or not. One that is not on the curve is refused.
        public init(_ curve: Curve, point: [UInt8]) throws(CryptographyError) {
            do {
                key = try NativeECKey.publicKey(curve.rawValue, point: point.span)
            } catch {
                throw CryptographyError(.invalidKey, "not a point on \(curve.rawValue)")
            }
            self.curve = curve
        }

        /// Whether a signature is this key's for a message's digest.
        public func isValid(_ signature: [UInt8], for digest: Digest) throws(CryptographyError) -> Bool {
            do { return try key.isValid(signature.span, for: digest.bytes) } catch { throw CryptographyError(error) }
        }
    }
}
