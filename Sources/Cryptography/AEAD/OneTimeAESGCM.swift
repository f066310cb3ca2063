internal import OpenSSLShim

/// AES-256-GCM under keys that are used once: one pool of contexts, keyed anew for each message.
///
/// For constructions that derive a key per message. It spares the allocation of a context; the key schedule remains.
package enum OneTimeAESGCM {
    /// Encrypts into `sealed`: ciphertext, then the tag.
    package static func seal(
        _ plaintext: Span<UInt8>, key: Span<UInt8>, nonce: Span<UInt8>, authenticating data: Span<UInt8>,
        into sealed: inout MutableSpan<UInt8>
    ) throws(CryptographyError) {
        do {
            try OneTimeAEAD.aes256GCM.seal(plaintext, key: key, nonce: nonce, authenticating: data, into: &sealed)
        } catch {
            throw CryptographyError(error)
        }
    }

    /// Decrypts ciphertext with its tag behind it.
    package static func open(
        _ sealed: Span<UInt8>, key: Span<UInt8>, nonce: Span<UInt8>, authenticating data: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        let count = sealed.count - 16
        guard count >= 0 else { throw CryptographyError(.authenticationFailure) }
        return try SecretBytes(count: count) { plaintext throws(CryptographyError) in
            do throws(NativeError) {
                try OneTimeAEAD.aes256GCM.open(
                    sealed.extracting(..<count), tag: sealed.extracting(count...), key: key, nonce: nonce,
                    authenticating: data, plaintext: &plaintext)
            } catch {
                throw CryptographyError(error)
            }
        }
    }
}
