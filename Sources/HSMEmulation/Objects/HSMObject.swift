internal import Cryptography
internal import Synchronization

/// A key in a partition, shared by all who use it: what is taken away from it is taken away for everybody at once.
final class HSMObject: Sendable {
    /// What is stored of a key, read at once: a change is decided on it and made to it.
    struct Snapshot {
        let attributes: KeyAttributes
        /// nil for a key that ends with its session.
        let value: [UInt8]?
        let version: UInt64
    }

    private struct Content {
        var attributes: KeyAttributes
        var material: KeyMaterial?
        /// The stored value; nil for a key that ends with its session.
        var value: [UInt8]?
        var version: UInt64
        /// The encoded key of one that ends with its session.
        var transient: TransientKey?
        var isDestroyed = false
    }

    let handle: KeyHandle
    private let content: Mutex<Content>

    /// A key of the store.
    init(_ handle: KeyHandle, _ attributes: KeyAttributes, value: [UInt8], version: UInt64) {
        self.handle = handle
        content = Mutex(Content(attributes: attributes, value: value, version: version))
    }

    /// A key that ends with its session.
    init(_ handle: KeyHandle, _ attributes: KeyAttributes, _ encoded: consuming SecretBytes) {
        self.handle = handle
        content = Mutex(
            Content(attributes: attributes, value: nil, version: 0, transient: TransientKey(encoded)))
    }

    /// What is known of the key now.
    ///
    /// - Throws: `objectHandleInvalid` where it is gone, or was never the user's.
    func attributes(for user: String) throws(HSMError) -> KeyAttributes { try snapshot(for: user).attributes }

    /// What is stored of the key now.
    ///
    /// - Throws: `objectHandleInvalid` where it is gone, or was never the user's.
    func snapshot(for user: String) throws(HSMError) -> Snapshot {
        try content.withLock { content throws(HSMError) in
            try HSMObject.check(content, user, handle)
            return Snapshot(attributes: content.attributes, value: content.value, version: content.version)
        }
    }

    /// What is stored of the key, whoever asks.
    var snapshot: Snapshot {
        content.withLock {
            Snapshot(attributes: $0.attributes, value: $0.value, version: $0.version)
        }
    }

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

    /// Takes over what was stored.
    func update(_ attributes: KeyAttributes, value: [UInt8], version: UInt64) {
        content.withLock { content in
            content.attributes = attributes
            content.value = value
            content.version = version
        }
    }

    /// Changes a key that ends with its session, unless somebody else was faster.
    func replace(_ old: KeyAttributes, with new: KeyAttributes) -> Bool {
        content.withLock { content in
            guard !content.isDestroyed, content.attributes == old else { return false }
            content.attributes = new
            return true
        }
    }

    /// Ends the key for everybody who still holds it.
    func destroy() {
        content.withLock { content in
            content.isDestroyed = true
            content.material = nil
            content.value = nil
            content.transient = nil
        }
    }

    private func encoded(_ content: Content, _ cipher: AESGCM) throws(HSMError) -> SecretBytes {
        if let transient = content.transient { return transient.copy() }
        guard let value = content.value else { throw HSMObject.gone(handle) }
        return try stated { try StoredKey(value, StoredKey.name(handle)).material(handle, cipher) }
    }

    private static func check(_ content: Content, _ user: String, _ handle: KeyHandle) throws(HSMError) {
        guard !content.isDestroyed, content.attributes.isVisible(to: user) else { throw gone(handle) }
    }

    static func gone(_ handle: KeyHandle) -> HSMError { HSMError(.objectHandleInvalid, "no key \(handle)") }
}

/// Secret memory with several holders.
private final class TransientKey: Sendable {
    private let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    func copy() -> SecretBytes { bytes.copy() }
}
