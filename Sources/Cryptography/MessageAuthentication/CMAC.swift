internal import OpenSSLShim

/// A key of AES-CMAC (SP 800-38B).
public struct CMAC: MessageAuthenticator {
    private let key: MACKey

    /// Takes a key of 16, 24 or 32 bytes.
    public init(key: borrowing SecretBytes) throws(CryptographyError) {
        let cipher: CipherAlgorithm
        switch key.count {
        case 16: cipher = .aes128CBC
        case 24: cipher = .aes192CBC
        case 32: cipher = .aes256CBC
        default: throw CryptographyError(.invalidKey, "an AES key has 16, 24 or 32 bytes, not \(key.count)")
        }
        let copy = key.copy()
        do { self.key = try MACKey(.cmac(cipher), key: copy.intoBuffer()) } catch { throw CryptographyError(error) }
    }

    /// 16 bytes.
    public var tagByteCount: Int { key.tagByteCount }

    /// The tag of a message. Allocates nothing.
    public func authenticate(_ message: Span<UInt8>) throws(CryptographyError) -> Digest {
        var computation = try begin()
        try computation.update(message)
        return try computation.finish()
    }

    /// Starts a computation over a message that comes in pieces.
    public func begin() throws(CryptographyError) -> MACComputation {
        do { return MACComputation(native: try key.begin()) } catch { throw CryptographyError(error) }
    }
}
