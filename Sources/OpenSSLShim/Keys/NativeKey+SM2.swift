internal import CStrongroomOpenSSL

/// Encryption by SM2 (GB/T 32918.4) with SM3, as ASN.1 (GM/T 0009).
extension NativeKey {
    /// Encrypts a message.
    ///
    /// - Returns: how many bytes were written.
    package func encryptSM2(
        _ message: Span<UInt8>, into ciphertext: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try sm2Context(EVP_PKEY_encrypt_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe try run(EVP_PKEY_encrypt, context, message, into: &ciphertext)
    }

    /// Decrypts into a buffer as long as the ciphertext, which is cleansed on a failure.
    package func decryptSM2(
        _ ciphertext: Span<UInt8>, into message: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try sm2Context(EVP_PKEY_decrypt_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        do throws(NativeError) {
            return unsafe try run(EVP_PKEY_decrypt, context, ciphertext, into: &message)
        } catch {
            ConstantTime.cleanse(&message)
            throw .authentication
        }
    }

    private func sm2Context(_ begin: (OpaquePointer?) -> Int32) throws(NativeError) -> OpaquePointer {
        let key = unsafe try pointer
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(LibraryContext.pointer, key, nil) else { throw .memory }
        guard unsafe begin(context) == 1 else {
            unsafe EVP_PKEY_CTX_free(context)
            throw .drained("EVP_PKEY_CTX")
        }
        return unsafe context
    }
}
