internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
internal import OpenSSLShim

/// A certificate of OpenSSL's, for as long as it takes to hand it over.
@safe struct NativeCertificate: ~Copyable {
    let pointer: OpaquePointer

    init(derEncoded bytes: [UInt8]) throws(NativeError) {
        var made = unsafe X509_new_ex(TLSLibrary.pointer, nil)
        guard unsafe made != nil else { throw .memory }
        let isRead = unsafe bytes.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            return unsafe d2i_X509(&made, &cursor, bytes.count) != nil
        }
        // OpenSSL frees a certificate that it could not read.
        guard isRead, let made = unsafe made else { throw .drained("d2i_X509") }
        unsafe pointer = unsafe made
    }

    deinit { unsafe X509_free(pointer) }

    /// The bytes of one that OpenSSL holds: it keeps them as they came.
    static func bytes(_ certificate: OpaquePointer?) -> [UInt8] {
        let count = unsafe i2d_X509(certificate, nil)
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            var cursor = buffer.baseAddress
            initialized = Int(unsafe i2d_X509(certificate, &cursor))
        }
    }

    /// The bytes of each of a stack.
    static func bytes(stack: OpaquePointer?) -> [[UInt8]] {
        let count = unsafe strongroom_certificate_count(stack)
        return (0..<max(count, 0)).map { index in
            unsafe bytes(strongroom_certificate_at(stack, index))
        }
    }
}
