public import Cryptography
public import FoundationEssentials

/// How material is wrapped for its import (AWS KMS, "Select a wrapping algorithm").
public enum ImportWrapping: String, Sendable, Hashable, CaseIterable {
    /// The material under the RSA key; not for RSA keys, and not for P-521 under 2048 bits.
    case rsaOAEPSHA256 = "RSAES_OAEP_SHA_256"
    /// The same with SHA-1.
    case rsaOAEPSHA1 = "RSAES_OAEP_SHA_1"
    /// The material under a new AES key by RFC 5649, and that key under the RSA key: for key pairs.
    case rsaAESKeyWrapSHA256 = "RSA_AES_KEY_WRAP_SHA_256"
    /// The same with SHA-1.
    case rsaAESKeyWrapSHA1 = "RSA_AES_KEY_WRAP_SHA_1"
    /// The material under an SM2 key; not for RSA keys.
    case sm2PKE = "SM2PKE"

    /// How the wrapping key encrypts.
    var encryption: EncryptionAlgorithm {
        switch self {
        case .rsaOAEPSHA256, .rsaAESKeyWrapSHA256: .rsaOAEPSHA256
        case .rsaOAEPSHA1, .rsaAESKeyWrapSHA1: .rsaOAEPSHA1
        case .sm2PKE: .sm2PKE
        }
    }

    /// AWS's name of the wrapping key's kind.
    func keySpecification(_ size: RSAKeySize) -> String { self == .sm2PKE ? MaterialKind.sm2 : size.rawValue }

    /// A new wrapping key.
    func makeKey(_ size: RSAKeySize) throws(CryptographyError) -> any DecryptionKey {
        self == .sm2PKE ? try SM2.PrivateKey() : try RSA.PrivateKey(bits: size.bits)
    }

    func readKey(pkcs8: borrowing SecretBytes) throws(CryptographyError) -> any DecryptionKey {
        self == .sm2PKE ? try SM2.PrivateKey(pkcs8: pkcs8) : try RSA.PrivateKey(pkcs8: pkcs8)
    }

    /// Whether there is an AES key between.
    var isHybrid: Bool { self == .rsaAESKeyWrapSHA256 || self == .rsaAESKeyWrapSHA1 }

    /// Refuses what AWS refuses: keys that do not fit, and key pairs' wrapping for keys that are none.
    func check(_ size: RSAKeySize, for record: KeyRecord) throws(KeyManagementError) {
        let isTaken =
            switch record.kind {
            case .rsaSigning, .rsaDecryption: isHybrid
            case .ecdsa(.p521), .ecdh(.p521): isHybrid || self == .sm2PKE || size != .bits2048
            case .ecdsa, .ecdh, .ed25519, .mlDSA, .sm2Signing, .sm2Decryption: true
            default: !isHybrid
            }
        guard isTaken else {
            throw KeyManagementError(
                .unsupportedOperation,
                "\(rawValue) under \(keySpecification(size)) does not wrap \(record.specification)")
        }
    }

    /// Wraps material for the owner of a wrapping key.
    func wrap(
        _ material: borrowing SecretBytes, under key: any EncryptionKey
    ) throws(CryptographyError) -> [UInt8] {
        guard isHybrid else { return try key.encrypt(material, using: encryption) }
        let between = try SecretBytes.random(count: 32)
        return try key.encrypt(between, using: encryption) + AESKeyWrap(.padded, key: between).wrap(material)
    }

    /// Unwraps material.
    func unwrap(_ wrapped: Span<UInt8>, with key: any DecryptionKey) throws(CryptographyError) -> SecretBytes {
        guard isHybrid, let key = key as? RSA.PrivateKey else { return try key.decrypt(wrapped, using: encryption) }
        let count = key.modulusByteCount
        guard wrapped.count > count else { throw CryptographyError(.authenticationFailure) }
        let between = try key.decrypt(wrapped.extracting(..<count), using: encryption)
        return try AESKeyWrap(.padded, key: between).unwrap(wrapped.extracting(count...))
    }
}

/// What is needed to bring material to a key: a public key, and the token that goes with it. Valid for a day.
public struct ImportParameters: Sendable, Hashable {
    /// The key under which the material is wrapped, as a SubjectPublicKeyInfo.
    public let wrappingKey: [UInt8]
    /// How it is wrapped.
    public let wrapping: ImportWrapping
    /// What goes with the wrapped material.
    public let token: ImportToken
    /// Until when both are taken.
    public let validTo: Date

    /// Wraps material for the import: 32 bytes for a symmetric key, a digest's length for HMAC, PKCS #8 for a key pair.
    ///
    /// - Throws: `invalidLength` for more than the key takes.
    public func wrap(_ material: borrowing SecretBytes) throws(CryptographyError) -> [UInt8] {
        try wrapping.wrap(material, under: KeyAlgorithm.encryptionKey(subjectPublicKeyInfo: wrappingKey.span))
    }
}

/// Lets the service find the private half of a wrapping key: it is sealed in the token, and stored nowhere.
public struct ImportToken: Sendable, Hashable {
    /// The token.
    public let bytes: [UInt8]

    /// Takes bytes; whether they are a token shows on use.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Seals a wrapping key's PKCS #8 for a key; how it wraps is noted in one byte.
    init(
        _ key: borrowing SecretBytes, _ wrapping: ImportWrapping, for record: KeyRecord, until validTo: Date,
        domain version: UInt32, _ domain: AESGCM
    ) throws(CryptographyError) {
        let place = UInt8(ImportWrapping.allCases.firstIndex(of: wrapping) ?? 0)
        bytes = try WrappingKeyToken.seal(
            key, note: [place], for: ImportToken.purpose(record), until: validTo, domain: version, domain)
    }

    /// The wrapping key of a token for a key.
    ///
    /// - Throws: `invalidImportToken`, `expiredImportToken`.
    func open(
        for record: KeyRecord, at time: Date, domains: [UInt32: AESGCM]
    ) throws(KeyManagementError) -> (any DecryptionKey, ImportWrapping) {
        try WrappingKeyToken.open(
            bytes, noteByteCount: 1, for: ImportToken.purpose(record), at: time, domains: domains
        ) { pkcs8, note in
            guard let place = note.first.map(Int.init), place < ImportWrapping.allCases.count else {
                throw KeyManagementError(.invalidImportToken)
            }
            let wrapping = ImportWrapping.allCases[place]
            return (try wrapping.readKey(pkcs8: pkcs8), wrapping)
        }
    }

    private static func purpose(_ record: KeyRecord) -> String {
        "strongroom import token \(record.account) \(record.id) "
    }
}
