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
            do throws(NativeError) { try extract(inputKey, salt: salt, into: &key) } catch {
                throw CryptographyError(error)
            }
        }
    }

    private func extract(
        _ inputKey: Span<UInt8>, salt: Span<UInt8>, into key: inout MutableSpan<UInt8>
    ) throws(NativeError) {
        var computation = try MACContext(oneTime: function.algorithm, key: salt)
        try computation.update(inputKey)
        try computation.finish(into: &key)
    }

    /// Extracts, and expands to a key and to a public commitment to it, for formats that commit.
    ///
    /// - Parameters:
    ///   - count: the key's length, at most a digest.
    ///   - commitment: is filled, with at most a digest.
    package func deriveCommitted(
        from inputKey: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, count: Int, commitmentInfo: Span<UInt8>,
        commitment: inout MutableSpan<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        let digestCount = function.digestByteCount
        precondition(count <= digestCount && commitment.count <= digestCount)
        var full = InlineArray<64, UInt8>(repeating: 0)
        let key = try SecretBytes(capacity: digestCount) { output throws(CryptographyError) in
            output.append(repeating: 0, count: digestCount)
            do throws(NativeError) {
                // One after the other in one place: the pseudorandom key is in the context before the key takes its place.
                var key = output.mutableSpan
                try extract(inputKey, salt: salt, into: &key)
                var computation = try MACContext(oneTime: function.algorithm, key: key.span)
                try computation.update(info)
                try computation.update(HKDF.one.span)
                try computation.finishAndRestart(into: &key)
                try computation.update(commitmentInfo)
                try computation.update(HKDF.one.span)
                var all = full.mutableSpan
                var block = all._mutatingExtracting(..<digestCount)
                try computation.finish(into: &block)
            } catch { throw CryptographyError(error) }
            output.removeLast(digestCount - count)
        }
        commitment.overwrite(with: full.span.extracting(..<commitment.count))
        return key
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
