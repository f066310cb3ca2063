internal import OpenSSLShim

/// Ed25519 (RFC 8032): deterministic signatures of 64 bytes over whole messages.
public enum Ed25519 {
    /// The length of a signature in bytes.
    public static let signatureByteCount = 64

    /// A private key, held by OpenSSL.
    public struct PrivateKey: AsymmetricPrivateKey, SynchronousSigner {
        private let pair: RawKeyPair

        /// A new key.
        public init() throws(CryptographyError) { pair = try RawKeyPair(.ed25519) }

        /// A key from its 32 bytes, the seed of RFC 8032.
        public init(seed: borrowing SecretBytes) throws(CryptographyError) {
            pair = try RawKeyPair(.ed25519, seed.bytes)
        }

        /// Reads a PKCS #8 structure (RFC 8410).
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
            pair = try RawKeyPair(.ed25519, pkcs8: bytes)
        }

        /// The public half.
        public var publicKey: PublicKey {
            get throws(CryptographyError) { PublicKey(try pair.publicKey) }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            get throws(CryptographyError) { try pair.publicKey.subjectPublicKeyInfo }
        }

        /// Ed25519 alone.
        public var signatureAlgorithms: [SignatureAlgorithm] { [.ed25519] }

        /// Signs a message.
        public func sign(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: Ed25519.signatureByteCount)
            do throws(NativeError) {
                var span = signature.mutableSpan
                try pair.key.signEdDSA(message, into: &span)
            } catch { throw CryptographyError(error) }
            return signature
        }

        /// Signs a message.
        public func sign(
            _ message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            try Ed25519.check(algorithm)
            return try sign(message)
        }

        /// Refused: Ed25519 signs messages.
        public func sign(
            digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            throw CryptographyError(.unsupported, "Ed25519 signs messages, not digests")
        }

        /// The 32 bytes of the seed.
        public func seed() throws(CryptographyError) -> SecretBytes { try pair.privateBytes() }

        /// The key as a PKCS #8 structure.
        public func pkcs8() throws(CryptographyError) -> SecretBytes { try pair.pkcs8() }
    }

    /// A public key.
    public struct PublicKey: VerificationKey {
        private let key: RawPublicKey

        fileprivate init(_ key: RawPublicKey) { self.key = key }

        /// Takes the 32 bytes of a key.
        public init(_ bytes: Span<UInt8>) throws(CryptographyError) { key = try RawPublicKey(.ed25519, bytes) }

        /// Reads a SubjectPublicKeyInfo (RFC 8410).
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            key = try RawPublicKey(.ed25519, subjectPublicKeyInfo: bytes)
        }

        /// The 32 bytes.
        public var bytes: [UInt8] { key.bytes }
        /// The key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }

        /// Whether a signature is this key's for a message.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>
        ) throws(CryptographyError) -> Bool {
            guard signature.count == Ed25519.signatureByteCount else { return false }
            do { return try key.key.isValidEdDSA(signature, for: message) } catch { throw CryptographyError(error) }
        }

        /// Whether a signature is this key's for a message.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            try Ed25519.check(algorithm)
            return try isValid(signature, for: message)
        }

        /// Refused: Ed25519 signs messages.
        public func isValid(
            _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            throw CryptographyError(.unsupported, "Ed25519 signs messages, not digests")
        }
    }

    fileprivate static func check(_ algorithm: SignatureAlgorithm) throws(CryptographyError) {
        guard algorithm == .ed25519 else {
            throw CryptographyError(.unsupported, "this key does not sign with \(algorithm)")
        }
    }
}
