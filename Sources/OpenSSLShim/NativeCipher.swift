internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// Ciphers without an authentication tag, and key wrapping: one message, one context.
package enum NativeCipher {
    package enum Direction: Int32, Sendable {
        case decrypt = 0
        case encrypt = 1
    }

    /// Runs a cipher over one message.
    ///
    /// - Parameter output: at least as long as the input and two blocks. Cleansed on failure.
    /// - Returns: how many bytes were written.
    package static func run(
        _ algorithm: CipherAlgorithm, _ direction: Direction, key: Span<UInt8>, iv: Span<UInt8>, isPadding: Bool,
        input: Span<UInt8>, output: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        guard algorithm.isAvailable else { throw .unavailable(algorithm.name) }
        guard key.count == algorithm.keyByteCount, iv.count == algorithm.ivByteCount || iv.count == 0,
            input.count <= Int(Int32.max) - 64, output.count >= input.count + 32
        else { throw .length }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw .memory }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        unsafe EVP_CIPHER_CTX_set_flags(context, Int32(EVP_CIPHER_CTX_FLAG_WRAP_ALLOW))
        let isReady = unsafe key.withUnsafeBufferPointer { key in
            unsafe iv.withUnsafeBufferPointer { iv in
                unsafe EVP_CipherInit_ex2(
                    context, algorithm.pointer, key.baseAddress, iv.count == 0 ? nil : iv.baseAddress,
                    direction.rawValue, nil) == 1
            }
        }
        guard isReady else { throw .drained("EVP_CipherInit_ex2") }
        unsafe EVP_CIPHER_CTX_set_padding(context, isPadding ? 1 : 0)
        let total: Int? = unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                var (first, last): (Int32, Int32) = (0, 0)
                // Empty input has no address, and some ciphers want one.
                var nothing: UInt8 = 0
                let isUpdated = unsafe withUnsafePointer(to: &nothing) { nothing in
                    unsafe EVP_CipherUpdate(
                        context, output.baseAddress, &first, input.baseAddress ?? nothing, Int32(input.count)) == 1
                }
                guard isUpdated else { return nil }
                guard unsafe EVP_CipherFinal_ex(context, output.baseAddress?.advanced(by: Int(first)), &last) == 1
                else { return nil }
                return Int(first) + Int(last)
            }
        }
        guard let total else {
            ConstantTime.cleanse(&output)
            ERR_clear_error()
            throw .authentication
        }
        return total
    }
}
