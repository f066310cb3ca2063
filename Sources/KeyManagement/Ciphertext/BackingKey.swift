internal import Cryptography

/// Key material at work: derives a key for each message and seals under it.
///
/// Deriving per message makes the pair of salt and nonce 224 random bits: 2^64 messages stay safe where AES-GCM alone
/// would end at 2^32. The context goes into the derivation, so the commitment binds it too: with plain AES-GCM, who
/// knows a key can make one blob open under two contexts.
final class BackingKey: Sendable {
    let id: MaterialID
    private let derivation: CounterKDF

    init(id: MaterialID, material: borrowing SecretBytes) throws(CryptographyError) {
        self.id = id
        derivation = try CounterKDF(.sha256, key: material)
    }

    /// Seals a message into a blob. One allocation for the blob, one for the context.
    func seal(
        _ plaintext: Span<UInt8>, context: EncryptionContext, random: any RandomSource
    ) throws(CryptographyError) -> Ciphertext {
        var unique: InlineArray<28, UInt8> = .init(repeating: 0)
        var span = unique.mutableSpan
        try random.fill(&span)
        return try seal(
            plaintext, context: context, salt: unique.span.extracting(..<16), nonce: unique.span.extracting(16...))
    }

    /// Seals with a given salt and nonce: for the format's test vectors.
    func seal(
        _ plaintext: Span<UInt8>, context: EncryptionContext, salt: Span<UInt8>, nonce: Span<UInt8>
    ) throws(CryptographyError) -> Ciphertext {
        let context = context.canonicalBytes
        var blob = [UInt8](repeating: 0, count: plaintext.count + Ciphertext.overhead)
        blob[0] = 0xC5
        blob[1] = 1
        blob[2] = Ciphertext.suite
        for index in 0..<32 { blob[3 + index] = id.bytes[index] }
        for index in 0..<16 { blob[Ciphertext.saltRange.lowerBound + index] = salt[index] }
        for index in 0..<12 { blob[Ciphertext.nonceRange.lowerBound + index] = nonce[index] }
        let keys = try derive(blob.span, context: context)
        for index in 0..<32 { blob[Ciphertext.commitmentRange.lowerBound + index] = keys.bytes[32 + index] }
        let data = Array(blob[..<Ciphertext.headerCount]) + context
        var all = blob.mutableSpan
        var rest = all._mutatingExtracting(Ciphertext.headerCount...)
        try OneTimeAESGCM.seal(
            plaintext, key: keys.bytes.extracting(..<32), nonce: nonce, authenticating: data.span, into: &rest)
        return Ciphertext(unchecked: blob)
    }

    /// Opens a blob of this material. Any failure is the same failure.
    func open(_ ciphertext: Ciphertext, context: EncryptionContext) throws(CryptographyError) -> SecretBytes {
        let blob = ciphertext.bytes.span
        let context = context.canonicalBytes
        let keys = try derive(blob, context: context)
        guard keys.bytes.extracting(32...).isEqualInConstantTime(to: blob.extracting(Ciphertext.commitmentRange)) else {
            throw CryptographyError(.authenticationFailure)
        }
        let data = Array(ciphertext.bytes[..<Ciphertext.headerCount]) + context
        return try OneTimeAESGCM.open(
            blob.extracting(Ciphertext.headerCount...), key: keys.bytes.extracting(..<32),
            nonce: blob.extracting(Ciphertext.nonceRange), authenticating: data.span)
    }

    /// The message's key and its commitment, 32 bytes each.
    private func derive(_ blob: Span<UInt8>, context: [UInt8]) throws(CryptographyError) -> SecretBytes {
        var fixed: InlineArray<82, UInt8> = .init(repeating: 0)
        // version || suite || material id || salt: the blob from its second byte to the salt's end.
        for index in 0..<50 { fixed[index] = blob[index + 1] }
        let digest = try HashFunction.sha256.hash(context.span)
        for index in 0..<32 { fixed[50 + index] = digest.bytes[index] }
        return try derivation.derive(
            label: BackingKey.label.span, context: fixed.span, count: 64)
    }

    private static let label = Array("Strongroom/KMS/blob/v1".utf8)
}
