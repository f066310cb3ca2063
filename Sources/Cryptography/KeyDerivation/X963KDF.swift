/// The key derivation function of ANSI X9.63 (SEC 1, 3.6.1): keys from a shared secret of ECDH.
public struct X963KDF: Sendable {
    /// The hash function.
    public let function: HashFunction

    /// Chooses the hash function.
    public init(_ function: HashFunction) { self.function = function }

    /// Derives `count` bytes, bound to `sharedInfo`.
    public func derive(
        from secret: borrowing SecretBytes, sharedInfo: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        let digestCount = function.digestByteCount
        guard count > 0, count < 1 << 30 else { throw CryptographyError(.invalidLength, "1 to 2^30 - 1 bytes") }
        let blocks = (count + digestCount - 1) / digestCount
        let material = try SecretBytes(count: blocks * digestCount) { bytes throws(CryptographyError) in
            for block in 0..<blocks {
                var context = try HashContext(function)
                try context.update(secret.bytes)
                let counter = UInt32(block + 1)
                let encoded: InlineArray<4, UInt8> = [
                    UInt8(truncatingIfNeeded: counter >> 24), UInt8(truncatingIfNeeded: counter >> 16),
                    UInt8(truncatingIfNeeded: counter >> 8), UInt8(truncatingIfNeeded: counter),
                ]
                try context.update(encoded.span)
                try context.update(sharedInfo)
                var next = bytes._mutatingExtracting((block * digestCount)..<((block + 1) * digestCount))
                try context.finish(into: &next)
            }
        }
        return material.prefix(count)
    }
}
