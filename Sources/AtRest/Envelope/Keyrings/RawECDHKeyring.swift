public import Cryptography

/// A keyring between two key pairs on one curve: their shared secret gives the key that seals the data key.
///
/// Private halves are any ``KeyAgreement``, in software, an HSM or a key service. Layout and derivation: AWS Encryption SDK
/// specification, framework/raw-ecdh-keyring and framework/key-agreement-schemas. Curves: P-256, P-384, P-521.
public struct RawECDHKeyring: Keyring {
    /// Whose keys are at hand.
    public enum Schema: Sendable {
        /// One's own private key, and the peer's public one: seals for the peer, and opens what either has sealed for the
        /// other. Who opens knows that one of the two has sealed it.
        case `static`(own: any KeyAgreement, peer: ECDH.PublicKey)
        /// A new sender's key for each message: nobody can tell who sealed it, and the keyring opens nothing.
        case ephemeral(recipient: ECDH.PublicKey)
        /// The recipient's private key: opens what any sender sealed for it, and seals nothing.
        case discovery(recipient: any KeyAgreement)
    }

    /// The provider's name in messages.
    public static let provider = "raw-ecdh"

    private let schema: Schema
    private let curve: EllipticCurve
    /// One's own compressed point; nil where there is no private key.
    private let own: [UInt8]?

    /// Takes the keys.
    ///
    /// - Throws: `invalidKeyring` for keys on two curves, or on a curve that the format does not have.
    public init(_ schema: Schema) throws {
        self.schema = schema
        let (ownKey, peer): (ECDH.PublicKey?, ECDH.PublicKey?)
        switch schema {
        case .static(let key, let public_):
            (ownKey, peer) = (try ECDH.PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo), public_)
        case .ephemeral(let recipient): (ownKey, peer) = (nil, recipient)
        case .discovery(let key):
            (ownKey, peer) = (try ECDH.PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo), nil)
        }
        guard let curve = peer?.curve ?? ownKey?.curve, RawECDHKeyring.name(of: curve) != nil else {
            throw EnvelopeError(.invalidKeyring, "a curve that is not for this keyring")
        }
        guard ownKey == nil || ownKey?.curve == curve else {
            throw EnvelopeError(.invalidKeyring, "keys on two curves")
        }
        self.curve = curve
        own = ownKey?.compressedPoint
    }

    /// Seals the data key under the shared secret.
    public func sealDataKey(in materials: inout EncryptionMaterials) async throws {
        try materials.generateDataKeyIfNeeded()
        let secret: SecretBytes
        let parties: Parties
        switch schema {
        case .static(let key, let peer):
            secret = try await key.sharedSecret(withPublicKey: peer.subjectPublicKeyInfo.span)
            parties = Parties(sender: own ?? [], recipient: peer.compressedPoint)
        case .ephemeral(let recipient):
            let key = try ECDH.PrivateKey(curve)
            secret = try key.sharedSecret(with: recipient)
            parties = Parties(sender: try key.publicKey.compressedPoint, recipient: recipient.compressedPoint)
        case .discovery: throw EnvelopeError(.invalidKeyring, "a discovery keyring only opens")
        }
        let salt = try SystemRandom().bytes(count: 32)
        let fixed = try fixedInformation(parties, materials.context)
        let keys = try Wrapping(secret, fixed, salt: salt)
        let wrapped = try materials.withDataKey { key in try keys.seal(key, fixed) }
        materials.add(
            EncryptedDataKey(
                provider: RawECDHKeyring.provider, information: parties.bytes,
                ciphertext: salt + keys.commitment + wrapped))
    }

    /// Opens the data keys that name this keyring's keys.
    public func openDataKey(_ keys: [EncryptedDataKey], in materials: inout DecryptionMaterials) async throws {
        for candidate in keys where RawECDHKeyring.providers.contains(candidate.provider) {
            let sealed = candidate.ciphertext
            guard let parties = Parties(candidate.information, pointCount: curve.coordinateByteCount + 1),
                sealed.count > Wrapping.headCount, let secret = try await sharedSecret(parties)
            else { continue }
            let fixed = try fixedInformation(parties, materials.context)
            let wrapping = try Wrapping(secret, fixed, salt: Array(sealed[..<32]))
            guard wrapping.commitment.span.isEqualInConstantTime(to: sealed.span.extracting(32..<64)),
                let opened = try? wrapping.open(sealed.span.extracting(64...), fixed)
            else { continue }
            if materials.setDataKey(opened) { return }
        }
    }

    /// The secret of two parties of whom this keyring is one; nil where it is not.
    private func sharedSecret(_ parties: Parties) async throws -> SecretBytes? {
        switch schema {
        case .ephemeral: return nil
        case .static(let key, let peer):
            let mine = Parties(sender: own ?? [], recipient: peer.compressedPoint)
            guard parties == mine || parties == mine.swapped else { return nil }
            return try await key.sharedSecret(withPublicKey: peer.subjectPublicKeyInfo.span)
        case .discovery(let key):
            guard parties.recipient == own, let sender = try? ECDH.PublicKey(curve, point: parties.sender) else {
                return nil
            }
            return try await key.sharedSecret(withPublicKey: sender.subjectPublicKeyInfo.span)
        }
    }

    private func fixedInformation(
        _ parties: Parties, _ context: EncryptionContext
    ) throws(EnvelopeError) -> [UInt8] {
        var bytes = Array("ecdh-key-derivation\0\(RawECDHKeyring.name(of: curve) ?? "")\0HMAC_SHA384\0".utf8)
        bytes += parties.sender + parties.recipient + [0, Parties.version, 0]
        return bytes + (try MessageHeader.serialize(context))
    }

    private static func name(of curve: EllipticCurve) -> String? {
        switch curve {
        case .p256: "p256"
        case .p384: "p384"
        case .p521: "p521"
        case .secp256k1: nil
        }
    }

    /// A data key that a managed key's agreement has sealed has the same layout.
    private static let providers = [provider, "aws-kms-ecdh"]
}

