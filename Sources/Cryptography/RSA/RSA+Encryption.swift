internal import OpenSSLShim

extension RSA {
    fileprivate static func padding(
        _ algorithm: EncryptionAlgorithm, _ label: [UInt8]
    ) throws(CryptographyError) -> RSAPadding {
        guard algorithm.scheme == .rsaOAEP, let function = algorithm.function, let mask = algorithm.maskFunction else {
            throw CryptographyError(.unsupported, "this key does not decrypt \(algorithm)")
        }
        return .oaep(function.algorithm, mask: mask.algorithm, label: label)
    }
}

extension RSA.PublicKey: EncryptionKey {
    /// How many bytes fit into one ciphertext.
    public func maximumPlaintextByteCount(_ algorithm: EncryptionAlgorithm) -> Int {
        guard let function = algorithm.function else { return modulusByteCount - 11 }
        return max(modulusByteCount - 2 * function.digestByteCount - 2, 0)
    }

    /// Encrypts a short secret without a label.
    public func encrypt(
        _ secret: borrowing SecretBytes, using algorithm: EncryptionAlgorithm
    ) throws(CryptographyError) -> [UInt8] {
        try encrypt(secret, using: algorithm, label: [])
    }

    /// Encrypts a short secret: as many bytes as the modulus.
    ///
    /// - Parameter label: OAEP's label, which must be the same for decrypting.
    /// - Throws: `invalidLength` above ``maximumPlaintextByteCount(_:)``.
    public func encrypt(
        _ secret: borrowing SecretBytes, using algorithm: EncryptionAlgorithm, label: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        guard secret.count <= maximumPlaintextByteCount(algorithm) else {
            throw CryptographyError(.invalidLength, "\(secret.count) bytes do not fit")
        }
        let padding: RSAPadding
        if algorithm.scheme == .rsaPKCS1v15 {
            padding = .pkcs1v15(nil)
        } else {
            padding = try RSA.padding(algorithm, label)
        }
        var ciphertext = [UInt8](repeating: 0, count: modulusByteCount)
        do throws(NativeError) {
            var span = ciphertext.mutableSpan
            _ = try key.encryptRSA(secret.bytes, padding, into: &span)
        } catch { throw CryptographyError(error) }
        return ciphertext
    }
}

extension RSA.PrivateKey: Decryptor {
    /// OAEP with one function for hash and mask, and with SHA-1 for the mask. Other pairs work too.
    public var encryptionAlgorithms: [EncryptionAlgorithm] {
        [
            .rsaOAEPSHA256, .rsaOAEPSHA384, .rsaOAEPSHA512, .rsaOAEPSHA1, .rsaOAEP(.sha256, mask: .sha1),
            .rsaOAEP(.sha384, mask: .sha1), .rsaOAEP(.sha512, mask: .sha1),
        ]
    }

    /// Decrypts OAEP without a label.
    public func decrypt(
        _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm
    ) throws(CryptographyError) -> SecretBytes {
        try decrypt(ciphertext, using: algorithm, label: [])
    }

    /// Decrypts OAEP.
    ///
    /// - Throws: `authenticationFailure` for any ciphertext that does not decrypt.
    public func decrypt(
        _ ciphertext: Span<UInt8>, using algorithm: EncryptionAlgorithm, label: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        let padding = try RSA.padding(algorithm, label)
        guard ciphertext.count == modulusByteCount else { throw CryptographyError(.authenticationFailure) }
        return try SecretBytes(capacity: modulusByteCount) { secret throws(CryptographyError) in
            secret.append(repeating: 0, count: modulusByteCount)
            let count: Int
            do throws(NativeError) {
                var span = secret.mutableSpan
                count = try key.decryptRSA(ciphertext, padding, into: &span)
            } catch { throw CryptographyError(error) }
            secret.removeLast(modulusByteCount - count)
        }
    }
}
