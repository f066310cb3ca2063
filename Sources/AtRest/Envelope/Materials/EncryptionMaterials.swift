public import Cryptography
public import KeyManagement

/// What sealing a message needs, while keyrings work on it.
public struct EncryptionMaterials: Sendable {
    /// The suite of the message.
    public let suite: AlgorithmSuite
    /// The message's encryption context, with the signing key's public half where there is one.
    public let context: EncryptionContext
    /// The names whose pairs are authenticated and not stored in the message: whoever opens it must know them.
    public let requiredContextNames: Set<String>
    /// The data key as each keyring has sealed it.
    public private(set) var encryptedDataKeys: [EncryptedDataKey] = []

    let signingKey: ECDSA.PrivateKey?
    private(set) var dataKey: SharedSecret?

    /// Begins materials: with a new signing key where the suite signs, and no data key yet.
    ///
    /// - Throws: `limitExceeded` for a name that begins with "aws-crypto-", which are reserved; `contextMismatch` where a
    ///   required name is not in the context.
    public init(suite: AlgorithmSuite, context: EncryptionContext, requiredContextNames: Set<String> = []) throws {
        if let reserved = context.pairs.keys.first(where: { $0.utf8.starts(with: MessageHeader.reservedPrefix.utf8) }) {
            throw EnvelopeError(.limitExceeded, "the name \(reserved) is reserved")
        }
        try context.check(has: requiredContextNames)
        let signingKey = try suite.signatureCurve.map { try ECDSA.PrivateKey($0) }
        let signer = try signingKey.map {
            [MessageHeader.signingKeyName: Base64.encode(try $0.publicKey.compressedPoint)]
        }
        self.suite = suite
        self.signingKey = signingKey
        self.context = EncryptionContext(context.pairs.merging(signer ?? [:]) { $1 })
        self.requiredContextNames = requiredContextNames
    }

    /// Materials for sealing an opened message's data key anew: the suite does not sign, and nothing else changes.
    init(resealing opened: DecryptionMaterials) {
        suite = opened.suite
        context = opened.context
        requiredContextNames = opened.requiredContextNames
        signingKey = nil
        dataKey = opened.dataKey
    }

    /// Sets the data key: the first keyring's part.
    public mutating func setDataKey(_ key: consuming SecretBytes) throws(EnvelopeError) {
        guard dataKey == nil, key.count == suite.keyByteCount else {
            throw EnvelopeError(.invalidKeyring, "a data key of \(suite.keyByteCount) bytes, once")
        }
        dataKey = SharedSecret(key)
    }

    /// Makes a random data key, if no keyring has.
    public mutating func generateDataKeyIfNeeded() throws {
        if dataKey == nil { try setDataKey(try .random(count: suite.keyByteCount)) }
    }

    /// Whether a keyring has made a data key already.
    public var hasDataKey: Bool { dataKey != nil }

    /// Adds the data key as a keyring has sealed it.
    public mutating func add(_ key: EncryptedDataKey) { encryptedDataKeys.append(key) }

    /// Calls `body` with the data key's bytes.
    ///
    /// - Throws: `invalidKeyring` where there is none yet.
    public func withDataKey<R>(_ body: (Span<UInt8>) throws -> R) throws -> R {
        guard let dataKey else { throw EnvelopeError(.invalidKeyring, "no keyring made a data key") }
        return try dataKey.withBytes(body)
    }

    /// A copy of the data key, if a keyring has made one.
    func copiedDataKey() -> SecretBytes? { dataKey?.copy() }

    /// The pairs that stand in the message.
    var storedContext: EncryptionContext { context.leavingOut(requiredContextNames) }
}

extension EncryptionContext {
    func check(has names: Set<String>) throws(EnvelopeError) {
        if let missing = names.sorted().first(where: { pairs[$0] == nil }) {
            throw EnvelopeError(.contextMismatch, "the encryption context must have the name \(missing)")
        }
    }

    func leavingOut(_ names: Set<String>) -> EncryptionContext {
        names.isEmpty ? self : EncryptionContext(pairs.filter { !names.contains($0.key) })
    }

    func keeping(_ names: Set<String>) -> EncryptionContext {
        names.isEmpty ? .none : EncryptionContext(pairs.filter { names.contains($0.key) })
    }
}
