internal import CStrongroomOpenSSL

/// A pool of contexts that are keyed anew for every message. It is never copied: nobody counts references to it.
package struct OneTimeAEAD: ~Copyable, Sendable {
    package static let aes256GCM = OneTimeAEAD(.aes256GCM)

    private let algorithm: CipherAlgorithm
    private let pool = unsafe HandlePool(free: EVP_CIPHER_CTX_free)

    private init(_ algorithm: CipherAlgorithm) { self.algorithm = algorithm }

    /// Encrypts into `sealed`: ciphertext, then 16 bytes of tag.
    package func seal(
        _ plaintext: Span<UInt8>, key: Span<UInt8>, nonce: Span<UInt8>, authenticating data: Span<UInt8>,
        into sealed: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        guard sealed.count == plaintext.count + AEADKey.tagByteCount else { throw .length }
        let context = unsafe try takeContext(key, nonce, direction: 1)
        var isDone = unsafe AEADCalls.authenticate(context, data)
        do {
            var ciphertext = sealed._mutatingExtracting(..<plaintext.count)
            isDone = unsafe isDone && AEADCalls.transform(context, plaintext, into: &ciphertext)
        }
        do {
            var tag = sealed._mutatingExtracting(plaintext.count...)
            isDone = unsafe isDone && AEADCalls.finish(context) && AEADCalls.readTag(context, into: &tag)
        }
        guard isDone else {
            unsafe pool.discard(context)
            ConstantTime.cleanse(&sealed)
            throw .drained("AEAD seal")
        }
        unsafe pool.put(context)
    }

    /// Decrypts. On any failure the buffer is cleansed and the context thrown away.
    package func open(
        _ ciphertext: Span<UInt8>, tag: Span<UInt8>, key: Span<UInt8>, nonce: Span<UInt8>,
        authenticating data: Span<UInt8>, plaintext: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        guard tag.count == AEADKey.tagByteCount, plaintext.count == ciphertext.count else { throw .length }
        let context = unsafe try takeContext(key, nonce, direction: 0)
        let isReady =
            unsafe AEADCalls.writeTag(context, tag) && AEADCalls.authenticate(context, data)
            && AEADCalls.transform(context, ciphertext, into: &plaintext)
        guard unsafe isReady && AEADCalls.finish(context) else {
            unsafe pool.discard(context)
            ConstantTime.cleanse(&plaintext)
            ERR_clear_error()
            throw .authentication
        }
        unsafe pool.put(context)
    }

    /// A context set up for one message.
    private func takeContext(
        _ key: Span<UInt8>, _ nonce: Span<UInt8>, direction: Int32
    ) throws(NativeError) -> OpaquePointer {
        guard algorithm.isAvailable else { throw .unavailable(algorithm.name) }
        guard key.count == algorithm.keyByteCount, nonce.count == AEADKey.nonceByteCount else { throw .length }
        let idle = unsafe pool.take()
        guard let context = unsafe idle ?? EVP_CIPHER_CTX_new() else { throw .memory }
        // A context that is told its algorithm again is made anew.
        let fetched = unsafe idle == nil ? algorithm.pointer : nil
        let isKeyed = unsafe key.withUnsafeBufferPointer { key in
            unsafe nonce.withUnsafeBufferPointer { nonce in
                unsafe EVP_CipherInit_ex2(
                    context, fetched, key.baseAddress, nonce.baseAddress, direction, nil) == 1
            }
        }
        guard isKeyed else {
            unsafe pool.discard(context)
            throw .drained("EVP_CipherInit_ex2")
        }
        return unsafe context
    }
}
