internal import Cryptography
internal import Synchronization

/// A key in a partition, shared by all who use it: what is taken away from it is taken away for everybody at once.
final class HSMObject: Sendable {
    private struct Content {
        var attributes: KeyAttributes
        var material: KeyMaterial?
        /// The stored value; nil for a key that ends with its session.
        var value: [UInt8]?
        var version: UInt64
        /// The encoded key of one that ends with its session.
        var isDestroyed = false
    }

    let handle: KeyHandle
    /// The encoded key of one that ends with its session.
    private let transient: TransientKey?
    private let content: Mutex<Content>

    /// A key of the store.
    init(_ handle: KeyHandle, _ attributes: KeyAttributes, value: [UInt8], version: UInt64) {
        self.handle = handle
        transient = nil
        content = Mutex(Content(attributes: attributes, value: value, version: version))
    }

    /// A key that ends with its session.
    init(_ handle: KeyHandle, _ attributes: KeyAttributes, _ encoded: consuming SecretBytes) {
        self.handle = handle
        transient = TransientKey(encoded)
        content = Mutex(Content(attributes: attributes, value: nil, version: 0))
    }

    /// What is known of the key now.
    ///
    /// - Throws: `objectHandleInvalid` where it is gone, or was never the user's.
    func attributes(for user: String) throws(HSMError) -> KeyAttributes {
        try content.withLock { content throws(HSMError) in
            try HSMObject.check(content, user, handle)
            return content.attributes
        }
    }

    /// The stored value's version, for a change; 0 for a key that ends with its session.
    var version: UInt64 { content.withLock { $0.version } }

    /// What is known of the key, whoever asks.
    var currentAttributes: KeyAttributes { content.withLock { $0.attributes } }

    /// The opened key, for a use.
    ///
    /// - Throws: `keyFunctionNotPermitted` where it is not for that.
    func material(for use: KeyUses, by user: String, _ cipher: AESGCM) throws(HSMError) -> KeyMaterial {
        try content.withLock { content throws(HSMError) in
            try HSMObject.check(content, user, handle)
            guard content.attributes.uses.contains(use) else {
                throw HSMError(.keyFunctionNotPermitted, "the key is not for \(use.text)")
            }
            if let material = content.material { return material }
            let opened = try encoded(content, cipher)
            let material = try stated {
                try KeyMaterial(content.attributes.type, content.attributes.uses, opened.bytes)
            }
            content.material = material
            return material
        }
    }

    /// The encoded key, for wrapping. What may be done with it is the caller's to check.
    func encoded(_ cipher: AESGCM) throws(HSMError) -> SecretBytes {
        try content.withLock { content throws(HSMError) in try encoded(content, cipher) }
    }

    /// The value to store with other attributes; nil for a key that ends with its session.
    func value(with attributes: KeyAttributes, _ cipher: AESGCM) throws -> [UInt8]? {
        try content.withLock { content in
            guard let value = content.value else { return nil }
            return try StoredKey(value, StoredKey.name(handle)).with(attributes, handle, under: cipher)
        }
    }

    /// Takes over what was stored.
    func update(_ attributes: KeyAttributes, value: [UInt8]?, version: UInt64) {
        content.withLock { content in
            content.attributes = attributes
            content.value = value
            content.version = version
        }
    }

    /// Ends the key for everybody who still holds it.
    func destroy() {
        content.withLock { content in
            content.isDestroyed = true
            content.material = nil
            content.value = nil
        }
    }

    private func encoded(_ content: Content, _ cipher: AESGCM) throws(HSMError) -> SecretBytes {
        if let transient { return transient.copy() }
        guard let value = content.value else { throw HSMObject.gone(handle) }
        return try stated { try StoredKey(value, StoredKey.name(handle)).material(handle, cipher) }
    }

    private static func check(_ content: Content, _ user: String, _ handle: KeyHandle) throws(HSMError) {
        guard !content.isDestroyed, content.attributes.owner == user || content.attributes.sharedWith.contains(user)
        else { throw gone(handle) }
    }

    static func gone(_ handle: KeyHandle) -> HSMError { HSMError(.objectHandleInvalid, "no key \(handle)") }
}

/// Secret memory with several holders.
private final class TransientKey: Sendable {
    private let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    func copy() -> SecretBytes { bytes.copy() }
}
