public import AccessPolicy

/// What a key is for. A key has one purpose, and the compiler knows it: `encrypt` takes no signing key.
public protocol KeyPurpose: Sendable {
    /// AWS's name of the purpose.
    static var usage: String { get }

    /// Whether keys of a specification, by AWS's name, are for it: AWS has one name for two purposes.
    static func covers(specification: String) -> Bool
}

extension KeyPurpose {
    /// Keys of the usage, whatever they are.
    public static func covers(specification: String) -> Bool { true }
}

/// Encrypting and decrypting by whoever may use the key, with a context.
public enum Encryption: KeyPurpose {
    /// ENCRYPT_DECRYPT.
    public static var usage: String { "ENCRYPT_DECRYPT" }
    /// Symmetric keys.
    public static func covers(specification: String) -> Bool {
        specification == KeySpecification<Encryption>.symmetric.name
    }
}

/// Encrypting by anybody who has the public key, decrypting by whoever may use the managed one. There is no context.
public enum AsymmetricEncryption: KeyPurpose {
    /// ENCRYPT_DECRYPT.
    public static var usage: String { "ENCRYPT_DECRYPT" }
    /// Key pairs.
    public static func covers(specification: String) -> Bool { !Encryption.covers(specification: specification) }
}

/// Signing and verifying.
public enum Signing: KeyPurpose {
    /// SIGN_VERIFY.
    public static var usage: String { "SIGN_VERIFY" }
}

/// Making and checking message authentication codes.
public enum Authentication: KeyPurpose {
    /// GENERATE_VERIFY_MAC.
    public static var usage: String { "GENERATE_VERIFY_MAC" }
}

/// Agreeing on a shared secret.
public enum Agreement: KeyPurpose {
    /// KEY_AGREEMENT.
    public static var usage: String { "KEY_AGREEMENT" }
}

/// Verifying what others have signed: the service has their public key alone. AWS has no such keys.
public enum Verification: PublicKeyPurpose {
    /// VERIFY.
    public static var usage: String { "VERIFY" }
    /// SIGN_VERIFY.
    public static var ownerUsage: String { Signing.usage }
}

/// Encrypting what others decrypt: the service has their public key alone. AWS has no such keys.
public enum PublicEncryption: PublicKeyPurpose {
    /// ENCRYPT.
    public static var usage: String { "ENCRYPT" }
    /// ENCRYPT_DECRYPT.
    public static var ownerUsage: String { AsymmetricEncryption.usage }
}

/// What the public half of somebody else's key pair is for.
public protocol PublicKeyPurpose: KeyPurpose {
    /// What the pair is for to its owner.
    static var ownerUsage: String { get }
}

/// Encrypting so that equal messages with equal contexts have equal ciphertexts: for fields that are looked up. Whoever sees two ciphertexts
/// learns whether they are one message; everything else stays hidden. AWS has no such keys.
public enum DeterministicEncryption: KeyPurpose {
    /// DETERMINISTIC_ENCRYPT_DECRYPT.
    public static var usage: String { "DETERMINISTIC_ENCRYPT_DECRYPT" }
}

/// Deriving keys for use outside: a key for each context, and the same each time, without storing any. AWS has no such keys.
public enum Derivation: KeyPurpose {
    /// DERIVE_KEY.
    public static var usage: String { "DERIVE_KEY" }
}

/// Something that stands for a managed key of a purpose: a ``Key``, a type that knows its algorithm too, such as
/// `Key<Signing>.ECDSA.P256`, or a ``NamedKey``.
public protocol KeyReference<Purpose>: Sendable, Hashable {
    /// What the key is for.
    associatedtype Purpose: KeyPurpose
    /// The text that names the key.
    var identifier: KeyIdentifier { get }
}

/// A key of a purpose by any of its names, such as an alias: it is found at each use, so it follows an alias that moves.
public struct NamedKey<Purpose: KeyPurpose>: KeyReference {
    /// The name.
    public let identifier: KeyIdentifier

    /// Names a key: `NamedKey<Encryption>("alias/orders")`. Whether there is one shows on use.
    public init(_ identifier: KeyIdentifier) { self.identifier = identifier }
}

/// A managed key: a handle, never the material.
public struct Key<Purpose: KeyPurpose>: KeyReference, CustomStringConvertible {
    private let name: KeyName

    /// `arn:aws:kms:REGION:ACCOUNT:key/ID`.
    public var arn: ARN { name.arn }
    /// The ARN.
    public var identifier: KeyIdentifier { name.identifier }

    init(arn: ARN) { name = KeyName(arn) }

    /// The key's identifier: a UUID.
    public var id: String { String(arn.resource.dropFirst("key/".count)) }

    /// The ARN.
    public var description: String { arn.description }
}

/// What a handle knows of its key. One object: handles are copied with every request, by several threads at once.
final class KeyName: Sendable, Hashable {
    let arn: ARN
    let identifier: KeyIdentifier

    init(_ arn: ARN) {
        self.arn = arn
        identifier = KeyIdentifier(arn.description)
    }

    static func == (left: KeyName, right: KeyName) -> Bool { left === right || left.arn == right.arn }

    func hash(into hasher: inout Hasher) { hasher.combine(arn) }
}
