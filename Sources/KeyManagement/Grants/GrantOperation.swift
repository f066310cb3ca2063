internal import Cryptography

/// What a grant may allow (AWS KMS, "Grant operations").
public enum GrantOperation: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Opening ciphertexts.
    case decrypt = "Decrypt"
    /// Sealing messages.
    case encrypt = "Encrypt"
    /// Making data keys.
    case generateDataKey = "GenerateDataKey"
    /// Making data keys that are not released.
    case generateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext"
    /// Making data-key pairs.
    case generateDataKeyPair = "GenerateDataKeyPair"
    /// Making data-key pairs whose private half is not released.
    case generateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext"
    /// Re-encrypting what the key has sealed.
    case reEncryptFrom = "ReEncryptFrom"
    /// Re-encrypting under the key.
    case reEncryptTo = "ReEncryptTo"
    /// Signing.
    case sign = "Sign"
    /// Verifying signatures.
    case verify = "Verify"
    /// Reading the public key.
    case getPublicKey = "GetPublicKey"
    /// Making authentication codes.
    case generateMAC = "GenerateMac"
    /// Checking authentication codes.
    case verifyMAC = "VerifyMac"
    /// Agreeing on secrets.
    case deriveSharedSecret = "DeriveSharedSecret"
    /// Deriving keys. AWS has no such operation.
    case deriveKey = "DeriveKey"
    /// Handing on the grant, or a part of it.
    case createGrant = "CreateGrant"
    /// Ending the grant.
    case retireGrant = "RetireGrant"
    /// Describing the key.
    case describeKey = "DescribeKey"

    /// Orders by name.
    public static func < (left: GrantOperation, right: GrantOperation) -> Bool { left.rawValue < right.rawValue }

    /// The operations of every key.
    private static let common: Set<GrantOperation> = [.createGrant, .retireGrant, .describeKey]

    /// What can be done with a key of a usage.
    static func operations(of record: KeyRecord) -> Set<GrantOperation> {
        let own: Set<GrantOperation> =
            switch record.usage {
            case Signing.usage: [.sign, .verify, .getPublicKey]
            case Verification.usage: [.verify, .getPublicKey]
            case PublicEncryption.usage: [.encrypt, .getPublicKey]
            case Authentication.usage: [.generateMAC, .verifyMAC]
            case DeterministicEncryption.usage: [.encrypt, .decrypt]
            case Derivation.usage: [.deriveKey]
            case Agreement.usage: [.deriveSharedSecret, .getPublicKey]
            case AsymmetricEncryption.usage where !record.isSymmetric:
                [.encrypt, .decrypt, .reEncryptFrom, .reEncryptTo, .getPublicKey]
            default:
                [
                    .encrypt, .decrypt, .generateDataKey, .generateDataKeyWithoutPlaintext, .generateDataKeyPair,
                    .generateDataKeyPairWithoutPlaintext, .reEncryptFrom, .reEncryptTo,
                ]
            }
        return common.union(own)
    }
}
