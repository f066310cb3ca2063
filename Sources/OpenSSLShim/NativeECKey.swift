internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// An elliptic-curve key of OpenSSL's, for ECDSA over a digest.
@safe package final class NativeECKey: @unchecked Sendable {
    // Safe to send: an EVP_PKEY is immutable once made, and OpenSSL counts its references atomically.
    private let key: OpaquePointer

    /// Contexts ready to sign, and ready to verify: setting one up costs a tenth of a signature.
    private let signing = unsafe HandlePool(free: EVP_PKEY_CTX_free)
    private let verifying = unsafe HandlePool(free: EVP_PKEY_CTX_free)

    /// OpenSSL's name of the curve, such as "P-384".
    package let curve: String

    private init(_ key: OpaquePointer, _ curve: String) {
        unsafe self.key = unsafe key
        self.curve = curve
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// A new key pair.
    package static func generate(_ curve: String) throws(NativeError) -> NativeECKey {
        let key = unsafe LibraryContext.with { unsafe strongroom_ec_generate($0, curve) }
        guard let key = unsafe key else { throw .drained("EVP_PKEY_Q_keygen") }
        return unsafe NativeECKey(key, curve)
    }

    /// A public key from an encoded point (SEC 1, 2.3.3), compressed or not. OpenSSL checks that it is on the curve.
    package static func publicKey(_ curve: String, point: Span<UInt8>) throws(NativeError) -> NativeECKey {
        let key = unsafe point.withUnsafeBytes { point in
            unsafe LibraryContext.with { unsafe strongroom_ec_public($0, curve, point.baseAddress, point.count) }
        }
        guard let key = unsafe key else { throw .drained("EVP_PKEY_fromdata") }
        return unsafe NativeECKey(key, curve)
    }

    /// The public point, compressed.
    package func compressedPoint() throws(NativeError) -> [UInt8] {
        var point = [UInt8](repeating: 0, count: 133)
        let count = unsafe point.withUnsafeMutableBytes {
            unsafe strongroom_ec_point(key, $0.baseAddress, $0.count)
        }
        // The encoding is uncompressed by default: 04 || x || y. Compressed is 02 or 03, by y's last bit, and x.
        guard count >= 3, count % 2 == 1, point[0] == 4 else { throw .drained("EVP_PKEY_get_octet_string_param") }
        let half = (count - 1) / 2
        return [2 | point[count - 1] & 1] + point[1...half]
    }

    /// Signs a digest; the signature is DER (RFC 3279, 2.2.3).
    package func sign(_ digest: Span<UInt8>) throws(NativeError) -> [UInt8] {
        let context = unsafe try take(signing, EVP_PKEY_sign_init)
        var signature: InlineArray<160, UInt8> = .init(repeating: 0)
        var count = signature.count
        var span = signature.mutableSpan
        let isDone = unsafe span.withUnsafeMutableBufferPointer { signature in
            unsafe digest.withUnsafeBufferPointer { digest in
                unsafe EVP_PKEY_sign(context, signature.baseAddress, &count, digest.baseAddress, digest.count) == 1
            }
        }
        guard isDone else {
            unsafe signing.discard(context)
            throw .drained("EVP_PKEY_sign")
        }
        unsafe signing.put(context)
        return (0..<count).map { signature[$0] }
    }

    /// Whether a signature is the key's for a digest.
    package func isValid(_ signature: Span<UInt8>, for digest: Span<UInt8>) throws(NativeError) -> Bool {
        let context = unsafe try take(verifying, EVP_PKEY_verify_init)
        let isValid = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe digest.withUnsafeBufferPointer { digest in
                unsafe EVP_PKEY_verify(
                    context, signature.baseAddress, signature.count, digest.baseAddress, digest.count) == 1
            }
        }
        // A signature that is not one leaves errors in the queue, and nothing else.
        if !isValid { ERR_clear_error() }
        unsafe verifying.put(context)
        return isValid
    }

    private func take(
        _ pool: HandlePool, _ setUp: (OpaquePointer?) -> Int32
    ) throws(NativeError) -> OpaquePointer {
        if let context = unsafe pool.take() { return unsafe context }
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(LibraryContext.pointer, key, nil) else { throw .memory }
        guard unsafe setUp(context) == 1 else {
            unsafe pool.discard(context)
            throw .drained("EVP_PKEY_CTX")
        }
        return unsafe context
    }
}
