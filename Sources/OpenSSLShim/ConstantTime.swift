internal import CStrongroomOpenSSL

/// Comparisons and erasure that a compiler may not shorten.
package enum ConstantTime {
    /// Compares in time that depends on the lengths only.
    package static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return unsafe CRYPTO_memcmp(first, second, left.count) == 0
            }
        }
    }

    /// Overwrites bytes that must not stay behind.
    package static func cleanse(_ bytes: inout MutableSpan<UInt8>) {
        unsafe bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { unsafe OPENSSL_cleanse(base, buffer.count) }
        }
    }
}
