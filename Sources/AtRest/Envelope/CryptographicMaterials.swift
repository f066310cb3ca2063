public import Cryptography
public import KeyManagement

/// What sealing a message needs, while keyrings work on it.
public struct EncryptionMaterials: ~Copyable, Sendable {
    /// The suite of the message.
    public let suite: AlgorithmSuite
    /// The message's encryption context, with the signing key's public half where there is one.
    public let context: EncryptionContext
    /// The data key, once a keyring has made it.
    public private(set) var dataKey: SecretBytes?
    /// The same key as each keyring has sealed it.
    public private(set) var encryptedDataKeys: [EncryptedDataKey] = []
    let signingKey: ECDSA.PrivateKey?

    init(suite: AlgorithmSuite, context: EncryptionContext) throws {
        guard !context.pairs.keys.contains(where: { $0.hasPrefix(MessageHeader.reservedPrefix) }) else {
            throw EnvelopeError(.limitExceeded, "names that begin with aws-crypto- are reserved")
        }
        let signingKey = suite.isSigned ? try ECDSA.PrivateKey(.p384) : nil
        let point = try signingKey.map {
            [MessageHeader.signingKeyName: Base64.encode(try $0.publicKey.compressedPoint)]
        }
        self.suite = suite
        self.signingKey = signingKey
        self.context = EncryptionContext(context.pairs.merging(point ?? [:]) { $1 })
        dataKey = nil
    }

    /// Sets the data key: the first keyring's part.
    public mutating func setDataKey(_ key: consuming SecretBytes) throws(EnvelopeError) {
        guard dataKey == nil, key.count == suite.keyByteCount else {
            throw EnvelopeError(.invalidKeyring, "a data key of \(suite.keyByteCount) bytes, once")
        }
        dataKey = consume key
    }

    /// Makes a random data key, if no keyring has.
    public mutating func generateDataKeyIfNeeded() throws {
        if dataKey == nil { try setDataKey(try .random(count: suite.keyByteCount)) }
    }

    /// Whether a keyring has made a data key already.
    public var hasDataKey: Bool { dataKey != nil }

    /// Adds the data key as a keyring has sealed it.
    public mutating func add(_ key: EncryptedDataKey) { encryptedDataKeys.append(key) }

    /// The data key sealed by a keyring's cipher.
    func sealedDataKey(_ seal: (borrowing SecretBytes) throws -> [UInt8]) throws -> [UInt8] {
        switch dataKey {
        case .some(let key): return try seal(key)
        case nil: throw EnvelopeError(.invalidKeyring, "no keyring made a data key")
        }
    }

    mutating func takeDataKey() -> SecretBytes? { dataKey.take() }
}

/// What opening a message needs, while keyrings work on it.
public struct DecryptionMaterials: ~Copyable, Sendable {
    /// The suite of the message.
    public let suite: AlgorithmSuite
    /// The message's encryption context.
    public let context: EncryptionContext
    /// The data key, once a keyring has opened it.
    public private(set) var dataKey: SecretBytes?

    init(suite: AlgorithmSuite, context: EncryptionContext) {
        self.suite = suite
        self.context = context
    }

    /// Whether a keyring has opened the data key already.
    public var isComplete: Bool { dataKey != nil }

    /// Sets the data key. One of a wrong length is no data key.
    public mutating func setDataKey(_ key: consuming SecretBytes) throws(EnvelopeError) {
        guard key.count == suite.keyByteCount else { throw EnvelopeError(.noUsableKey) }
        dataKey = consume key
    }

    mutating func takeDataKey() -> SecretBytes? { dataKey.take() }
}
