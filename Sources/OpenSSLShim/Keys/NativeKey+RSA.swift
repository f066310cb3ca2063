internal import CStrongroomOpenSSL

/// How RSA fills up what it signs or encrypts (RFC 8017).
package enum RSAPadding: Sendable {
    /// With the digest's name in it for signatures, and without for encryption.
    case pkcs1v15(DigestAlgorithm?)
    case pss(DigestAlgorithm, saltByteCount: Int)
    case oaep(DigestAlgorithm, mask: DigestAlgorithm, label: [UInt8])
    /// Nothing: the padding is the caller's. As long as the modulus, in and out.
    case none
}

extension NativeKey {
    /// A public key from its numbers, most significant byte first.
    package static func publicRSAKey(modulus: Span<UInt8>, exponent: Span<UInt8>) throws(NativeError) -> NativeKey {
        guard let modulus = BigNumber(modulus), let exponent = BigNumber(exponent) else { throw .memory }
        let parameters = try KeyParameters()
        try parameters.add("n", modulus)
        try parameters.add("e", exponent)
        return unsafe NativeKey(taking: try parameters.make("RSA", isPrivate: false), isPrivate: false)
    }

    /// A key pair from its numbers, which must fit together. Whether the factors are prime is not checked.
    package static func privateRSAKey(
        modulus: Span<UInt8>, exponent: Span<UInt8>, privateExponent: Span<UInt8>, factors: (Span<UInt8>, Span<UInt8>),
        exponents: (Span<UInt8>, Span<UInt8>), coefficient: Span<UInt8>
    ) throws(NativeError) -> NativeKey {
        guard let n = BigNumber(modulus), let e = BigNumber(exponent), let d = BigNumber(privateExponent),
            let p = BigNumber(factors.0), let q = BigNumber(factors.1), let dp = BigNumber(exponents.0),
            let dq = BigNumber(exponents.1), let qInverse = BigNumber(coefficient)
        else { throw .memory }
        let calculation = try RSAConsistency()
        guard calculation.isProduct(n, of: p, q), calculation.isInverse(d, of: e, moduloLess: p),
            calculation.isInverse(d, of: e, moduloLess: q), calculation.isRemainder(dp, of: d, moduloLess: p),
            calculation.isRemainder(dq, of: d, moduloLess: q), calculation.isInverse(qInverse, of: q, modulo: p)
        else {
            ERR_clear_error()
            throw .length
        }
        let parameters = try KeyParameters()
        try parameters.add("n", n)
        try parameters.add("e", e)
        try parameters.add("d", d)
        try parameters.add("rsa-factor1", p)
        try parameters.add("rsa-factor2", q)
        try parameters.add("rsa-exponent1", dp)
        try parameters.add("rsa-exponent2", dq)
        try parameters.add("rsa-coefficient1", qInverse)
        return unsafe NativeKey(taking: try parameters.make("RSA", isPrivate: true), isPrivate: true)
    }

    /// Signs a digest: as many bytes as the modulus.
    package func signRSA(
        _ digest: Span<UInt8>, _ padding: RSAPadding, into signature: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try context(padding, EVP_PKEY_sign_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe try run(EVP_PKEY_sign, context, digest, into: &signature)
    }

    /// Whether a signature is the key's for a digest.
    package func isValidRSA(
        _ signature: Span<UInt8>, for digest: Span<UInt8>, _ padding: RSAPadding
    ) throws(NativeError) -> Bool {
        let context = unsafe try context(padding, EVP_PKEY_verify_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe verify(context, signature, digest)
    }

    /// Encrypts a short message: as many bytes as the modulus.
    package func encryptRSA(
        _ message: Span<UInt8>, _ padding: RSAPadding, into ciphertext: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try context(padding, EVP_PKEY_encrypt_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe try run(EVP_PKEY_encrypt, context, message, into: &ciphertext)
    }

    /// Decrypts into a buffer as long as the modulus, which is cleansed on a failure.
    package func decryptRSA(
        _ ciphertext: Span<UInt8>, _ padding: RSAPadding, into message: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        let context = unsafe try context(padding, EVP_PKEY_decrypt_init)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        do throws(NativeError) {
            return unsafe try run(EVP_PKEY_decrypt, context, ciphertext, into: &message)
        } catch {
            ConstantTime.cleanse(&message)
            throw .authentication
        }
    }

    typealias Operation = (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int
    ) -> Int32

    func run(
        _ operation: Operation, _ context: OpaquePointer, _ input: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) throws(NativeError) -> Int {
        var count = output.count
        let isDone = unsafe output.withUnsafeMutableBufferPointer { output in
            unsafe input.withUnsafeBufferPointer { input in
                // Empty input has no address, and OpenSSL wants one.
                var nothing: UInt8 = 0
                return unsafe withUnsafePointer(to: &nothing) { nothing in
                    unsafe operation(context, output.baseAddress, &count, input.baseAddress ?? nothing, input.count)
                        == 1
                }
            }
        }
        guard isDone else { throw .drained("EVP_PKEY") }
        return count
    }

    /// A context of its own: beside an RSA operation its making does not show.
    private func context(
        _ padding: RSAPadding, _ begin: (OpaquePointer?) -> Int32
    ) throws(NativeError) -> OpaquePointer {
        let key = unsafe try pointer
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(LibraryContext.pointer, key, nil) else { throw .memory }
        guard unsafe begin(context) == 1, unsafe padding.set(context) else {
            unsafe EVP_PKEY_CTX_free(context)
            throw .drained("EVP_PKEY_CTX")
        }
        return unsafe context
    }
}

extension RSAPadding {
    fileprivate func set(_ context: OpaquePointer) -> Bool {
        switch self {
        case .pkcs1v15(let digest):
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 else { return false }
            guard let digest else { return true }
            return unsafe EVP_PKEY_CTX_set_signature_md(context, digest.pointer) == 1
        case .pss(let digest, let saltByteCount):
            return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, digest.pointer) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest.pointer) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(clamping: saltByteCount)) == 1
        case .oaep(let digest, let mask, let label):
            return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest.pointer) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, mask.pointer) == 1
                && setLabel(label, context)
        case .none:
            return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1
        }
    }

    /// OpenSSL takes the label over, so it must come from its own allocator.
    private func setLabel(_ label: [UInt8], _ context: OpaquePointer) -> Bool {
        guard !label.isEmpty else { return true }
        guard let copy = unsafe CRYPTO_malloc(label.count, nil, 0) else { return false }
        unsafe copy.copyMemory(from: label, byteCount: label.count)
        guard unsafe EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, Int32(clamping: label.count)) == 1 else {
            unsafe CRYPTO_free(copy, nil, 0)
            return false
        }
        return true
    }
}
