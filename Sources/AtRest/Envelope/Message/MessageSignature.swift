internal import Cryptography
internal import KeyManagement

/// The running hash of a signed message, and the key for its end.
final class MessageSignature {
    private var hash: HashContext
    private let signingKey: ECDSA.PrivateKey?
    private let verificationKey: ECDSA.PublicKey?

    init(signingWith key: ECDSA.PrivateKey) throws(CryptographyError) {
        hash = try HashContext(key.curve.function)
        signingKey = key
        verificationKey = nil
    }

    /// Takes the public key out of a message's context.
    init(verifying context: EncryptionContext, on curve: EllipticCurve) throws {
        guard let text = context.pairs[MessageHeader.signingKeyName], let point = Base64.decode(text) else {
            throw EnvelopeError(.notAuthentic)
        }
        hash = try HashContext(curve.function)
        do { verificationKey = try ECDSA.PublicKey(curve, point: point) } catch { throw EnvelopeError(.notAuthentic) }
        signingKey = nil
    }

    func update(_ bytes: Span<UInt8>) throws(CryptographyError) { try hash.update(bytes) }

    func sign() throws(CryptographyError) -> [UInt8] {
        guard let signingKey else { throw CryptographyError(.invalidKey) }
        return try signingKey.sign(try hash.finish())
    }

    func isValid(_ signature: Span<UInt8>) throws(CryptographyError) -> Bool {
        guard let verificationKey else { return false }
        return try verificationKey.isValid(signature, for: try hash.finish())
    }
}
