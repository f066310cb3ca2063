internal import OpenSSLShim

/// AES modes that hide data and do not protect it: who can change a ciphertext changes the plaintext, and who can ask
/// whether one decrypts may read it (padding oracles).
///
/// They are here for formats that authenticate by other means, such as SQLCipher's pages and CMS. Use ``AESGCM`` or an
/// envelope for anything new.
public enum UnauthenticatedAES {
    /// Cipher block chaining (SP 800-38A) with the padding of PKCS #7, or with none.
    public struct CBC: Sendable {
        private let algorithm: CipherAlgorithm
        private let key: NativeKeyBox

        /// Takes a key of 16, 24 or 32 bytes.
        public init(key: borrowing SecretBytes) throws(CryptographyError) {
            algorithm = try UnauthenticatedAES.choose(key.count, .aes128CBC, .aes192CBC, .aes256CBC)
            self.key = NativeKeyBox(key.copy())
        }

        /// Encrypts. The vector has 16 bytes and must not be predictable.
        ///
        /// - Parameter isPadding: whether to pad; without, the length must be a multiple of 16.
        public func encrypt(
            _ plaintext: Span<UInt8>, initializationVector: Span<UInt8>, isPadding: Bool = true
        ) throws(CryptographyError) -> [UInt8] {
            try UnauthenticatedAES.check(initializationVector)
            guard isPadding || plaintext.count % 16 == 0 else { throw CryptographyError(.invalidLength) }
            return try key.array(
                algorithm, .encrypt, iv: initializationVector, isPadding: isPadding, input: plaintext)
        }

        /// Decrypts. A wrong padding is `authenticationFailure`; do not let anybody learn of it.
        public func decrypt(
            _ ciphertext: Span<UInt8>, initializationVector: Span<UInt8>, isPadding: Bool = true
        ) throws(CryptographyError) -> SecretBytes {
            try UnauthenticatedAES.check(initializationVector)
            guard ciphertext.count % 16 == 0 else { throw CryptographyError(.authenticationFailure) }
            return try key.secret(
                algorithm, .decrypt, iv: initializationVector, isPadding: isPadding, input: ciphertext)
        }
    }

    /// Counter mode (SP 800-38A). Encrypting and decrypting are one. A counter block used twice gives away both messages.
    public struct CTR: Sendable {
        private let algorithm: CipherAlgorithm
        private let key: NativeKeyBox

        /// Takes a key of 16, 24 or 32 bytes.
        public init(key: borrowing SecretBytes) throws(CryptographyError) {
            algorithm = try UnauthenticatedAES.choose(key.count, .aes128CTR, .aes192CTR, .aes256CTR)
            self.key = NativeKeyBox(key.copy())
        }

        /// Applies the key stream that begins at a counter block of 16 bytes.
        public func apply(to bytes: Span<UInt8>, initialCounter: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            try UnauthenticatedAES.check(initialCounter)
            return try key.array(algorithm, .encrypt, iv: initialCounter, isPadding: false, input: bytes)
        }

        /// Applies the key stream into secret memory: the form for decrypting.
        public func applySecretly(
            to bytes: Span<UInt8>, initialCounter: Span<UInt8>
        ) throws(CryptographyError) -> SecretBytes {
            try UnauthenticatedAES.check(initialCounter)
            return try key.secret(algorithm, .encrypt, iv: initialCounter, isPadding: false, input: bytes)
        }
    }

    /// XTS (SP 800-38E), for sectors of storage: the same length in and out, nothing authenticated.
    public struct XTS: Sendable {
        private let algorithm: CipherAlgorithm
        private let key: NativeKeyBox

        /// Takes a key of 32 or 64 bytes whose halves differ.
        public init(key: borrowing SecretBytes) throws(CryptographyError) {
            switch key.count {
            case 32: algorithm = .aes128XTS
            case 64: algorithm = .aes256XTS
            default: throw CryptographyError(.invalidKey, "an XTS key has 32 or 64 bytes, not \(key.count)")
            }
            let half = key.count / 2
            guard !key.bytes.extracting(..<half).isEqualInConstantTime(to: key.bytes.extracting(half...)) else {
                throw CryptographyError(.invalidKey, "the halves of an XTS key must differ")
            }
            self.key = NativeKeyBox(key.copy())
        }

        /// Encrypts a data unit of 16 bytes to 16 MiB (2^20 blocks). The tweak has 16 bytes.
        public func encrypt(_ unit: Span<UInt8>, tweak: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
            try check(unit, tweak)
            return try key.array(algorithm, .encrypt, iv: tweak, isPadding: false, input: unit)
        }

        /// Decrypts a data unit.
        public func decrypt(_ unit: Span<UInt8>, tweak: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
            try check(unit, tweak)
            return try key.secret(algorithm, .decrypt, iv: tweak, isPadding: false, input: unit)
        }

        private func check(_ unit: Span<UInt8>, _ tweak: Span<UInt8>) throws(CryptographyError) {
            try UnauthenticatedAES.check(tweak)
            guard (16...(1 << 24)).contains(unit.count) else {
                throw CryptographyError(.invalidLength, "an XTS data unit has 16 bytes to 16 MiB")
            }
        }
    }

    private static func check(_ block: Span<UInt8>) throws(CryptographyError) {
        guard block.count == 16 else { throw CryptographyError(.invalidLength, "16 bytes, not \(block.count)") }
    }

    private static func choose(
        _ count: Int, _ small: CipherAlgorithm, _ middle: CipherAlgorithm, _ large: CipherAlgorithm
    ) throws(CryptographyError) -> CipherAlgorithm {
        switch count {
        case 16: small
        case 24: middle
        case 32: large
        default: throw CryptographyError(.invalidKey, "an AES key has 16, 24 or 32 bytes, not \(count)")
        }
    }
}
