public import Cryptography

/// How one key is wrapped under another.
public enum WrappingMechanism: Sendable, Hashable {
    /// AES-KW (RFC 3394): keys in multiples of 8 bytes.
    case aesKeyWrap
    /// AES-KWP (RFC 5649): keys of any length.
    case aesKeyWrapPadded
    /// RSA-OAEP: a secret key that somebody outside has encrypted to a public key. Only for unwrapping.
    case rsaOAEP(HashFunction)
}

extension HSMSession {
    /// A key, wrapped under another: raw bytes of a secret key, PKCS #8 of a private key.
    ///
    /// - Throws: `keyUnextractable` for a key that never leaves; `keyNotWrappable` where the wrapping key may be known
    ///   outside, see ``KeyAttributes/mayWrapSensitiveKeys``; `objectHandleInvalid`, also for a key of another owner.
    public func wrap(
        _ handle: KeyHandle, under wrapping: HSMKey<HSMWrapping>, _ mechanism: WrappingMechanism = .aesKeyWrapPadded
    ) throws(HSMError) -> [UInt8] {
        let event = HSMEvent(
            name: "WrapKey", user: user, parameters: [("wrappingKey", .text(wrapping.handle.description))],
            key: handle.description)
        let bytes: [UInt8]
        do {
            bytes = try wrapped(handle, wrapping, mechanism)
        } catch {
            let refusal = HSMError(wrapping: error)
            partition.recordRefusal(of: event, refusal)
            throw refusal
        }
        try partition.record(event)
        return bytes
    }

    private func wrapped(
        _ handle: KeyHandle, _ wrapping: HSMKey<HSMWrapping>, _ mechanism: WrappingMechanism
    ) throws -> [UInt8] {
        let object = try ownObject(handle)
        let attributes = try object.attributes(for: user)
        guard attributes.isExtractable else {
            throw HSMError(.keyUnextractable, "the key \(handle) never leaves")
        }
        let material = try movingMaterial(wrapping, for: .wrap)
        guard try !attributes.isSensitive || wrapping.attributes.mayWrapSensitiveKeys else {
            throw HSMError(.keyNotWrappable, "the wrapping key was not made here, and nobody trusts it")
        }
        let encoded = try object.encoded(partition.cipher)
        switch mechanism {
        case .aesKeyWrap: return try HSMSession.aes(material).plain.wrap(encoded)
        case .aesKeyWrapPadded: return try HSMSession.aes(material).padded.wrap(encoded)
        case .rsaOAEP: throw HSMError(.mechanismInvalid, "RSA-OAEP only unwraps here")
        }
    }

    /// A wrapping key of this partition, and of no other, where somebody else may have said what it is worth.
    private func movingMaterial(
        _ wrapping: HSMKey<HSMWrapping>, for use: KeyUses
    ) throws(HSMError) -> KeyMaterial {
        guard wrapping.session.partition === partition else {
            throw HSMError(.objectHandleInvalid, "the wrapping key is in another partition")
        }
        return try wrapping.session.material(wrapping.object, for: use)
    }

    /// Takes a wrapped key in. It is sensitive, and not trusted to wrap sensitive keys: somebody may know it.
    ///
    /// - Throws: `encryptedDataInvalid` for what the key did not wrap; `templateInconsistent` where it is no key of that
    ///   type.
    public func unwrap(
        _ wrapped: Span<UInt8>, under wrapping: HSMKey<HSMWrapping>,
        _ mechanism: WrappingMechanism = .aesKeyWrapPadded, as attributes: KeyAttributes
    ) throws(HSMError) -> KeyHandle {
        let event = HSMEvent(
            name: "UnwrapKey", user: user, parameters: [("wrappingKey", .text(wrapping.handle.description))])
        var attributes = attributes
        attributes.isLocal = false
        let encoded: SecretBytes
        do {
            try attributes.check()
            guard attributes.isSensitive else {
                throw HSMError(.templateInconsistent, "an unwrapped key is sensitive, as it was before")
            }
            encoded = try unwrapped(wrapped, try movingMaterial(wrapping, for: .unwrap), mechanism)
        } catch {
            let refusal = HSMError(wrapping: error)
            partition.recordRefusal(of: event, refusal)
            throw refusal
        }
        return try keep(encoded, attributes, event)
    }

    private func unwrapped(
        _ wrapped: Span<UInt8>, _ material: KeyMaterial, _ mechanism: WrappingMechanism
    ) throws -> SecretBytes {
        switch mechanism {
        case .aesKeyWrap: return try HSMSession.aes(material).plain.unwrap(wrapped)
        case .aesKeyWrapPadded: return try HSMSession.aes(material).padded.unwrap(wrapped)
        case .rsaOAEP(let function):
            guard let key = material.rsa else { throw HSMError(.mechanismInvalid, "not an RSA key") }
            return try key.decrypt(wrapped, using: .rsaOAEP(function, mask: function))
        }
    }

    /// A key's value in clear, where it was made not to be sensitive.
    ///
    /// - Throws: `attributeSensitive`.
    public func value(of handle: KeyHandle) throws(HSMError) -> SecretBytes {
        let object = try ownObject(handle)
        let attributes = try object.attributes(for: user)
        guard !attributes.isSensitive, attributes.isExtractable else {
            throw HSMError(.attributeSensitive, "the value of \(handle) is not given out")
        }
        try partition.record(HSMEvent(name: "GetAttributeValue", user: user, key: handle.description))
        return try object.encoded(partition.cipher)
    }

    private static func aes(_ material: KeyMaterial) throws(HSMError) -> (plain: AESKeyWrap, padded: AESKeyWrap) {
        guard let wrappers = material.wrappers else { throw HSMError(.mechanismInvalid, "not an AES key") }
        return wrappers
    }
}
