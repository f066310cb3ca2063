public import Cryptography

/// A partition as a ``KeyCustodian``, through one user's session: what takes a custodian - a key store of the key service,
/// its root of trust - has its keys in the HSM.
///
/// Keys that a custodian makes may leave wrapped, as the contract says. Where a key must never leave, make it with
/// ``HSMSession/generateKey(_:label:id:isPersistent:isExtractable:)`` and hand its handle on.
public struct HSMCustodian: KeyCustodian {
    private let session: HSMSession

    /// Keeps keys through a session, for as long as that is open.
    public init(_ session: HSMSession) { self.session = session }

    /// Makes a key.
    public func makeKey(_ kind: CustodialKeyKind) throws -> KeyHandle {
        try custodial { try session.generateKey(HSMCustodian.attributes(kind)) }
    }

    /// What a key is.
    public func kind(of handle: KeyHandle) throws -> CustodialKeyKind {
        let attributes = try custodial { try session.attributes(of: handle) }
        guard let kind = CustodialKeyKind.all.first(where: { HSMCustodian.fits($0, attributes) }) else {
            throw CryptographyError(.unsupported, "a key of the type \(attributes.type)")
        }
        return kind
    }

    /// A key for sealing.
    public func sealer(_ handle: KeyHandle) throws -> any Sealer {
        try custodial { try session.key(handle, for: .sealing) }
    }

    /// A key for authenticating messages.
    public func authenticator(_ handle: KeyHandle) throws -> any MessageAuthenticator {
        try custodial { try session.key(handle, for: .authentication) }
    }

    /// A key for signing.
    public func signer(_ handle: KeyHandle) throws -> any Signer {
        try custodial { try session.key(handle, for: .signing) }
    }

    /// A key for decrypting short secrets.
    public func decryptor(_ handle: KeyHandle) throws -> any Decryptor {
        try custodial { try session.key(handle, for: .decryption) }
    }

    /// A key for agreeing on secrets.
    public func keyAgreement(_ handle: KeyHandle) throws -> any KeyAgreement {
        try custodial { try session.key(handle, for: .agreement) }
    }

    /// Wraps a key by AES-KWP.
    public func wrap(_ handle: KeyHandle, under wrapping: KeyHandle) throws -> [UInt8] {
        try custodial { try session.wrap(handle, under: session.key(wrapping, for: .wrapping)) }
    }

    /// Takes a wrapped key into custody.
    public func unwrap(
        _ wrapped: Span<UInt8>, as kind: CustodialKeyKind, under wrapping: KeyHandle
    ) throws -> KeyHandle {
        try custodial {
            try session.unwrap(
                wrapped, under: session.key(wrapping, for: .wrapping), as: HSMCustodian.attributes(kind))
        }
    }

    /// Destroys a key.
    public func destroy(_ handle: KeyHandle) throws { try custodial { try session.destroy(handle) } }

    private static func attributes(_ kind: CustodialKeyKind) throws(CryptographyError) -> KeyAttributes {
        guard let (type, uses) = typeAndUses(kind) else {
            throw CryptographyError(.unsupported, "the module has no \(kind)")
        }
        return KeyAttributes(type, uses: uses, isExtractable: true)
    }

    private static func fits(_ kind: CustodialKeyKind, _ attributes: KeyAttributes) -> Bool {
        guard let (type, uses) = typeAndUses(kind) else { return false }
        return type == attributes.type && attributes.uses == uses
    }

    private static func typeAndUses(_ kind: CustodialKeyKind) -> (KeyType, KeyUses)? {
        switch kind {
        case .sealing: (.aes(bits: 256), [.encrypt, .decrypt])
        case .wrapping: (.aes(bits: 256), [.wrap, .unwrap])
        case .authentication(let function): (.hmac(function), [.sign, .verify])
        case .ecdsa(let curve): (.ellipticCurve(curve), .sign)
        case .ed25519: (.ed25519, .sign)
        case .rsaSigning(let bits): (.rsa(bits: bits), .sign)
        case .rsaDecryption(let bits): (.rsa(bits: bits), .decrypt)
        case .ecdh(let curve): (.ellipticCurve(curve), .derive)
        case .x25519: (.x25519, .derive)
        case .mlDSA, .sm2Signing, .sm2Decryption: nil
        }
    }

    private func custodial<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as HSMError { throw CryptographyError(error) }
    }
}
