/// What is known of a key, and what may be done with it. The names are those of PKCS #11 (version 3.0, sections 4.4 to
/// 4.10).
public struct KeyAttributes: Sendable, Hashable {
    /// What kind of key it is (CKA_KEY_TYPE).
    public let type: KeyType
    /// A name to find it by (CKA_LABEL), of at most 1024 bytes. Several keys may have one.
    public var label: String
    /// Bytes to find it by (CKA_ID), at most 256.
    public var id: [UInt8]
    /// What it may be used for. Uses can be taken away later, and none added.
    public var uses: KeyUses
    /// Whether it is kept in the partition (CKA_TOKEN); else it ends with its session.
    public var isPersistent: Bool
    /// Whether its value is never given out in clear (CKA_SENSITIVE). It cannot be taken back.
    public var isSensitive: Bool
    /// Whether it may leave, wrapped (CKA_EXTRACTABLE). It can be taken back, and then for good.
    public var isExtractable: Bool
    /// Who made it, and alone may change, wrap and destroy it.
    public internal(set) var owner = ""
    /// Who else may use it.
    public internal(set) var sharedWith: Set<String> = []
    /// Whether it was made here (CKA_LOCAL), and not unwrapped.
    public internal(set) var isLocal = true
    /// Whether it has always been sensitive (CKA_ALWAYS_SENSITIVE).
    public internal(set) var wasAlwaysSensitive = true
    /// Whether it has never been extractable (CKA_NEVER_EXTRACTABLE).
    public internal(set) var wasNeverExtractable = true
    /// Whether an administrator lets it wrap sensitive keys (CKA_TRUSTED), though it was not made here.
    public internal(set) var isTrusted = false
    /// The public half of a pair as a SubjectPublicKeyInfo in DER; empty for a secret key.
    public internal(set) var subjectPublicKeyInfo: [UInt8] = []

    /// A new key's attributes: sensitive, not extractable, kept.
    ///
    /// - Parameters:
    ///   - type: what kind of key.
    ///   - label: a name to find it by.
    ///   - uses: what it may be used for.
    public init(
        _ type: KeyType, label: String = "", id: [UInt8] = [], uses: KeyUses, isPersistent: Bool = true,
        isSensitive: Bool = true, isExtractable: Bool = false
    ) {
        self.type = type
        self.label = label
        self.id = id
        self.uses = uses
        self.isPersistent = isPersistent
        self.isSensitive = isSensitive
        self.isExtractable = isExtractable
    }

    /// Whether it may wrap sensitive keys. A key that somebody knows outside would unlock whatever it wraps, so it must
    /// have been born here and always been sensitive - then it can have left only under a key of which the same is true -
    /// or be trusted by an administrator.
    public var mayWrapSensitiveKeys: Bool { isTrusted || isLocal && wasAlwaysSensitive }

    /// Refuses what contradicts itself.
    func check() throws(HSMError) {
        guard KeyType.all.contains(type) else {
            throw HSMError(.mechanismInvalid, "there are no keys of the type \(type)")
        }
        guard !uses.isEmpty, uses.isSubset(of: type.possibleUses), uses.isConsistent else {
            throw HSMError(.templateInconsistent, "a key of the type \(type) cannot be for \(uses.text)")
        }
        guard label.utf8.count <= 1024, id.count <= 256 else {
            throw HSMError(.templateInconsistent, "a label has at most 1024 bytes, an id 256")
        }
        guard isSensitive || !type.isPrivate else {
            throw HSMError(.templateInconsistent, "a private key is always sensitive")
        }
        // Out and in again it could come back as one that decrypts, and give away what it was to unwrap.
        guard !isExtractable || !type.isPrivate || !uses.contains(.unwrap) else {
            throw HSMError(.templateInconsistent, "a private key that unwraps never leaves")
        }
    }

    /// The attributes after a change, within what may be changed.
    func changed(by body: (inout KeyAttributes) -> Void) throws(HSMError) -> KeyAttributes {
        var wanted = self
        body(&wanted)
        guard wanted.type == type, wanted.isPersistent == isPersistent, wanted.uses.isSubset(of: uses),
            wanted.isSensitive || !isSensitive, isExtractable || !wanted.isExtractable
        else { throw HSMError(.attributeReadOnly, "a key's rights can be taken away, and not added to") }
        // Only what may be changed is taken over: whole attributes may have been assigned, with another's owner in them.
        var new = self
        new.label = wanted.label
        new.id = wanted.id
        new.uses = wanted.uses
        new.isSensitive = wanted.isSensitive
        new.isExtractable = wanted.isExtractable
        try new.check()
        return new
    }

    /// Who may use it.
    var users: Set<String> { sharedWith.union([owner]) }

    /// Whether a user may use it.
    func isVisible(to user: String) -> Bool { owner == user || sharedWith.contains(user) }
}
