public import Cryptography

/// What a key of an HSM is for, as the compiler knows it: a sealing key does not sign.
///
/// PKCS #11's flags allow more than one use of a key; this picks one.
public struct HSMUse<Use>: Sendable {
    let uses: KeyUses
    let fitsType: @Sendable (KeyType) -> Bool

    func fits(_ attributes: KeyAttributes) -> Bool {
        !attributes.uses.isDisjoint(with: uses) && fitsType(attributes.type)
    }
}

/// Signing with a private key.
public enum HSMSigning {}
/// Making and checking message authentication codes.
public enum HSMAuthentication {}
/// Encrypting and authenticating messages.
public enum HSMSealing {}
/// Decrypting short secrets with a private key.
public enum HSMDecryption {}
/// Agreeing on secrets.
public enum HSMAgreement {}
/// Wrapping and unwrapping other keys.
public enum HSMWrapping {}

extension HSMUse {
    /// Signing with a private key.
    public static var signing: HSMUse<HSMSigning> { HSMUse<HSMSigning>(uses: .sign) { $0.isPrivate } }
    /// Making and checking message authentication codes.
    public static var authentication: HSMUse<HSMAuthentication> {
        HSMUse<HSMAuthentication>(uses: [.sign, .verify]) { !$0.isPrivate }
    }
    /// Encrypting and authenticating messages.
    public static var sealing: HSMUse<HSMSealing> { HSMUse<HSMSealing>(uses: [.encrypt, .decrypt]) { !$0.isPrivate } }
    /// Decrypting short secrets with a private key.
    public static var decryption: HSMUse<HSMDecryption> { HSMUse<HSMDecryption>(uses: .decrypt) { $0.isPrivate } }
    /// Agreeing on secrets.
    public static var agreement: HSMUse<HSMAgreement> { HSMUse<HSMAgreement>(uses: .derive) { $0.isPrivate } }
    /// Wrapping and unwrapping other keys.
    public static var wrapping: HSMUse<HSMWrapping> { HSMUse<HSMWrapping>(uses: [.wrap, .unwrap]) { _ in true } }
}

/// What kind of key to make, for a use.
public struct HSMKeySpecification<Use>: Sendable {
    let type: KeyType
    let uses: KeyUses
    let use: HSMUse<Use>
}

extension HSMKeySpecification where Use == HSMSigning {
    /// Signs with ECDSA.
    public static func ecdsa(_ curve: EllipticCurve) -> Self {
        Self(type: .ellipticCurve(curve), uses: .sign, use: .signing)
    }
    /// Signs with Ed25519.
    public static var ed25519: Self { Self(type: .ed25519, uses: .sign, use: .signing) }
    /// Signs with RSA of 2048, 3072 or 4096 bits.
    public static func rsa(bits: Int) -> Self { Self(type: .rsa(bits: bits), uses: .sign, use: .signing) }
}

extension HSMKeySpecification where Use == HSMAuthentication {
    /// HMAC with a key as long as the digest.
    public static func hmac(_ function: HashFunction) -> Self {
        Self(type: .hmac(function), uses: [.sign, .verify], use: .authentication)
    }
}

extension HSMKeySpecification where Use == HSMSealing {
    /// AES in GCM, of 128, 192 or 256 bits.
    public static func aes(bits: Int = 256) -> Self {
        Self(type: .aes(bits: bits), uses: [.encrypt, .decrypt], use: .sealing)
    }
}

extension HSMKeySpecification where Use == HSMDecryption {
    /// Decrypts with RSA-OAEP, of 2048, 3072 or 4096 bits.
    public static func rsaOAEP(bits: Int) -> Self { Self(type: .rsa(bits: bits), uses: .decrypt, use: .decryption) }
}

extension HSMKeySpecification where Use == HSMAgreement {
    /// Agrees over a curve.
    public static func ecdh(_ curve: EllipticCurve) -> Self {
        Self(type: .ellipticCurve(curve), uses: .derive, use: .agreement)
    }
    /// Agrees with X25519.
    public static var x25519: Self { Self(type: .x25519, uses: .derive, use: .agreement) }
}

extension HSMKeySpecification where Use == HSMWrapping {
    /// AES key wrapping, of 128, 192 or 256 bits.
    public static func aesKeyWrap(bits: Int = 256) -> Self {
        Self(type: .aes(bits: bits), uses: [.wrap, .unwrap], use: .wrapping)
    }
    /// Unwraps what others wrapped under its public key with RSA-OAEP.
    public static func rsaUnwrapping(bits: Int) -> Self { Self(type: .rsa(bits: bits), uses: .unwrap, use: .wrapping) }
}
