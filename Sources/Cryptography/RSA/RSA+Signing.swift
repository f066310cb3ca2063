internal import OpenSSLShim

extension RSA {
    /// Both schemes with each function; PSS first.
    static let signatureAlgorithms: [SignatureAlgorithm] = [
        .rsaPSSSHA256, .rsaPSSSHA384, .rsaPSSSHA512, .rsaPKCS1v15SHA256, .rsaPKCS1v15SHA384, .rsaPKCS1v15SHA512,
    ]

    fileprivate static func padding(
        _ algorithm: SignatureAlgorithm, _ digest: Digest
    ) throws(CryptographyError) -> RSAPadding {
        try algorithm.check(digest, in: signatureAlgorithms)
        guard let function = algorithm.function?.algorithm else { throw CryptographyError(.unsupported) }
        return algorithm.scheme == .rsaPSS
            ? .pss(function, saltByteCount: algorithm.saltByteCount) : .pkcs1v15(function)
    }
}

extension RSA.PrivateKey: SynchronousSigner {
    /// PSS and PKCS #1 v1.5 with SHA-256, SHA-384 and SHA-512.
    public var signatureAlgorithms: [SignatureAlgorithm] { RSA.signatureAlgorithms }

    /// Signs a message: as many bytes as the modulus.
    public func sign(
        _ message: Span<UInt8>, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> [UInt8] {
        try sign(digest: try algorithm.digest(message), using: algorithm)
    }

    /// Signs a message's digest: as many bytes as the modulus.
    public func sign(digest: Digest, using algorithm: SignatureAlgorithm) throws(CryptographyError) -> [UInt8] {
        let padding = try RSA.padding(algorithm, digest)
        var signature = [UInt8](repeating: 0, count: modulusByteCount)
        let count: Int
        do throws(NativeError) {
            var span = signature.mutableSpan
            count = try key.signRSA(digest.bytes, padding, into: &span)
        } catch { throw CryptographyError(error) }
        guard count == signature.count else { throw CryptographyError(.internalFailure, "a short signature") }
        return signature
    }
}

extension RSA.PublicKey: VerificationKey {
    /// Whether a signature is this key's for a message.
    public func isValid(
        _ signature: Span<UInt8>, for message: Span<UInt8>, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> Bool {
        try isValid(signature, forDigest: try algorithm.digest(message), using: algorithm)
    }

    /// Whether a signature is this key's for a message's digest.
    public func isValid(
        _ signature: Span<UInt8>, forDigest digest: Digest, using algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> Bool {
        let padding = try RSA.padding(algorithm, digest)
        do throws(NativeError) {
            return try key.isValidRSA(signature, for: digest.bytes, padding)
        } catch { throw CryptographyError(error) }
    }
}
