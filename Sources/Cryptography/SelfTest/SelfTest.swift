/// Known answers: whether what the linked OpenSSL calculates is right (FIPS 140-3, 7.10: pre-operational and conditional self-tests; ISO/IEC
/// 19790:2012, 7.10), for the algorithms that it names.
///
/// Whoever wants it asks for it; a service of approved algorithms does. It is run once in a process. What it finds stays: a library that was wrong once is not used again.
public enum SelfTest {
    /// Runs the tests, or repeats what they found.
    ///
    /// - Throws: `internalFailure` with the name of what was wrong.
    public static func run() throws(CryptographyError) { try outcome.get() }

    private static let outcome: Result<Void, CryptographyError> = perform(tests)

    /// A calculation with what must come of it.
    struct KnownAnswer: Sendable {
        let name: String
        let expected: String
        let calculate: @Sendable () throws -> [UInt8]
    }

    static func perform(_ tests: [KnownAnswer]) -> Result<Void, CryptographyError> {
        for test in tests {
            do {
                if Hexadecimal.encode(try test.calculate()) == test.expected { continue }
            } catch let error as CryptographyError where error.code == .unsupported {
                // What the provider has not, nobody calculates with.
                continue
            } catch {}
            return .failure(CryptographyError(.internalFailure, "the self-test of \(test.name) has failed"))
        }
        return .success(())
    }

    /// Sources: FIPS 180-4 examples; RFC 4231, 4.3; GCM specification (McGrew and Viega), test case 14; RFC 3394, 4.6; RFC 6979,
    /// A.2.5. The derivation was calculated by Python's hmac, the signature of RSA made by openssl,
    /// that of Ed25519 by PyPI cryptography.
    static let tests: [KnownAnswer] = always + (MLDSA.isAvailable ? [latticeSignature] : [])

    /// That a seed gives its public key, as PyPI cryptography has it.
    private static let latticeSignature = KnownAnswer(
        name: "ML-DSA-65", expected: "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"
    ) {
        let key = try MLDSA.PrivateKey(.mldsa65, seed: SecretBytes(copying: (0..<32).map { UInt8($0) }))
        return try HashFunction.sha256.hash(key.publicKey.bytes).array
    }

