internal import CStrongroomOpenSSL

/// Password-based derivation. Slow by design, so OpenSSL's one-shot calls cost nothing that shows.
package enum NativeKDF {
    /// scrypt (RFC 7914).
    package static func scrypt(
        _ passphrase: Span<UInt8>, salt: Span<UInt8>, cost: UInt64, blockSize: UInt64, parallelism: UInt64,
        into key: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        // OpenSSL refuses more than 32 MiB unless told; 128 N r bytes for the table, 128 r p for the blocks, and room.
        let memory = 128 * blockSize * (cost + parallelism + 32)
        let isDone = unsafe passphrase.withUnsafeBytes { passphrase in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe key.withUnsafeMutableBufferPointer { key in
                    unsafe LibraryContext.with { context in
                        unsafe EVP_PBE_scrypt_ex(
                            passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count,
                            salt.baseAddress, salt.count, cost, blockSize, parallelism, memory, key.baseAddress,
                            key.count, context, nil)
                    }
                }
            }
        }
        guard isDone == 1 else { throw .drained("EVP_PBE_scrypt_ex") }
    }

    /// PBKDF2 with HMAC (RFC 8018).
    package static func pbkdf2(
        _ digest: DigestAlgorithm, _ passphrase: Span<UInt8>, salt: Span<UInt8>, iterations: Int32,
        into key: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        guard unsafe digest.pointer != nil else { throw .unavailable(digest.name) }
        let isDone = unsafe passphrase.withUnsafeBytes { passphrase in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe key.withUnsafeMutableBufferPointer { key in
                    unsafe PKCS5_PBKDF2_HMAC(
                        passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: passphrase.count),
                        salt.baseAddress, Int32(clamping: salt.count), iterations, digest.pointer,
                        Int32(clamping: key.count), key.baseAddress)
                }
            }
        }
        guard isDone == 1 else { throw .drained("PKCS5_PBKDF2_HMAC") }
    }
}
