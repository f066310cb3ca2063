internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims
internal import Synchronization

/// A key of an AEAD cipher with 96-bit nonces and 128-bit tags, with its pool of keyed contexts.
///
/// Keying a context once and giving it a new nonce per message saves the key schedule and an allocation, two thirds
/// of the time of a short message.
package final class AEADKey: Sendable {
    package static let nonceByteCount = 12
    package static let tagByteCount = 16
    /// SP 800-38D, 5.2.1.1: at most 2^39 - 256 bits under one nonce.
    package static let largestMessage = (1 << 36) - 32

    private let algorithm: CipherAlgorithm
    private let key: SecretBuffer
    private let pool: HandlePool
    private let randomNonces = Atomic<UInt64>(0)

    /// Takes over a key of the algorithm's length.
    package init(_ algorithm: CipherAlgorithm, key: consuming SecretBuffer) throws(NativeError) {
        guard algorithm.isAvailable else { throw .unavailable(algorithm.name) }
        guard key.count == algorithm.keyByteCount else { throw .length }
        self.algorithm = algorithm
        self.key = key
        pool = unsafe HandlePool(free: EVP_CIPHER_CTX_free)
    }

    /// Encrypts into the caller's buffers. The nonce must never have been used with this key.
    package func seal(
        _ plaintext: Span<UInt8>, authenticating data: Span<UInt8>, nonce: Span<UInt8>,
        ciphertext: inout MutableSpan<UInt8>, tag: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        guard nonce.count == AEADKey.nonceByteCount, tag.count == AEADKey.tagByteCount,
            plaintext.count == ciphertext.count, plaintext.count <= AEADKey.largestMessage
        else { throw .length }
        let context = unsafe try takeContext()
        let isDone =
            unsafe AEADCalls.begin(context, nonce, direction: 1)
            && AEADCalls.authenticate(context, data)
            && AEADCalls.transform(context, plaintext, into: &ciphertext)
            && AEADCalls.finish(context)
            && AEADCalls.readTag(context, into: &tag)
        guard isDone else {
            unsafe pool.discard(context)
            ConstantTime.cleanse(&ciphertext)
            throw .drained("AEAD seal")
        }
        unsafe pool.put(context)
    }

    /// Decrypts into the caller's buffer. On any failure the buffer is cleansed and the context thrown away.
    package func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, authenticating data: Span<UInt8>, nonce: Span<UInt8>,
        plaintext: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        guard nonce.count == AEADKey.nonceByteCount, tag.count == AEADKey.tagByteCount,
            plaintext.count == ciphertext.count, ciphertext.count <= AEADKey.largestMessage
        else { throw .length }
        let context = unsafe try takeContext()
        let isReady =
            unsafe AEADCalls.begin(context, nonce, direction: 0)
            && AEADCalls.writeTag(context, tag)
            && AEADCalls.authenticate(context, data)
            && AEADCalls.transform(context, ciphertext, into: &plaintext)
        guard unsafe isReady && AEADCalls.finish(context) else {
            unsafe pool.discard(context)
            ConstantTime.cleanse(&plaintext)
            ERR_clear_error()
            throw .authentication
        }
        unsafe pool.put(context)
    }

    /// How many messages have had random nonces, this one included.
    package func countRandomNonce() -> UInt64 { randomNonces.add(1, ordering: .relaxed).newValue }

    private func takeContext() throws(NativeError) -> OpaquePointer {
        guard key.isUsable else { throw .forked }
        if let context = unsafe pool.take() { return unsafe context }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .memory }
        let isKeyed = key.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe EVP_EncryptInit_ex2(context, algorithm.pointer, key.baseAddress, nil, nil) == 1
            }
        }
        guard isKeyed else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw .drained("EVP_EncryptInit_ex2")
        }
        return unsafe context
    }
}
