internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// The EVP calls of one AEAD message on one context, each answering whether it went well.
enum AEADCalls {
    static func begin(_ context: OpaquePointer, _ nonce: Span<UInt8>, direction: Int32) -> Bool {
        unsafe nonce.withUnsafeBufferPointer { nonce in
            unsafe direction == 1
                ? EVP_EncryptInit_ex2(context, nil, nil, nonce.baseAddress, nil) == 1
                : EVP_DecryptInit_ex2(context, nil, nil, nonce.baseAddress, nil) == 1
        }
    }

    static func authenticate(_ context: OpaquePointer, _ data: Span<UInt8>) -> Bool {
        guard data.count > 0 else { return true }
        guard data.count <= Int(Int32.max) else { return false }
        return unsafe data.withUnsafeBufferPointer { data in
            var written: Int32 = 0
            return unsafe EVP_CipherUpdate(context, nil, &written, data.baseAddress, Int32(data.count)) == 1
        }
    }

    /// EVP counts in `int`: longer messages go through in pieces of 1 GiB.
    static func transform(
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
    static func finish(_ context: OpaquePointer) -> Bool {
        var nothing: (UInt64, UInt64) = (0, 0)
        var written: Int32 = 0
        return unsafe withUnsafeMutableBytes(of: &nothing) { buffer in
            unsafe EVP_CipherFinal_ex(
                context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &written) == 1
        }
    }

    static func readTag(_ context: OpaquePointer, into tag: inout MutableSpan<UInt8>) -> Bool {
        unsafe tag.withUnsafeMutableBytes { tag in
            unsafe strongroom_cipher_get_tag(context, tag.baseAddress, tag.count) == 1
        }
    }

    static func writeTag(_ context: OpaquePointer, _ tag: Span<UInt8>) -> Bool {
        unsafe tag.withUnsafeBytes { tag in
            unsafe strongroom_cipher_set_tag(context, tag.baseAddress, tag.count) == 1
        }
    }
}
