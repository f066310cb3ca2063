internal import CStrongroomLibSSL
internal import CStrongroomLibSSLShims
package import OpenSSLShim

/// A private key that is elsewhere, as libssl sees it.
@safe package final class NativeSigner: @unchecked Sendable {
    /// Signs a message with a SignatureScheme (RFC 8446, 4.2.3).
    package typealias Sign = @Sendable (_ scheme: UInt16, _ message: Span<UInt8>) throws -> [UInt8]

    // Safe to send: an EVP_PKEY is immutable once made, and OpenSSL counts its references atomically.
    private var key: OpaquePointer?
    let sign: Sign?
    /// Which of the identities of a context it belongs to.
    let index: Int

    /// - Parameters:
    ///   - subjectPublicKeyInfo: the public half.
    ///   - index: which of the identities of a context it belongs to.
    ///   - sign: signs at once; nil where the handshake shall pause for each signature.
    package init(subjectPublicKeyInfo: [UInt8], index: Int, sign: Sign?) throws(NativeError) {
        self.sign = sign
        self.index = index
        // Safe because whoever has the native key has this object too, and keeps it.
        let owner = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe key = unsafe subjectPublicKeyInfo.withUnsafeBufferPointer { info in
            unsafe strongroom_signing_key(
                TLSLibrary.pointer, info.baseAddress, info.count, owner, sign == nil ? nil : NativeSigner.answer)
        }
        guard unsafe key != nil else { throw .drained("EVP_PKEY_fromdata") }
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Whether the handshake pauses for its signatures.
    package var isPausing: Bool { sign == nil }

    var pointer: OpaquePointer? { unsafe key }

    /// libssl asks for a signature.
    private static let answer: strongroom_sign = { owner, scheme, message, count, signature, capacity in
        guard let owner = unsafe owner else { return 0 }
        let signer = unsafe Unmanaged<NativeSigner>.fromOpaque(owner).takeUnretainedValue()
        do {
            // Safe because libssl's message and buffer outlive this call.
            let message = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: message, count: count))
            guard let made = try signer.sign?(scheme, message), made.count <= capacity else { return 0 }
            unsafe signature?.update(from: made, count: made.count)
            return made.count
        } catch {
            NativeTLSConnection.current?.cause = error
            return 0
        }
    }
}