    private static let always: [KnownAnswer] = [
        KnownAnswer(
            name: "SHA-256", expected: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ) { try HashFunction.sha256.hash(Array("abc".utf8)).array },
        KnownAnswer(
            name: "SHA-384",
            expected: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
                + "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
        ) { try HashFunction.sha384.hash(Array("abc".utf8)).array },
        KnownAnswer(
            name: "SHA-512",
            expected: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ) { try HashFunction.sha512.hash(Array("abc".utf8)).array },
        KnownAnswer(
            name: "HMAC-SHA-256", expected: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ) {
            let key = SecretBytes(copying: Array("Jefe".utf8))
            return try HMAC(.sha256, key: key).authenticate(Array("what do ya want for nothing?".utf8).span).array
        },
        KnownAnswer(
            name: "AES-256-GCM", expected: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ) {
            let (key, nonce, plaintext) = (zeros(32), zeros(12), zeros(16))
            var sealed = zeros(32)
            var span = sealed.mutableSpan
            try OneTimeAESGCM.seal(
                plaintext.span, key: key.span, nonce: nonce.span, authenticating: Span(), into: &span)
            let opened = try OneTimeAESGCM.open(
                sealed.span, key: key.span, nonce: nonce.span, authenticating: Span())
            return opened.bytes.isEqualInConstantTime(to: plaintext.span) ? sealed : []
        },
        KnownAnswer(
            name: "AES-256 key wrapping",
            expected: "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
        ) {
            let wrap = try AESKeyWrap(.plain, key: SecretBytes(copying: (0..<32).map { UInt8($0) }))
            let key = (0..<16).map { UInt8($0 * 17) } + (0..<16).map { UInt8($0) }
            return try wrap.wrap(SecretBytes(copying: key))
        },
        KnownAnswer(
            name: "the counter-mode derivation",
            expected: "c5115a8e2c9cf655fabbfecbe725e440a9838838f5b46130c654f368f780edd650d532c0fdeb6a35"
        ) {
            let key = SecretBytes(copying: (0..<32).map { UInt8($0) })
            let (label, context) = (Array("label".utf8), Array("context".utf8))
            let derived = try CounterKDF(.sha256, key: key)
                .derive(label: label.span, context: context.span, count: 40)
            return derived.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        },
        KnownAnswer(name: "ECDSA on P-256", expected: "01") {
            let key = try ECDSA.PublicKey(.p256, point: [4] + bytes(point))
            let signature = try ECDSA.der(fixedLength: bytes(ecdsa).span, .p256)
            return [try key.isValid(signature, for: HashFunction.sha256.hash(Array("sample".utf8))) ? 1 : 0]
        },
        KnownAnswer(
            name: "Ed25519",
            expected: "e8003643e42bff59c29e6ded3f3faa0f6e4f12f056b9137a851ae6a64536296c"
                + "26a0d5571d06187a59b7bd886d2a564274a84f3288af36a50c114329548ed506"
        ) {
            let key = try Ed25519.PrivateKey(seed: SecretBytes(copying: (0..<32).map { UInt8($0) }))
            let message = Array("strongroom self-test".utf8)
            return try key.sign(message.span)
        },
        KnownAnswer(name: "RSA", expected: "01") {
            let (modulus, exponent, signature) = (bytes(rsaModulus), [UInt8]([1, 0, 1]), bytes(rsaSignature))
            let key = try RSA.PublicKey(modulus: modulus.span, exponent: exponent.span)
            let message = Array("strongroom self-test".utf8)
            return [try key.isValid(signature.span, for: message.span, using: .rsaPKCS1v15SHA256) ? 1 : 0]
        },
        KnownAnswer(name: "random bytes", expected: "01") {
            let (first, second) = (try SystemRandom().bytes(count: 32), try SystemRandom().bytes(count: 32))
            return [first != second && first != zeros(32) ? 1 : 0]
        },
    ]

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    private static func bytes(_ text: String) -> [UInt8] { Hexadecimal.decode(text) ?? [] }

    private static let point =
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        + "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    private static let ecdsa =
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        + "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    private static let rsaModulus =
        "c3898fef660baf226560141678f793de602e1c8898e9f3268a20bd2b8daba8dc1d39ad7aa147f018612966bbaff884b4"
        + "ea0637792b59ab3f4ffb03aa4f6e9043f6cd5a8e3e0bc608f3b8435eef62ecdc48c45249f2f7be9dced4bc8c6bdeb8ee"
        + "014ec69653239b402bbfb96508f997dca149aa311f6cd9b402c2e2a4fd8c06e9549296978e89c3361d3943112e23f6f9"
        + "0fb725e89079b90b6ff8cdfa6581196f6b7eb9b2b3feef29bb4f24a960e5386cba82b92514328c10f0788241e5e9019a"
        + "408331426203401d23ae98cfa711850b425850690f79ac2ff21b9321f76c698372b9451c27e7ce993b0edb52cc778ad9"
        + "697a15157cda5d98c27747de3e5ed475"
    private static let rsaSignature =
        "47140d6475802a2cb51b875aeb76d1f5e587375c93f5fdf439da13081c527e28b3c2ec6f8b9c896e7a7134b68b352a74"
        + "e1816ed0c7ac1969051174676f5cb1f251b3af82d5728597baf1b1a32bb94bb89a51b566a19b1a5fe614cd4066344965"
        + "ef875591b6fd0ddc09d1220c185f31a15679c928060598b5d314eef0d7247fe4f3026ee649bd532ef34a181189c412c1"
        + "3fc8b648a7b570a1ee1278095e2c9d1ebcd8f51a4f5fbfddaf3f6ad49b546cb25b21b3be9a19e05c91808c2a99502a0b"
        + "15c6882a76700182250fd941212d560e9a6155f822c3da476d1b2fde54bf0dee994cd4baadd6bd6dabdc94d23ab5bbae"
        + "9d10cc8fe33fc534c9edbfa569aa12df"
}
