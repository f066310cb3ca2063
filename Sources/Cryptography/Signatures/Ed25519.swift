internal import OpenSSLShim

/// Ed25519 and Ed25519ph (RFC 8032): deterministic signatures of 64 bytes over whole messages.
public enum Ed25519 {
    /// The length of a signature in bytes.
    public static let signatureByteCount = 64

    /// Whether the linked OpenSSL knows Ed25519ph: from 3.2 on.
    public static let isPrehashAvailable: Bool = {
        guard let pair = try? RawKeyPair(.ed25519) else { return false }
        return pair.key.offers(.prehashed)
    }()

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

        /// Ed25519. Ed25519ph is for those who ask for it by name.
        public var signatureAlgorithms: [SignatureAlgorithm] { [.ed25519] }

        /// Signs a message.
        public func sign(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            try sign(message, as: .message)
        }

        /// Signs a message, with Ed25519ph too, which hashes it here.
        public func sign(
            _ message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            try sign(message, as: try Ed25519.form(algorithm))
        }

        private func sign(_ message: Span<UInt8>, as form: SignedForm) throws(CryptographyError) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: Ed25519.signatureByteCount)
            do throws(NativeError) {
                var span = signature.mutableSpan
                try pair.key.sign(message, as: form, into: &span)
            } catch { throw CryptographyError(error) }
            return signature
        }

        /// Refused: Ed25519 signs messages, and OpenSSL hashes them itself for Ed25519ph.
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
            try isValid(signature, for: message, using: .ed25519)
        }

        /// Whether a signature is this key's for a message.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            let form = try Ed25519.form(algorithm)
            guard signature.count == Ed25519.signatureByteCount else { return false }
            do { return try key.key.isValid(signature, for: message, as: form) } catch {
                throw CryptographyError(error)
            }
        }

        /// Refused: Ed25519 signs messages, and OpenSSL hashes them itself for Ed25519ph.
        public func isValid(
            _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            throw CryptographyError(.unsupported, "Ed25519 signs messages, not digests")
        }
    }

    fileprivate static func form(_ algorithm: SignatureAlgorithm) throws(CryptographyError) -> SignedForm {
        switch algorithm {
        case .ed25519: return .message
        case .ed25519ph where isPrehashAvailable: return .prehashed
        case .ed25519ph: throw CryptographyError(.unsupported, "Ed25519ph needs OpenSSL 3.2")
        default: throw CryptographyError(.unsupported, "this key does not sign with \(algorithm)")
        }
    }
}
