public import Cryptography

extension Key where Purpose == Signing {
    /// Keys of the Elliptic Curve Digital Signature Algorithm (FIPS 186-5).
    public enum ECDSA {
        /// A key on NIST P-256; it signs with SHA-256.
        public typealias P256 = TypedKey<ManagedECDSA.P256>
        /// A key on NIST P-384; it signs with SHA-384.
        public typealias P384 = TypedKey<ManagedECDSA.P384>
        /// A key on NIST P-521; it signs with SHA-512.
        public typealias P521 = TypedKey<ManagedECDSA.P521>
        /// A key on secp256k1; it signs with SHA-256.
        public typealias Secp256k1 = TypedKey<ManagedECDSA.Secp256k1>
    }

    /// An Ed25519 key (RFC 8032).
    public typealias Ed25519 = TypedKey<ManagedEd25519>

    /// Keys of ML-DSA (FIPS 204), where the linked OpenSSL has it.
    public enum MLDSA {
        /// A key of ML-DSA-44.
        public typealias MLDSA44 = TypedKey<ManagedMLDSA.MLDSA44>
        /// A key of ML-DSA-65.
        public typealias MLDSA65 = TypedKey<ManagedMLDSA.MLDSA65>
        /// A key of ML-DSA-87.
        public typealias MLDSA87 = TypedKey<ManagedMLDSA.MLDSA87>
    }
}

extension Key where Purpose == Agreement {
    /// Keys that agree by Elliptic Curve Diffie-Hellman (SP 800-56A).
    public enum ECDH {
        /// A key on NIST P-256.
        public typealias P256 = TypedKey<ManagedECDH.P256>
        /// A key on NIST P-384.
        public typealias P384 = TypedKey<ManagedECDH.P384>
        /// A key on NIST P-521.
        public typealias P521 = TypedKey<ManagedECDH.P521>
    }
}

extension Key where Purpose == Authentication {
    /// Keys for message authentication codes (RFC 2104).
    public enum HMAC {
        /// A key for HMAC with SHA-256.
        public typealias SHA256 = TypedKey<ManagedHMAC.SHA256>
        /// A key for HMAC with SHA-384.
        public typealias SHA384 = TypedKey<ManagedHMAC.SHA384>
        /// A key for HMAC with SHA-512.
        public typealias SHA512 = TypedKey<ManagedHMAC.SHA512>
    }
}

/// ECDSA, by curve.
public enum ManagedECDSA {
    /// NIST P-256.
    public enum P256: ManagedSignatureAlgorithm {
        /// ECC_NIST_P256.
        public static var specification: KeySpecification<Signing> { .ecdsa(.p256) }
        /// ECDSA_SHA_256.
        public static var signatureAlgorithm: SignatureAlgorithm { .ecdsaSHA256 }
    }
    /// NIST P-384.
    public enum P384: ManagedSignatureAlgorithm {
        /// ECC_NIST_P384.
        public static var specification: KeySpecification<Signing> { .ecdsa(.p384) }
        /// ECDSA_SHA_384.
        public static var signatureAlgorithm: SignatureAlgorithm { .ecdsaSHA384 }
    }
    /// NIST P-521.
    public enum P521: ManagedSignatureAlgorithm {
        /// ECC_NIST_P521.
        public static var specification: KeySpecification<Signing> { .ecdsa(.p521) }
        /// ECDSA_SHA_512.
        public static var signatureAlgorithm: SignatureAlgorithm { .ecdsaSHA512 }
    }
    /// secp256k1.
    public enum Secp256k1: ManagedSignatureAlgorithm {
        /// ECC_SECG_P256K1.
        public static var specification: KeySpecification<Signing> { .ecdsa(.secp256k1) }
        /// ECDSA_SHA_256.
        public static var signatureAlgorithm: SignatureAlgorithm { .ecdsaSHA256 }
    }
}

/// Ed25519.
public enum ManagedEd25519: ManagedSignatureAlgorithm {
    /// ECC_NIST_EDWARDS25519.
    public static var specification: KeySpecification<Signing> { .ed25519 }
    /// ED25519_SHA_512.
    public static var signatureAlgorithm: SignatureAlgorithm { .ed25519 }
}

/// ML-DSA, by parameter set.
public enum ManagedMLDSA {
    /// ML-DSA-44.
    public enum MLDSA44: ManagedSignatureAlgorithm {
        /// ML_DSA_44.
        public static var specification: KeySpecification<Signing> { .mlDSA(.mldsa44) }
        /// ML_DSA_SHAKE_256.
        public static var signatureAlgorithm: SignatureAlgorithm { .mlDSA }
    }
    /// ML-DSA-65.
    public enum MLDSA65: ManagedSignatureAlgorithm {
        /// ML_DSA_65.
        public static var specification: KeySpecification<Signing> { .mlDSA(.mldsa65) }
        /// ML_DSA_SHAKE_256.
        public static var signatureAlgorithm: SignatureAlgorithm { .mlDSA }
    }
    /// ML-DSA-87.
    public enum MLDSA87: ManagedSignatureAlgorithm {
        /// ML_DSA_87.
        public static var specification: KeySpecification<Signing> { .mlDSA(.mldsa87) }
        /// ML_DSA_SHAKE_256.
        public static var signatureAlgorithm: SignatureAlgorithm { .mlDSA }
    }
}

/// ECDH, by curve.
public enum ManagedECDH {
    /// NIST P-256.
    public enum P256: ManagedAlgorithm {
        /// ECC_NIST_P256.
        public static var specification: KeySpecification<Agreement> { .ecdh(.p256) }
    }
    /// NIST P-384.
    public enum P384: ManagedAlgorithm {
        /// ECC_NIST_P384.
        public static var specification: KeySpecification<Agreement> { .ecdh(.p384) }
    }
    /// NIST P-521.
    public enum P521: ManagedAlgorithm {
        /// ECC_NIST_P521.
        public static var specification: KeySpecification<Agreement> { .ecdh(.p521) }
    }
}

/// HMAC, by hash function.
public enum ManagedHMAC {
    /// SHA-256.
    public enum SHA256: ManagedAlgorithm {
        /// HMAC_256.
        public static var specification: KeySpecification<Authentication> { .hmac(.sha256) }
    }
    /// SHA-384.
    public enum SHA384: ManagedAlgorithm {
        /// HMAC_384.
        public static var specification: KeySpecification<Authentication> { .hmac(.sha384) }
    }
    /// SHA-512.
    public enum SHA512: ManagedAlgorithm {
        /// HMAC_512.
        public static var specification: KeySpecification<Authentication> { .hmac(.sha512) }
    }
}
