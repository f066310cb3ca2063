internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

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
            unsafe AEADKey.begin(context, nonce, direction: 1)
            && AEADKey.authenticate(context, data)
            && AEADKey.transform(context, plaintext, into: &ciphertext)
            && AEADKey.finish(context)
            && AEADKey.readTag(context, into: &tag)
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
            unsafe AEADKey.begin(context, nonce, direction: 0)
            && AEADKey.writeTag(context, tag)
            && AEADKey.authenticate(context, data)
            && AEADKey.transform(context, ciphertext, into: &plaintext)
        guard unsafe isReady && AEADKey.finish(context) else {
            unsafe pool.discard(context)
            ConstantTime.cleanse(&plaintext)
            ERR_clear_error()
            throw .authentication
        }
        unsafe pool.put(context)
    }

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

    private static func begin(_ context: OpaquePointer, _ nonce: Span<UInt8>, direction: Int32) -> Bool {
        unsafe nonce.withUnsafeBufferPointer { nonce in
            unsafe direction == 1
                ? EVP_EncryptInit_ex2(context, nil, nil, nonce.baseAddress, nil) == 1
                : EVP_DecryptInit_ex2(context, nil, nil, nonce.baseAddress, nil) == 1
        }
    }

    private static func authenticate(_ context: OpaquePointer, _ data: Span<UInt8>) -> Bool {
        guard data.count > 0 else { return true }
        guard data.count <= Int(Int32.max) else { return false }
        return unsafe data.withUnsafeBufferPointer { data in
            var written: Int32 = 0
            return unsafe EVP_CipherUpdate(context, nil, &written, data.baseAddress, Int32(data.count)) == 1
        }
    }

    /// EVP counts in `int`: longer messages go through in pieces of 1 GiB.
    private static func transform(
        _ context: OpaquePointer, _ input: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) -> Bool {
        guard input.count > 0 else { return true }
        return unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                guard let source = input.baseAddress, let target = output.baseAddress else { return false }
                var offset = 0
                while offset < input.count {
                    let piece = min(input.count - offset, 1 << 30)
                    var written: Int32 = 0
                    guard
                        unsafe EVP_CipherUpdate(context, target + offset, &written, source + offset, Int32(piece))
                            == 1, written == piece
                    else { return false }
                    offset += piece
                }
                return true
            }
        }
    }

    /// A stream mode has nothing left to write, but the call wants a place.
    private static func finish(_ context: OpaquePointer) -> Bool {
        var nothing: (UInt64, UInt64) = (0, 0)
        var written: Int32 = 0
        return unsafe withUnsafeMutableBytes(of: &nothing) { buffer in
            unsafe EVP_CipherFinal_ex(
                context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &written) == 1
        }
    }

    private static func readTag(_ context: OpaquePointer, into tag: inout MutableSpan<UInt8>) -> Bool {
        unsafe tag.withUnsafeMutableBytes { tag in
            unsafe strongroom_cipher_get_tag(context, tag.baseAddress, tag.count) == 1
        }
    }

    private static func writeTag(_ context: OpaquePointer, _ tag: Span<UInt8>) -> Bool {
        unsafe tag.withUnsafeBytes { tag in
            unsafe strongroom_cipher_set_tag(context, tag.baseAddress, tag.count) == 1
        }
    }
}
