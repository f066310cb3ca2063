internal import OpenSSLShim

/// Where random bytes come from.
///
/// Everything that draws randomness takes a source, so that a test can replay a run. ``SystemRandom`` is the one for use.
public protocol RandomSource: Sendable {
    /// Fills `bytes`. On an error they are zero and must not be used.
    func fill(_ bytes: inout MutableSpan<UInt8>) throws(CryptographyError)
}

extension RandomSource {
    /// An array of random bytes that are not secret, such as identifiers and salts.
    public func bytes(count: Int) throws(CryptographyError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        try fill(&span)
        return bytes
    }
}

/// OpenSSL's CTR-DRBG (SP 800-90A) in our own library context, seeded by the kernel.
///
/// Short requests are served from a stock that each thread keeps in secret memory. A forked child draws its own.
public struct SystemRandom: RandomSource {
    /// The source has no state of its own.
    public init() {}

    /// Fills `bytes` from this thread's generator.
    public func fill(_ bytes: inout MutableSpan<UInt8>) throws(CryptographyError) {
        do {
            try NativeRandom.fill(&bytes)
        } catch {
            throw CryptographyError(error)
        }
    }
}
