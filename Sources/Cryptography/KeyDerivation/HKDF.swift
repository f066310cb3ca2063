internal import OpenSSLShim

/// HMAC-based extract-and-expand key derivation (RFC 5869).
///
/// Built on a keyed HMAC context: OpenSSL 3.0's own `EVP_KDF` costs several times the hashing.
public struct HKDF: Sendable {
    /// The hash function.
    public let function: HashFunction

    /// Chooses the hash function.
    public init(_ function: HashFunction) { self.function = function }

    /// The pseudorandom key of input that need not be uniform (section 2.2). An empty salt stands for zeros.
    public func extract(
        _ inputKey: borrowing SecretBytes, salt: Span<UInt8> = Span()
    ) throws(CryptographyError) -> SecretBytes {
        try extract(inputKey.bytes, salt: salt)
    }

    /// The pseudorandom key of input that stands in secret memory of the caller's.
    package func extract(_ inputKey: Span<UInt8>, salt: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(count: function.digestByteCount) { key throws(CryptographyError) in
            do throws(NativeError) {
                var computation = try MACContext(oneTime: function.algorithm, key: salt)
                try computation.update(inputKey)
                try computation.finish(into: &key)
            } catch { throw CryptographyError(error) }
        }
    }

    /// Extracts, and expands to two keys: what formats do that commit to their key.
    ///
    /// - Returns: the two keys one after the other, each as long as the digest; who needs less takes its front.
    package func deriveTwo(
        from inputKey: Span<UInt8>, salt: Span<UInt8>, _ first: Span<UInt8>, _ second: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        let count = function.digestByteCount
        let extracted = try extract(inputKey, salt: salt)
        return try SecretBytes(count: 2 * count) { keys throws(CryptographyError) in
            do throws(NativeError) {
                var computation = try MACContext(oneTime: function.algorithm, key: extracted.bytes)
                try computation.update(first)
                try computation.update(HKDF.one.span)
                do {
                    var block = keys._mutatingExtracting(..<count)
                    try computation.finishAndRestart(into: &block)
                }
                try computation.update(second)
                try computation.update(HKDF.one.span)
                var block = keys._mutatingExtracting(count...)
                try computation.finish(into: &block)
            } catch { throw CryptographyError(error) }
        }
    }

    private static let one: [UInt8] = [1]

    /// Key material of `count` bytes, bound to `info` (section 2.3), from a pseudorandom key.
    ///
    /// - Throws: `invalidLength` above 255 digests.
    public func expand(
        _ pseudorandomKey: borrowing SecretBytes, info: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        try expansion(of: pseudorandomKey).expand(info: info, count: count)
    }

    /// A pseudorandom key made ready to be expanded several times.
    public func expansion(of pseudorandomKey: borrowing SecretBytes) throws(CryptographyError) -> HKDFExpansion {
        HKDFExpansion(prf: try HMAC(function, key: pseudorandomKey))
    }

    /// Extract and expand in one step.
    public func derive(
        from inputKey: borrowing SecretBytes, salt: Span<UInt8> = Span(), info: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        let key = try extract(inputKey, salt: salt)
        return try expand(key, info: info, count: count)
    }
}

/// The second half of HKDF under one pseudorandom key (RFC 5869, section 2.3).
public struct HKDFExpansion: Sendable {
    fileprivate let prf: HMAC

    /// Key material of `count` bytes, bound to `info`.
    ///
    /// - Throws: `invalidLength` above 255 digests.
    public func expand(info: Span<UInt8>, count: Int) throws(CryptographyError) -> SecretBytes {
        let digestCount = prf.function.digestByteCount
        guard count >= 0, count <= 255 * digestCount else {
            throw CryptographyError(.invalidLength, "HKDF gives at most \(255 * digestCount) bytes, not \(count)")
        }
        let blocks = (count + digestCount - 1) / digestCount
        let material = try SecretBytes(count: blocks * digestCount) { bytes throws(CryptographyError) in
            for block in 0..<blocks {
                var computation = try prf.begin()
                if block > 0 {
                    try computation.update(bytes.span.extracting(((block - 1) * digestCount)..<(block * digestCount)))
                }
                try computation.update(info)
                try computation.update(CollectionOfOne(UInt8(block + 1)).span)
                var next = bytes._mutatingExtracting((block * digestCount)..<((block + 1) * digestCount))
                try computation.finish(into: &next)
            }
        }
        return material.prefix(count)
    }
}
