internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// An asymmetric key of OpenSSL's, private or public.
///
/// A private key is unusable in a forked child, as every secret is: OpenSSL would still have its numbers there.
@safe package final class NativeKey: @unchecked Sendable {
    // Safe to send: an EVP_PKEY is immutable once made, and OpenSSL counts its references atomically.
    private let key: OpaquePointer
    private let epoch: UInt32?

    /// Contexts that sign, verify or derive without further parameters. Setting one up costs a tenth of a signature.
    private let signing = unsafe HandlePool(free: EVP_PKEY_CTX_free)
    private let verifying = unsafe HandlePool(free: EVP_PKEY_CTX_free)

    /// Takes over a key that OpenSSL has made.
    init(taking key: OpaquePointer, isPrivate: Bool) {
        unsafe self.key = unsafe key
        epoch = isPrivate ? ForkEpoch.current : nil
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Whether it is a key pair.
    package var isPrivate: Bool { epoch != nil }

    /// The native key, while this process may use it.
    var pointer: OpaquePointer {
        get throws(NativeError) {
            if let epoch, epoch != ForkEpoch.current { throw .forked }
            return unsafe key
        }
    }

    /// A context for one kind of operation, from the pool where one waits.
    private func context(
        _ pool: HandlePool, _ setUp: (OpaquePointer?) -> Int32
    ) throws(NativeError) -> OpaquePointer {
        let key = unsafe try pointer
        if let context = unsafe pool.take() { return unsafe context }
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(LibraryContext.pointer, key, nil) else { throw .memory }
        guard unsafe setUp(context) == 1 else {
            unsafe pool.discard(context)
            throw .drained("EVP_PKEY_CTX")
        }
        return unsafe context
    }
}

extension NativeKey {
    /// A new key pair on a curve that OpenSSL names so.
    package static func generate(curve: String) throws(NativeError) -> NativeKey {
        unsafe try taking(LibraryContext.with { unsafe strongroom_generate_ec($0, curve) })
    }

    /// A new RSA key pair with the public exponent 65537 (FIPS 186-5, A.1).
    package static func generate(rsaBits: Int) throws(NativeError) -> NativeKey {
        unsafe try taking(LibraryContext.with { unsafe strongroom_generate_rsa($0, rsaBits) })
    }

    /// A new key pair of an algorithm without parameters: "ED25519" or "X25519".
    package static func generate(raw algorithm: String) throws(NativeError) -> NativeKey {
        unsafe try taking(LibraryContext.with { unsafe strongroom_generate_raw($0, algorithm) })
    }

    private static func taking(_ key: OpaquePointer?) throws(NativeError) -> NativeKey {
        guard let key = unsafe key else { throw .drained("EVP_PKEY_Q_keygen") }
        return unsafe NativeKey(taking: key, isPrivate: true)
    }
}

extension NativeKey {
    /// Signs a digest with an elliptic-curve key; the signature is DER (RFC 3279, 2.2.3).
    ///
    /// - Returns: how many bytes were written.
    package func signECDSA(_ digest: Span<UInt8>, into signature: inout MutableSpan<UInt8>) throws(NativeError) -> Int {
        let context = unsafe try context(signing, EVP_PKEY_sign_init)
        var count = signature.count
        let isDone = unsafe signature.withUnsafeMutableBufferPointer { signature in
            unsafe digest.withUnsafeBufferPointer { digest in
                unsafe EVP_PKEY_sign(context, signature.baseAddress, &count, digest.baseAddress, digest.count) == 1
            }
        }
        guard isDone else {
            unsafe signing.discard(context)
            throw .drained("EVP_PKEY_sign")
        }
        unsafe signing.put(context)
        return count
    }

    /// Whether a DER signature is the elliptic-curve key's for a digest.
    package func isValidECDSA(_ signature: Span<UInt8>, for digest: Span<UInt8>) throws(NativeError) -> Bool {
        let context = unsafe try context(verifying, EVP_PKEY_verify_init)
        let isValid = unsafe verify(context, signature, digest)
        unsafe verifying.put(context)
        return isValid
    }
}

/// Whether the context's key made a signature. One that is not right leaves errors in the queue, and nothing else.
func verify(_ context: OpaquePointer, _ signature: Span<UInt8>, _ digest: Span<UInt8>) -> Bool {
    let isValid = unsafe signature.withUnsafeBufferPointer { signature in
        unsafe digest.withUnsafeBufferPointer { digest in
            unsafe EVP_PKEY_verify(
                context, signature.baseAddress, signature.count, digest.baseAddress, digest.count) == 1
        }
    }
    if !isValid { ERR_clear_error() }
    return isValid
}
