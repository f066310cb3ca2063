internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// What is signed, for keys that hash by themselves: Ed25519 (RFC 8032), ML-DSA (FIPS 204) and SM2.
package enum SignedForm: Sendable {
    /// The message.
    case message
    /// The message, by the variant that hashes it first: Ed25519ph.
    case prehashed
    /// The message behind its signer's identity, by SM2 with SM3 (GB/T 32918.2).
    case identified
    /// The message's representative, which others have calculated: ML-DSA's mu.
    case representative
}

/// Signatures over whole messages.
extension NativeKey {
    /// Signs a message; but for SM2, the signature is as long as it has room.
    ///
    /// - Returns: how many bytes were written.
    @discardableResult
    package func sign(
        _ message: Span<UInt8>, as form: SignedForm = .message, into signature: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try messageContext(form, EVP_DigestSignInit_ex)
        defer { unsafe EVP_MD_CTX_free(context) }
        var count = signature.count
        let isDone = unsafe signature.withUnsafeMutableBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestSign(context, signature.baseAddress, &count, message.baseAddress, message.count) == 1
            }
        }
        guard isDone, form == .identified || count == signature.count else { throw .drained("EVP_DigestSign") }
        return count
    }

    /// Whether a signature is the key's for a message.
    package func isValid(
        _ signature: Span<UInt8>, for message: Span<UInt8>, as form: SignedForm = .message
    ) throws(NativeError) -> Bool {
        let context = unsafe try messageContext(form, EVP_DigestVerifyInit_ex)
        defer { unsafe EVP_MD_CTX_free(context) }
        let isValid = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(
                    context, signature.baseAddress, signature.count, message.baseAddress, message.count) == 1
            }
        }
        if !isValid { ERR_clear_error() }
        return isValid
    }

    /// Whether the linked OpenSSL signs so with keys of this kind.
    package func offers(_ form: SignedForm) -> Bool {
        guard let context = unsafe try? messageContext(form, EVP_DigestVerifyInit_ex) else { return false }
        unsafe EVP_MD_CTX_free(context)
        return true
    }

    /// Such a key hashes the message itself, and so takes no digest; SM2 names its own.
    private func messageContext(
        _ form: SignedForm,
        _ begin: (
            OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, UnsafePointer<CChar>?, OpaquePointer?,
            UnsafePointer<CChar>?, OpaquePointer?, UnsafePointer<OSSL_PARAM>?
        ) -> Int32
    ) throws(NativeError) -> OpaquePointer {
        let key = unsafe try pointer
        guard let context = unsafe EVP_MD_CTX_new() else { throw .memory }
        let begun =
            form == .identified
            ? unsafe begin(context, nil, "SM3", LibraryContext.pointer, nil, key, nil)
            : unsafe begin(context, nil, nil, LibraryContext.pointer, nil, key, nil)
        guard begun == 1 else {
            unsafe EVP_MD_CTX_free(context)
            throw .drained("EVP_DigestSignInit_ex")
        }
        let isSet =
            switch form {
            case .message: Int32(1)
            case .prehashed: unsafe strongroom_signature_prehash(context, "Ed25519ph")
            // What all take where nothing was agreed on (GM/T 0009, 10).
            case .identified: unsafe strongroom_signature_identity(context, "1234567812345678")
            case .representative: unsafe strongroom_signature_representative(context)
            }
        guard isSet == 1 else {
            unsafe EVP_MD_CTX_free(context)
            if isSet < 0 { throw .unavailable("\(form)") }
            throw .drained("EVP_PKEY_CTX_set_params")
        }
        return unsafe context
    }
}
