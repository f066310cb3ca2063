/// The counter-mode key derivation of SP 800-108r1, 4.1, with HMAC as its function: 32-bit counter in front,
/// `label || 0x00 || context || [L]` after it.
///
/// The key is set up once: each 32 bytes derived with SHA-256 then cost one HMAC, without OpenSSL's `EVP_KDF`, which
/// takes twice as long as the hashing.
public struct CounterKDF: Sendable {
    private let prf: HMAC

    /// Takes the key-derivation key.
    public init(_ function: HashFunction, key: borrowing SecretBytes) throws(CryptographyError) {
        prf = try HMAC(function, key: key)
    }

    /// Derives `count` bytes.
    ///
    /// - Throws: `invalidLength` for nothing, or more than 2^29 - 1 bytes, whose number of bits has no place in 32.
    public func derive(
        label: Span<UInt8>, context: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        guard count > 0, count < 1 << 29 else { throw CryptographyError(.invalidLength, "1 to 2^29 - 1 bytes") }
        return try derive(count: count) { computation throws(CryptographyError) in
            try computation.update(label)
            try computation.update(CollectionOfOne(UInt8(0)).span)
            try computation.update(context)
            try computation.update(CounterKDF.bigEndian(UInt32(count * 8)).span)
        }
    }

    /// Derives `count` bytes from a fixed input of another layout, for protocols that define their own.
    public func derive(fixedInput: Span<UInt8>, count: Int) throws(CryptographyError) -> SecretBytes {
        guard count > 0, count < 1 << 29 else { throw CryptographyError(.invalidLength, "1 to 2^29 - 1 bytes") }
        return try derive(count: count) { computation throws(CryptographyError) in try computation.update(fixedInput) }
    }

    private func derive(
        count: Int, _ appendFixedInput: (inout MACComputation) throws(CryptographyError) -> Void
    ) throws(CryptographyError) -> SecretBytes {
        let digestCount = prf.tagByteCount
        let blocks = (count + digestCount - 1) / digestCount
        let material = try SecretBytes(count: blocks * digestCount) { bytes throws(CryptographyError) in
            for block in 0..<blocks {
                var computation = try prf.begin()
                try computation.update(CounterKDF.bigEndian(UInt32(block + 1)).span)
                try appendFixedInput(&computation)
                var next = bytes._mutatingExtracting((block * digestCount)..<((block + 1) * digestCount))
                try computation.finish(into: &next)
            }
        }
        return material.prefix(count)
    }

    private static func bigEndian(_ value: UInt32) -> InlineArray<4, UInt8> {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }
}
