internal import OpenSSLShim

/// ML-DSA (FIPS 204): signatures that a quantum computer does not forge.
///
/// It needs OpenSSL 3.5 or later; with an older one every initializer throws `unsupported`. Signing is hedged: two signatures of one
/// message differ.
public enum MLDSA {
    /// The parameter sets (FIPS 204, section 4).
    public enum ParameterSet: String, Sendable, Hashable, CaseIterable {
        /// ML-DSA-44: as hard to break as finding a collision of SHA-256.
        case mldsa44 = "ML-DSA-44"
        /// ML-DSA-65: as hard as AES-192.
        case mldsa65 = "ML-DSA-65"
        /// ML-DSA-87: as hard as AES-256.
        case mldsa87 = "ML-DSA-87"

        /// The length of a public key in bytes.
        public var publicKeyByteCount: Int { self == .mldsa44 ? 1312 : self == .mldsa65 ? 1952 : 2592 }
        /// The length of a signature in bytes.
        public var signatureByteCount: Int { self == .mldsa44 ? 2420 : self == .mldsa65 ? 3309 : 4627 }
        /// The length of an expanded private key in bytes.
        var expandedByteCount: Int { self == .mldsa44 ? 2560 : self == .mldsa65 ? 4032 : 4896 }
    }

    /// Whether the linked OpenSSL has it.
    public static let isAvailable = NativeKey.isOffered(signature: ParameterSet.mldsa65.rawValue)

    /// The length of a private key's seed in bytes.
    public static let seedByteCount = 32
    /// The length of a message's representative in bytes.
    public static let representativeByteCount = 64

    /// A private key, held by OpenSSL.
    public struct PrivateKey: AsymmetricPrivateKey, SynchronousSigner {
        /// Its parameters.
        public let parameters: ParameterSet
        private let key: NativeKey

        /// A new key.
        public init(_ parameters: ParameterSet) throws(CryptographyError) {
            try self.init(parameters, seed: try SecretBytes.random(count: MLDSA.seedByteCount))
        }

        /// A key from its seed of 32 bytes, FIPS 204's xi.
        public init(_ parameters: ParameterSet, seed: borrowing SecretBytes) throws(CryptographyError) {
            try self.init(parameters, seed.bytes)
        }

        private init(_ parameters: ParameterSet, _ seed: Span<UInt8>) throws(CryptographyError) {
            try MLDSA.check()
            guard seed.count == MLDSA.seedByteCount else {
                throw CryptographyError(.invalidKey, "a seed has \(MLDSA.seedByteCount) bytes")
            }
            do throws(NativeError) { key = try NativeKey.privateKey(seeded: parameters.rawValue, seed) } catch {
                throw CryptographyError(error)
            }
            self.parameters = parameters
        }

        /// Reads a PKCS #8 structure with the seed (RFC 9881, section 6), alone or with the expanded key beside it.
        ///
        /// - Throws: `unsupported` for an expanded key alone, whose seed cannot be found out.
        public init(pkcs8 bytes: Span<UInt8>) throws(CryptographyError) {
            let info = try PrivateKeyInfo(bytes)
            guard case .mlDSA(let parameters) = info.algorithm else {
                throw CryptographyError(.unsupported, "not an ML-DSA key")
            }
            let key = try PrivateKey(parameters, content: info.key)
            if let given = info.publicKey { try key.check(given) }
            self = key
        }

        /// Reads one of the three forms of RFC 9881, section 6.
        private init(_ parameters: ParameterSet, content: Span<UInt8>) throws(CryptographyError) {
            var reader = DERReader(content)
            if reader.isNext(.octetString) {
                throw CryptographyError(.unsupported, "an ML-DSA key without its seed")
            }
            if reader.isNext(.sequence) {
                var both = try reader.enter(.sequence)
                let seed = try both.take(.octetString)
                let expanded = try both.take(.octetString)
                try both.end()
                try self.init(parameters, seed)
                try checkExpanded(expanded)
            } else {
                let seed = try reader.take(.primitive(0))
                try self.init(parameters, seed)
            }
            try reader.end()
        }

        /// Signing for a public key that is not one's own gives the private key away.
        private func check(_ given: Span<UInt8>) throws(CryptographyError) {
            let own = try publicKey.bytes
            guard given.isEqualInConstantTime(to: own.span) else {
                throw CryptographyError(.invalidKey, "the public key is not the private key's")
            }
        }

        private func checkExpanded(_ given: Span<UInt8>) throws(CryptographyError) {
            let own = try SecretBytes(count: parameters.expandedByteCount) { bytes throws(CryptographyError) in
                do throws(NativeError) { try key.writeRawPrivateKey(into: &bytes) } catch {
                    throw CryptographyError(error)
                }
            }
            guard given.isEqualInConstantTime(to: own.bytes) else {
                throw CryptographyError(.invalidKey, "the expanded key is not the seed's")
            }
        }

        /// The public half.
        public var publicKey: PublicKey {
            get throws(CryptographyError) {
                do throws(NativeError) {
                    let bytes = try key.rawPublicKey(count: parameters.publicKeyByteCount)
                    return PublicKey(
                        parameters, bytes, key: try NativeKey.publicKey(raw: parameters.rawValue, bytes.span))
                } catch { throw CryptographyError(error) }
            }
        }

        /// The public half as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            get throws(CryptographyError) { try publicKey.subjectPublicKeyInfo }
        }

