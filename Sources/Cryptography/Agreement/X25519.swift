/// Diffie-Hellman over Curve25519 (RFC 7748).
public enum X25519 {
    /// A private key, held by OpenSSL.
    public struct PrivateKey: AsymmetricPrivateKey, KeyAgreement {
        private let pair: RawKeyPair

        /// A new key.
        public init() throws(CryptographyError) { pair = try RawKeyPair(.x25519) }

        /// A key from its 32 bytes.
        public init(scalar: borrowing SecretBytes) throws(CryptographyError) {
            pair = try RawKeyPair(.x25519, scalar.bytes)
        }

        /// Reads a PKCS #8 structure (RFC 8410).
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) { pair = try RawKeyPair(.x25519, pkcs8: bytes) }

        /// The public half.
        public var publicKey: PublicKey {
            get throws(CryptographyError) { PublicKey(try pair.publicKey) }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            get throws(CryptographyError) { try pair.publicKey.subjectPublicKeyInfo }
        }

        /// The shared secret: 32 bytes. One of zeros, which a point of small order gives, is refused.
        public func sharedSecret(with peer: PublicKey) throws(CryptographyError) -> SecretBytes {
            try pair.key.agree(with: peer.key.key, count: RawKeyKind.byteCount)
        }

        /// The shared secret: 32 bytes.
        public func sharedSecret(
            withPublicKey subjectPublicKeyInfo: Span<UInt8>
        ) throws(CryptographyError) -> SecretBytes {
            try sharedSecret(with: try PublicKey(subjectPublicKeyInfo: subjectPublicKeyInfo))
        }

        /// The 32 bytes.
        public func scalar() throws(CryptographyError) -> SecretBytes { try pair.privateBytes() }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes { try pair.pkcs8() }
    }

    /// A public key.
    public struct PublicKey: AsymmetricPublicKey {
        fileprivate let key: RawPublicKey

        fileprivate init(_ key: RawPublicKey) { self.key = key }

        /// Takes the 32 bytes of a key.
        public init(_ bytes: Span<UInt8>) throws(CryptographyError) { key = try RawPublicKey(.x25519, bytes) }

        /// Reads a SubjectPublicKeyInfo (RFC 8410).
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            key = try RawPublicKey(.x25519, subjectPublicKeyInfo: bytes)
        }

        /// The 32 bytes.
        public var bytes: [UInt8] { key.bytes }
        /// The key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }
    }
}