/// The compressed points of sender and recipient, as they stand in a data key's information.
private struct Parties: Equatable {
    static let version: UInt8 = 1

    let sender: [UInt8]
    let recipient: [UInt8]

    init(sender: [UInt8], recipient: [UInt8]) {
        self.sender = sender
        self.recipient = recipient
    }

    /// Reads an information; nil where it is none for points of this length.
    init?(_ information: [UInt8], pointCount: Int) {
        guard information.count == 1 + 2 * (4 + pointCount) else { return nil }
        sender = Array(information.suffix(pointCount))
        recipient = Array(information[5..<(5 + pointCount)])
        guard bytes == information else { return nil }
    }

    var swapped: Parties { Parties(sender: recipient, recipient: sender) }

    /// Version, recipient's point, sender's point, with their lengths in 32 bits.
    var bytes: [UInt8] {
        var bytes: [UInt8] = [Parties.version]
        for point in [recipient, sender] {
            bytes.appendBigEndian(UInt32(point.count))
            bytes += point
        }
        return bytes
    }
}

/// The key that a shared secret gives, and its commitment.
private struct Wrapping {
    let commitment: [UInt8]
    private let cipher: AESGCM

    /// Salt and commitment, 32 bytes each.
    static let headCount = 64

    init(_ secret: borrowing SecretBytes, _ fixed: [UInt8], salt: [UInt8]) throws(CryptographyError) {
        let keys = try CounterKDF(.sha384, key: secret).derive(label: fixed.span, context: salt.span, count: 64)
        commitment = (0..<32).map { keys.bytes[$0] }
        cipher = try AESGCM(key: keys.slice(32...))
    }

    /// Under a nonce of zeros: the key serves once, being derived with a fresh salt.
    func seal(_ key: Span<UInt8>, _ fixed: [UInt8]) throws(CryptographyError) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: key.count + AESGCM.tagByteCount)
        var all = sealed.mutableSpan
        var tag: InlineArray<16, UInt8> = .init(repeating: 0)
        do {
            var ciphertext = all._mutatingExtracting(..<key.count)
            var tagSpan = tag.mutableSpan
            try cipher.seal(
                key, authenticating: fixed.span, uniqueNonce: Wrapping.nonce.span, ciphertext: &ciphertext,
                tag: &tagSpan)
        }
        all.overwrite(at: key.count, with: tag.span)
        return sealed
    }

    func open(_ sealed: Span<UInt8>, _ fixed: [UInt8]) throws(CryptographyError) -> SecretBytes {
        let count = sealed.count - AESGCM.tagByteCount
        guard count > 0 else { throw CryptographyError(.authenticationFailure) }
        return try SecretBytes(count: count) { key throws(CryptographyError) in
            try cipher.open(
                sealed.extracting(..<count), tag: sealed.extracting(count...), authenticating: fixed.span,
                nonce: Wrapping.nonce.span, plaintext: &key)
        }
    }

    private static let nonce = [UInt8](repeating: 0, count: 12)
}