        /// ML-DSA alone.
        public var signatureAlgorithms: [SignatureAlgorithm] { [.mlDSA] }

        /// Signs a message, with an empty context.
        public func sign(
            _ message: Span<UInt8>, using algorithm: SignatureAlgorithm = .mlDSA
        ) throws(CryptographyError) -> [UInt8] {
            try MLDSA.check(algorithm)
            return try sign(message, as: .message)
        }

        /// Signs a message by its representative, as ``PublicKey/representative(of:)`` and ``MessageRepresentative`` calculate it.
        public func sign(representative: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            guard representative.count == MLDSA.representativeByteCount else {
                throw CryptographyError(.invalidLength, "a representative has 64 bytes")
            }
            return try sign(representative, as: .representative)
        }

        private func sign(_ bytes: Span<UInt8>, as form: SignedForm) throws(CryptographyError) -> [UInt8] {
            var signature = [UInt8](repeating: 0, count: parameters.signatureByteCount)
            do throws(NativeError) {
                var span = signature.mutableSpan
                try key.sign(bytes, as: form, into: &span)
            } catch { throw CryptographyError(error) }
            return signature
        }

        /// Refused: ML-DSA signs messages, and their representatives.
        public func sign(
            digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> [UInt8] {
            throw CryptographyError(.unsupported, "ML-DSA signs messages, not digests")
        }

        /// The 32 bytes of the seed.
        public func seed() throws(CryptographyError) -> SecretBytes {
            try SecretBytes(count: MLDSA.seedByteCount) { bytes throws(CryptographyError) in
                do throws(NativeError) { try key.writeSeed(into: &bytes) } catch { throw CryptographyError(error) }
            }
        }

        /// The key as a PKCS #8 structure with the seed alone.
        public func pkcs8() throws(CryptographyError) -> SecretBytes {
            let seed = try seed()
            return PrivateKeyInfo.encode(.mlDSA(parameters)) { writer in writer.append(.primitive(0), seed.bytes) }
        }
    }

    /// A public key.
    public struct PublicKey: VerificationKey {
        /// Its parameters.
        public let parameters: ParameterSet
        /// The key as FIPS 204 encodes it.
        public let bytes: [UInt8]
        private let key: NativeKey

        fileprivate init(_ parameters: ParameterSet, _ bytes: [UInt8], key: NativeKey) {
            (self.parameters, self.bytes, self.key) = (parameters, bytes, key)
        }

        /// Takes a key as FIPS 204 encodes it.
        public init(_ parameters: ParameterSet, _ bytes: Span<UInt8>) throws(CryptographyError) {
            try MLDSA.check()
            guard bytes.count == parameters.publicKeyByteCount else {
                throw CryptographyError(.invalidKey, "a key has \(parameters.publicKeyByteCount) bytes")
            }
            do throws(NativeError) {
                key = try NativeKey.publicKey(raw: parameters.rawValue, bytes)
                self.bytes = try key.rawPublicKey(count: bytes.count)
            } catch { throw CryptographyError(error) }
            self.parameters = parameters
        }

        /// Reads a SubjectPublicKeyInfo (RFC 9881).
        public init(subjectPublicKeyInfo bytes: Span<UInt8>) throws(CryptographyError) {
            let info = try Cryptography.SubjectPublicKeyInfo(bytes)
            guard case .mlDSA(let parameters) = info.algorithm else {
                throw CryptographyError(.unsupported, "not an ML-DSA key")
            }
            try self.init(parameters, info.key)
        }

        /// The key as a SubjectPublicKeyInfo.
        public var subjectPublicKeyInfo: [UInt8] {
            Cryptography.SubjectPublicKeyInfo.encode(.mlDSA(parameters), bytes.span)
        }

        /// Whether a signature is this key's for a message, with an empty context.
        public func isValid(
            _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm = .mlDSA
        ) throws(CryptographyError) -> Bool {
            try MLDSA.check(algorithm)
            return try isValid(signature, message, as: .message)
        }

        /// Whether a signature is this key's for the message of a representative.
        public func isValid(
            _ signature: Span<UInt8>, forRepresentative representative: Span<UInt8>
        ) throws(CryptographyError) -> Bool {
            guard representative.count == MLDSA.representativeByteCount else { return false }
            return try isValid(signature, representative, as: .representative)
        }

        private func isValid(
            _ signature: Span<UInt8>, _ bytes: Span<UInt8>, as form: SignedForm
        ) throws(CryptographyError) -> Bool {
            guard signature.count == parameters.signatureByteCount else { return false }
            do { return try key.isValid(signature, for: bytes, as: form) } catch { throw CryptographyError(error) }
        }

        /// Refused: ML-DSA signs messages, and their representatives.
        public func isValid(
            _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
        ) throws(CryptographyError) -> Bool {
            throw CryptographyError(.unsupported, "ML-DSA signs messages, not digests")
        }

        /// The representative of a message, mu: what a signer elsewhere signs when the message is too long to send.
        public func representative(of message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            var representative = try MessageRepresentative(for: self)
            try representative.update(message)
            return try representative.finish()
        }
    }

    private static func check() throws(CryptographyError) {
        guard isAvailable else { throw CryptographyError(.unsupported, "ML-DSA needs OpenSSL 3.5") }
    }

    fileprivate static func check(_ algorithm: SignatureAlgorithm) throws(CryptographyError) {
        guard algorithm == .mlDSA else {
            throw CryptographyError(.unsupported, "this key does not sign with \(algorithm)")
        }
    }
}
