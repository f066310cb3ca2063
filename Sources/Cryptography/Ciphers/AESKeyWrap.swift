internal import OpenSSLShim

/// AES key wrapping (SP 800-38F): deterministic, authenticated encryption of keys under keys.
public struct AESKeyWrap: Sendable {
    /// The two forms of the standard.
    public enum Form: Sendable, Hashable, CaseIterable {
        /// KW (RFC 3394): keys of 16 bytes and more, in multiples of 8.
        case plain
        /// KWP (RFC 5649): keys of any length from 1 byte.
        case padded
    }

    /// The form.
    public let form: Form

    private let algorithm: CipherAlgorithm
    private let key: NativeKeyBox

    /// Takes a wrapping key of 16, 24 or 32 bytes.
    public init(_ form: Form, key: borrowing SecretBytes) throws(CryptographyError) {
        switch (form, key.count) {
        case (.plain, 16): algorithm = .aes128Wrap
        case (.plain, 24): algorithm = .aes192Wrap
        case (.plain, 32): algorithm = .aes256Wrap
        case (.padded, 16): algorithm = .aes128WrapPad
        case (.padded, 24): algorithm = .aes192WrapPad
        case (.padded, 32): algorithm = .aes256WrapPad
        default: throw CryptographyError(.invalidKey, "an AES key has 16, 24 or 32 bytes, not \(key.count)")
        }
        self.form = form
        self.key = NativeKeyBox(key.copy())
    }

    /// Wraps a key.
    ///
    /// - Throws: `invalidLength` where the form does not take its length.
    public func wrap(_ secret: borrowing SecretBytes) throws(CryptographyError) -> [UInt8] {
        let isTaken = form == .plain ? secret.count >= 16 && secret.count % 8 == 0 : secret.count >= 1
        guard isTaken else { throw CryptographyError(.invalidLength, "\(secret.count) bytes cannot be wrapped so") }
        var wrapped = [UInt8](repeating: 0, count: secret.count + 32)
        let count: Int
        do {
            var output = wrapped.mutableSpan
            count = try key.run(algorithm, .encrypt, iv: Span(), isPadding: false, input: secret.bytes, output: &output)
        }
        wrapped.removeLast(wrapped.count - count)
        return wrapped
    }

    /// Unwraps a key.
    ///
    /// - Throws: `authenticationFailure` for anything that this key did not wrap in this form.
    public func unwrap(_ wrapped: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        let least = form == .plain ? 24 : 16
        guard wrapped.count >= least, wrapped.count % 8 == 0 else { throw CryptographyError(.authenticationFailure) }
        return try key.secret(algorithm, .decrypt, iv: Span(), isPadding: false, input: wrapped)
    }
}
