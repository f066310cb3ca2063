import Cryptography
import StrongroomTestSupport
import Testing

/// What every ``AuthenticatedCipher`` must do.
struct AuthenticatedCipherSuite<Cipher: AuthenticatedCipher> {
    static func check() throws {
        for keyCount in Cipher.keyByteCounts {
            let cipher = try Cipher(key: try .random(count: keyCount))
            for count in [0, 1, 15, 16, 17, 63, 64, 65, 255, 4096, 65537] {
                let plaintext = try SystemRandom().bytes(count: count)
                let data = try SystemRandom().bytes(count: count % 40)
                let sealed = try cipher.seal(plaintext, authenticating: data)
                #expect(sealed.count == count + Cipher.overhead)
                let opened = try cipher.open(sealed, authenticating: data)
                #expect(opened.revealed == plaintext)
                try refuse(cipher, sealed, data)
            }
            try separatesNonces(cipher)
        }
        for count in 0...65 where !Cipher.keyByteCounts.contains(count) {
            #expect(throws: CryptographyError(.invalidKey)) {
                _ = try Cipher(key: SecretBytes(copying: [UInt8](repeating: 7, count: count)))
            }
        }
    }

    /// Flips in every region, cuts at both ends and other data are refused alike.
    private static func refuse(_ cipher: Cipher, _ sealed: [UInt8], _ data: [UInt8]) throws {
        let refusal = CryptographyError(.authenticationFailure)
        for index in Set([0, 11, 12, sealed.count / 2, sealed.count - 16, sealed.count - 1]) {
            var damaged = sealed
            damaged[index] ^= 1 << UInt8(index % 8)
            #expect(throws: refusal) { _ = try cipher.open(damaged, authenticating: data) }
        }
        for cut in [1, 16, sealed.count] {
            #expect(throws: refusal) { _ = try cipher.open(Array(sealed.dropLast(cut)), authenticating: data) }
            #expect(throws: refusal) { _ = try cipher.open(Array(sealed.dropFirst(cut)), authenticating: data) }
        }
        #expect(throws: refusal) { _ = try cipher.open(sealed, authenticating: data + [0]) }
    }

    private static func separatesNonces(_ cipher: Cipher) throws {
        let nonces = try (0..<2000).map { _ in try cipher.seal([]).prefix(12) }
        #expect(Set(nonces).count == nonces.count)
    }
}

@Suite struct AuthenticatedCipherTests {
    @Test func `AES-GCM is an authenticated cipher`() throws { try AuthenticatedCipherSuite<AESGCM>.check() }

    @Test func `ChaCha20-Poly1305 is an authenticated cipher`() throws {
        try AuthenticatedCipherSuite<ChaCha20Poly1305>.check()
    }

    @Test func `a failed open zeroes the buffer`() throws {
        let cipher = try AESGCM(key: try .random(count: 32))
        let sealed = try cipher.seal([UInt8](repeating: 0xAA, count: 100))
        var plaintext = [UInt8](repeating: 0x55, count: 100)
        var tag = Array(sealed.suffix(16))
        tag[3] ^= 4
        #expect(throws: CryptographyError(.authenticationFailure)) {
            var buffer = plaintext.mutableSpan
            try cipher.open(
                sealed.span.extracting(12..<112), tag: tag.span, authenticating: Span(),
                nonce: sealed.span.extracting(..<12), plaintext: &buffer)
        }
        #expect(plaintext.allSatisfy { $0 == 0 })
    }

    @Test func `buffers of a wrong length are refused before anything is written`() throws {
        let cipher = try AESGCM(key: try .random(count: 16))
        var ciphertext = [UInt8](repeating: 1, count: 9)
        var tag = [UInt8](repeating: 1, count: 16)
        let nonce = [UInt8](repeating: 1, count: 12)
        #expect(throws: CryptographyError(.invalidLength)) {
            var out = ciphertext.mutableSpan
            var tagOut = tag.mutableSpan
            try cipher.seal(
                [1, 2].span, authenticating: Span(), uniqueNonce: nonce.span, ciphertext: &out, tag: &tagOut)
        }
        #expect(ciphertext.allSatisfy { $0 == 1 })
    }

    /// NIST's GCM test case 16 (McGrew and Viega), for a clone without vectors.
    @Test func `AES-256-GCM gives the published example`() throws {
        let key = Hexadecimal.decode("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308") ?? []
        let nonce = Hexadecimal.decode("cafebabefacedbaddecaf888") ?? []
        let data = Hexadecimal.decode("feedfacedeadbeeffeedfacedeadbeefabaddad2") ?? []
        let plaintext =
            Hexadecimal.decode(
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                    + "b16aedf5aa0de657ba637b39") ?? []
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count)
        var tag = [UInt8](repeating: 0, count: 16)
        do {
            var out = ciphertext.mutableSpan
            var tagOut = tag.mutableSpan
            try AESGCM(key: SecretBytes(copying: key)).seal(
                plaintext.span, authenticating: data.span, uniqueNonce: nonce.span, ciphertext: &out, tag: &tagOut)
        }
        #expect(Hexadecimal.encode(tag) == "76fc6ece0f4e1768cddf8853bb2d551b")
        #expect(Hexadecimal.encode(Array(ciphertext.prefix(16))) == "522dc1f099567d07f47f37a32a84427d")
    }

    @Test(.vectors("wycheproof/aes_gcm_test.json")) func `AES-GCM holds Wycheproof's vectors`() throws {
        try checkWycheproof("aes_gcm_test", AESGCM.self)
    }

    @Test(.vectors("wycheproof/chacha20_poly1305_test.json"))
    func `ChaCha20-Poly1305 holds Wycheproof's vectors`() throws {
        try checkWycheproof("chacha20_poly1305_test", ChaCha20Poly1305.self)
    }

    /// Nonces of other lengths are in the file too: they are refused by their length.
    private func checkWycheproof<Cipher: AuthenticatedCipher>(_ name: String, _: Cipher.Type) throws {
        for vector in try Wycheproof(name).cases {
            let cipher = try Cipher(key: SecretBytes(copying: vector.hex("key")))
            let (nonce, data, message) = (vector.hex("iv"), vector.hex("aad"), vector.hex("msg"))
            let (expected, expectedTag) = (vector.hex("ct"), vector.hex("tag"))
            var opened = [UInt8](repeating: 0, count: expected.count)
            let isOpened: Bool
            do {
                var out = opened.mutableSpan
                try cipher.open(
                    expected.span, tag: expectedTag.span, authenticating: data.span, nonce: nonce.span, plaintext: &out)
                isOpened = true
            } catch {
                isOpened = false
            }
            let isSupported = nonce.count == 12 && expectedTag.count == 16
            #expect(isOpened == (vector.isValid && isSupported), "case \(vector.id)")
            guard isOpened else { continue }
            #expect(opened == message, "case \(vector.id)")
            var ciphertext = [UInt8](repeating: 0, count: message.count)
            var tag = [UInt8](repeating: 0, count: 16)
            var out = ciphertext.mutableSpan
            var tagOut = tag.mutableSpan
            try cipher.seal(
                message.span, authenticating: data.span, uniqueNonce: nonce.span, ciphertext: &out, tag: &tagOut)
            #expect(ciphertext == expected && tag == expectedTag, "case \(vector.id)")
        }
    }
}
