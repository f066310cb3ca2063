public import AccessPolicy
public import FoundationEssentials

/// Whether a key can be used. Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
public enum KeyState: String, Sendable, Hashable {
    /// Ready for use.
    case enabled = "Enabled"
    /// Switched off; can be switched on again.
    case disabled = "Disabled"
    /// Will be deleted at its deletion date; can be called back until then.
    case pendingDeletion = "PendingDeletion"
    /// Will be deleted some days after its last replica.
    case pendingReplicaDeletion = "PendingReplicaDeletion"
    /// Without material that is to be imported, or imported again.
    case pendingImport = "PendingImport"
    /// In a key store that is not connected.
    case unavailable = "Unavailable"
}

/// What a service tells about a key.
public struct KeyMetadata: Sendable, Hashable {
    /// The key's name.
    public let arn: ARN
    /// Its identifier.
    public let id: String
    /// Whether it can be used.
    public internal(set) var state: KeyState
    /// AWS's name of its purpose, such as ENCRYPT_DECRYPT.
    public let usage: String
    /// AWS's name of its kind, such as SYMMETRIC_DEFAULT.
    public let specification: String
    /// AWS's names of what it does, such as ECDSA_SHA_256.
    public let algorithms: [String]
    /// The owner's text.
    public let description: String
    /// When it was made.
    public let creationDate: Date
    /// When it will be deleted, while that is pending.
    public let deletionDate: Date?
    /// The identifiers of its material, oldest first: 64 hexadecimal digits each. The last is in use.
    public let materials: [String]
    /// Its relatives in other Regions; nil for a key of one Region.
    public let multiRegion: MultiRegionConfiguration?
    /// How many days it waits for its deletion, once its replicas are deleted.
    public let pendingDeletionWindowInDays: Int?
    /// Whether the service manages it, behind an alias that begins with `alias/aws/`.
    public let isManagedByService: Bool
    /// Where the material comes from, by AWS's name: AWS_KMS, EXTERNAL, EXTERNAL_KEY_STORE or AWS_CLOUDHSM, which is any other key
    /// store here.
    public let origin: String
    /// The name of the key store that the key is in; nil for the service itself.
    public let keyStore: String?
    /// The name of the key in an external key store; nil elsewhere.
    public let externalKey: String?
    /// When imported material expires; nil for never.
    public let validTo: Date?
    /// From when the key protects anything new; nil for always.
    public let notBefore: Date?
    /// From when it does no longer; nil for never.
    public let notAfter: Date?
    /// Whether nobody may have it deleted.
    public let isProtectedFromDeletion: Bool
    /// Whether it can go to another instance, wrapped.
    public let mayBeBackedUp: Bool
}

/// One alias.
public struct AliasEntry: Sendable, Hashable {
    /// `alias/...`.
    public let name: String
    /// `arn:...:alias/...`.
    public let arn: ARN
    /// The key it stands for.
    public let target: String
    /// When it was made; nil where nobody has noted it.
    public let creationDate: Date?
    /// When it last came to stand for another key, or was made.
    public let lastUpdateDate: Date?
}
