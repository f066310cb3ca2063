internal import Cryptography

/// Key material at work: derives a key for each message and seals under it.
///
/// Deriving per message makes the pair of salt and nonce 224 random bits: 2^64 messages stay safe where AES-GCM alone
/// would end at 2^32. The context goes into the derivation, so the commitment binds it too: with plain AES-GCM, who
/// knows a key can make one blob open under two contexts.
///
/// Material that a custodian keeps never comes here: the custodian is asked for the two tags from which the same derivation
/// makes a message's key.
final class BackingKey: Sendable {
    let id: MaterialID
    /// The identifier as events have it, which mostly have no other.
    let names: [String]
    var name: String { names[0] }
    private let derivation: Derivation

    private enum Derivation: Sendable {
        case held(CounterKDF)
        case kept(any MessageAuthenticator)
    }

    init(id: MaterialID, material: borrowing SecretBytes) throws(CryptographyError) {
        (self.id, names) = (id, [id.text])
        derivation = .held(try CounterKDF(.sha256, key: material))
    }

    /// Takes a key for HMAC-SHA-256 in custody.
    init(id: MaterialID, keptBy custodian: any MessageAuthenticator) {
        (self.id, names) = (id, [id.text])
        derivation = .kept(custodian)
    }

    /// Seals a message into a blob. One allocation for the blob, one for the context.
    func seal(
        _ plaintext: Span<UInt8>, context: EncryptionContext, random: any RandomSource
    ) async throws -> Ciphertext {
        var unique: InlineArray<28, UInt8> = .init(repeating: 0)
        var span = unique.mutableSpan
        try random.fill(&span)
        return try await seal(plaintext, context: context, unique: unique)
    }

    /// Seals with a given salt and nonce: for the format's test vectors.
    func seal(
        _ plaintext: Span<UInt8>, context: EncryptionContext, unique: InlineArray<28, UInt8>
    ) async throws -> Ciphertext {
        let context = context.canonicalBytes
        var blob = [UInt8](repeating: 0, count: plaintext.count + Ciphertext.overhead)
        blob[0] = 0xC5
        blob[1] = 1
        blob[2] = Ciphertext.suite
        for index in 0..<32 { blob[3 + index] = id.bytes[index] }
        // Salt and nonce stand one after the other.
        for index in 0..<28 { blob[Ciphertext.saltRange.lowerBound + index] = unique[index] }
        let keys = try await derive(blob.span, context: context)
        for index in 0..<32 { blob[Ciphertext.commitmentRange.lowerBound + index] = keys.bytes[32 + index] }
        let data = Array(blob[..<Ciphertext.headerCount]) + context
        var all = blob.mutableSpan
        var rest = all._mutatingExtracting(Ciphertext.headerCount...)
        try OneTimeAESGCM.seal(
            plaintext, key: keys.bytes.extracting(..<32), nonce: unique.span.extracting(16...),
            authenticating: data.span, into: &rest)
        return Ciphertext(unchecked: blob)
    }

    /// Opens a blob of this material. Any failure is the same failure.
    func open(_ ciphertext: Ciphertext, context: EncryptionContext) async throws -> SecretBytes {
        let blob = ciphertext.bytes.span
        let context = context.canonicalBytes
        let keys = try await derive(blob, context: context)
        guard keys.bytes.extracting(32...).isEqualInConstantTime(to: blob.extracting(Ciphertext.commitmentRange)) else {
            throw CryptographyError(.authenticationFailure)
        }
        let data = Array(ciphertext.bytes[..<Ciphertext.headerCount]) + context
        return try OneTimeAESGCM.open(
            blob.extracting(Ciphertext.headerCount...), key: keys.bytes.extracting(..<32),
            nonce: blob.extracting(Ciphertext.nonceRange), authenticating: data.span)
    }

    /// The message's key and its commitment, 32 bytes each.
    private func derive(_ blob: Span<UInt8>, context: [UInt8]) async throws -> SecretBytes {
        var fixed: InlineArray<82, UInt8> = .init(repeating: 0)
        // version || suite || material id || salt: the blob from its second byte to the salt's end.
        for index in 0..<50 { fixed[index] = blob[index + 1] }
        let digest = try HashFunction.sha256.hash(context.span)
        for index in 0..<32 { fixed[50 + index] = digest.bytes[index] }
        switch derivation {
        case .held(let derivation):
            return try derivation.derive(label: BackingKey.label.span, context: fixed.span, count: 64)
        case .kept(let authenticator): return try await BackingKey.derive(authenticator, fixed)
        }
    }

    /// What ``CounterKDF`` does, block by block: counter || label || 00 || context || 512, the derived length in bits.
    private static func derive(
        _ authenticator: any MessageAuthenticator, _ fixed: InlineArray<82, UInt8>
    ) async throws -> SecretBytes {
        var input: [UInt8] = [0, 0, 0, 1] + label + [0]
        for index in 0..<82 { input.append(fixed[index]) }
        input += [0, 0, 2, 0]
        do {
            let first = try await authenticator.authenticate(input.span)
            input[3] = 2
            let second = try await authenticator.authenticate(input.span)
            guard first.count == 32, second.count == 32 else { throw CryptographyError(.invalidLength, "its tags") }
            return SecretBytes(capacity: 64) { output in
                output.append(copying: first.bytes)
                output.append(copying: second.bytes)
            }
        } catch { throw KeyManagementError(.keyStoreFailure, "the key store does not answer: \(error)") }
    }

    private static let label = Array("Strongroom/KMS/blob/v1".utf8)
}
