/// PKCS #8 under a passphrase: PBES2 (RFC 8018, 6.2) with PBKDF2 or scrypt, and AES-CBC.
enum EncryptedPrivateKeyInfo {
    static func open(_ bytes: Span<UInt8>, _ passphrase: borrowing SecretBytes) throws(CryptographyError) -> SecretBytes
    {
        var outer = DERReader(bytes)
        var reader = try outer.enter(.sequence)
        try outer.end()
        var algorithm = try reader.enter(.sequence)
        let scheme = try algorithm.takeIdentifier()
        guard scheme == pbes2 else { throw CryptographyError(.unsupported, "a key encrypted by \(scheme)") }
        var parameters = try algorithm.enter(.sequence)
        try algorithm.end()
        var derivation = try parameters.enter(.sequence)
        var encryption = try parameters.enter(.sequence)
        try parameters.end()
        let cipher = try encryption.takeIdentifier()
        let vector = try encryption.take(.octetString)
        try encryption.end()
        let content = try reader.take(.octetString)
        try reader.end()
        guard let keyByteCount = ciphers.first(where: { $0.identifier == cipher })?.keyByteCount else {
            throw CryptographyError(.unsupported, "a key encrypted by the cipher \(cipher)")
        }
        guard vector.count == 16 else { throw DERReader.malformed }
        let key = try derive(&derivation, passphrase, keyByteCount)
        return try UnauthenticatedAES.CBC(key: key).decrypt(content, initializationVector: vector)
    }

    static func seal(
        _ secret: consuming SecretBytes, _ passphrase: borrowing SecretBytes, _ derivation: PassphraseDerivation
    ) throws(CryptographyError) -> [UInt8] {
        let salt = try SystemRandom().bytes(count: 16)
        let vector = try SystemRandom().bytes(count: 16)
        let key: SecretBytes
        switch derivation {
        case .pbkdf2(let iterations):
            try check(iterations)
            key = try PBKDF2(.sha256, iterations: iterations).derive(from: passphrase, salt: salt.span, count: 32)
        case .scrypt(let parameters): key = try parameters.derive(from: passphrase, salt: salt.span, count: 32)
        }
        let content = try UnauthenticatedAES.CBC(key: key).encrypt(secret.bytes, initializationVector: vector.span)
        var writer = DERWriter(capacity: content.count + 256)
        writer.append(.sequence) { writer in
            writer.append(.sequence) { writer in
                writer.append(pbes2)
                writer.append(.sequence) { writer in
                    derivation.append(salt, to: &writer)
                    writer.append(.sequence) { writer in
                        writer.append(aes256CBC)
                        writer.append(.octetString, vector.span)
                    }
                }
            }
            writer.append(.octetString, content.span)
        }
        return writer.array()
    }

    /// Reads the derivation's parameters and derives. Their cost is bounded: a file from elsewhere may ask for anything.
    private static func derive(
        _ reader: inout DERReader, _ passphrase: borrowing SecretBytes, _ count: Int
    ) throws(CryptographyError) -> SecretBytes {
        let function = try reader.takeIdentifier()
        var parameters = try reader.enter(.sequence)
        try reader.end()
        let salt = try parameters.take(.octetString)
        switch function {
        case pbkdf2:
            let iterations = try parameters.takeSmall()
            try checkLength(&parameters, count)
            let hash = try pseudorandomFunction(&parameters)
            try check(iterations)
            return try PBKDF2(hash, iterations: iterations).derive(from: passphrase, salt: salt, count: count)
        case scrypt:
            let (n, r, p) = (try parameters.takeSmall(), try parameters.takeSmall(), try parameters.takeSmall())
            try checkLength(&parameters, count)
            try parameters.end()
            return try Scrypt(cost: UInt64(n), blockSize: UInt64(r), parallelism: UInt64(p)).derive(
                from: passphrase, salt: salt, count: count)
        default: throw CryptographyError(.unsupported, "a passphrase derived by \(function)")
        }
    }

    private static func checkLength(_ parameters: inout DERReader, _ count: Int) throws(CryptographyError) {
        guard parameters.isNext(.integer) else { return }
        guard try parameters.takeSmall() == count else { throw DERReader.malformed }
    }

    private static func pseudorandomFunction(_ parameters: inout DERReader) throws(CryptographyError) -> HashFunction {
        guard !parameters.isAtEnd else { return .sha1 }
        var identifier = try parameters.enter(.sequence)
        try parameters.end()
        let name = try identifier.takeIdentifier()
        if identifier.isNext(.null) { _ = try identifier.take(.null) }
        try identifier.end()
        guard let function = functions.first(where: { $0.identifier == name })?.function else {
            throw CryptographyError(.unsupported, "PBKDF2 with \(name)")
        }
        return function
    }

    /// Ten million iterations take some seconds.
    private static func check(_ iterations: Int) throws(CryptographyError) {
        guard (1...10_000_000).contains(iterations) else {
            throw CryptographyError(.unsupported, "\(iterations) iterations of PBKDF2")
        }
    }

    static let pbes2 = DERObjectIdentifier(1, 2, 840, 113549, 1, 5, 13)
    static let pbkdf2 = DERObjectIdentifier(1, 2, 840, 113549, 1, 5, 12)
    static let scrypt = DERObjectIdentifier(1, 3, 6, 1, 4, 1, 11591, 4, 11)
    static let hmacSHA256 = DERObjectIdentifier(1, 2, 840, 113549, 2, 9)
    private static let aes256CBC = DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 1, 42)
    private static let ciphers = [
        (identifier: DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 1, 2), keyByteCount: 16),
        (identifier: DERObjectIdentifier(2, 16, 840, 1, 101, 3, 4, 1, 22), keyByteCount: 24),
        (identifier: aes256CBC, keyByteCount: 32),
    ]
    private static let functions: [(identifier: DERObjectIdentifier, function: HashFunction)] = [
        (DERObjectIdentifier(1, 2, 840, 113549, 2, 7), .sha1), (DERObjectIdentifier(1, 2, 840, 113549, 2, 8), .sha224),
        (hmacSHA256, .sha256), (DERObjectIdentifier(1, 2, 840, 113549, 2, 10), .sha384),
        (DERObjectIdentifier(1, 2, 840, 113549, 2, 11), .sha512),
    ]
}

extension PassphraseDerivation {
    fileprivate func append(_ salt: [UInt8], to writer: inout DERWriter) {
        writer.append(.sequence) { writer in
            switch self {
            case .pbkdf2(let iterations):
                writer.append(EncryptedPrivateKeyInfo.pbkdf2)
                writer.append(.sequence) { writer in
                    writer.append(.octetString, salt.span)
                    writer.appendSmall(UInt32(clamping: iterations))
                    writer.append(.sequence) { writer in
                        writer.append(EncryptedPrivateKeyInfo.hmacSHA256)
                        writer.appendNull()
                    }
                }
            case .scrypt(let parameters):
                writer.append(EncryptedPrivateKeyInfo.scrypt)
                writer.append(.sequence) { writer in
                    writer.append(.octetString, salt.span)
                    writer.appendSmall(UInt32(clamping: parameters.cost))
                    writer.appendSmall(UInt32(clamping: parameters.blockSize))
                    writer.appendSmall(UInt32(clamping: parameters.parallelism))
                }
            }
        }
    }
}
