internal import CStrongroomOpenSSL

/// The owner of one of OpenSSL's big numbers, erased when it goes.
@safe struct BigNumber: ~Copyable {
    let pointer: OpaquePointer

    /// Takes over a number that OpenSSL has made.
    init?(taking pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    /// A secret number from its bytes, most significant first: calculations with it take constant time.
    init?(_ bytes: Span<UInt8>) {
        guard let pointer = unsafe BN_secure_new() else { return nil }
        let isRead = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe BN_bin2bn(bytes.baseAddress, Int32(clamping: bytes.count), pointer) != nil
        }
        guard isRead else {
            unsafe BN_clear_free(pointer)
            return nil
        }
        unsafe BN_set_flags(pointer, BN_FLG_CONSTTIME)
        unsafe self.pointer = unsafe pointer
    }

    /// What one number, which may be secret, is less than another.
    init?(difference: OpaquePointer, _ secret: OpaquePointer) {
        guard let pointer = unsafe BN_secure_new() else { return nil }
        guard unsafe BN_sub(pointer, difference, secret) == 1 else {
            unsafe BN_clear_free(pointer)
            return nil
        }
        unsafe self.pointer = unsafe pointer
    }

    deinit { unsafe BN_clear_free(pointer) }

    /// How many bytes the number needs.
    var byteCount: Int { unsafe (Int(BN_num_bits(pointer)) + 7) / 8 }

    /// Writes the number with leading zeros to fill the buffer; false where it does not fit.
    func write(into bytes: inout MutableSpan<UInt8>) -> Bool {
        unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe BN_bn2binpad(pointer, bytes.baseAddress, Int32(clamping: bytes.count)) == Int32(bytes.count)
        }
    }
}

/// Scratch memory of OpenSSL's for calculations with big numbers.
@safe struct BigNumberScratch: ~Copyable {
    let pointer: OpaquePointer

    init() throws(NativeError) {
        guard let pointer = unsafe BN_CTX_secure_new_ex(LibraryContext.pointer) else { throw .memory }
        unsafe self.pointer = unsafe pointer
    }

    deinit { unsafe BN_CTX_free(pointer) }
}
