package import Cryptography
import Testing

/// What every ``Signer`` must do.
package enum SignerSuite {
    package static func check(_ signer: some Signer) async throws {
        let info = try signer.subjectPublicKeyInfo
        let key = try KeyAlgorithm.verificationKey(subjectPublicKeyInfo: info.span)
        #expect(!signer.signatureAlgorithms.isEmpty)
        for algorithm in signer.signatureAlgorithms {
            for count in [0, 1, 64, 5000] {
                let message = try SystemRandom().bytes(count: count)
                let signature = try await sign(signer, message, algorithm)
                try expect(signature, key, message, algorithm)
                guard let function = algorithm.function else { continue }
                let digest = try function.hash(message)
                let other = try await signer.sign(digest: digest, using: algorithm)
                try expect(other, key, message, algorithm)
                #expect(try key.isValid(signature.span, forDigest: digest, using: algorithm))
            }
            try await refuse(signer, algorithm)
        }
        for algorithm in foreign(to: signer.signatureAlgorithms) {
            await #expect(throws: (any Error).self) { _ = try await sign(signer, [1, 2, 3], algorithm) }
        }
    }

    /// Right as it is; wrong with any part flipped, cut, extended or for another message.
    private static func expect(
        _ signature: [UInt8], _ key: any VerificationKey, _ message: [UInt8], _ algorithm: SignatureAlgorithm
    ) throws {
        #expect(try key.isValid(signature.span, for: message.span, using: algorithm))
        #expect(try !key.isValid(signature.span, for: (message + [0]).span, using: algorithm))
        var wrong = [Array(signature.dropLast()), signature + [0], []]
        for index in [0, signature.count / 2, signature.count - 1] {
            var damaged = signature
            damaged[index] ^= 1
            wrong.append(damaged)
        }
        for signature in wrong { #expect(try !key.isValid(signature.span, for: message.span, using: algorithm)) }
    }

    /// A digest of another length is refused, and any digest by an algorithm that takes none.
    private static func refuse(_ signer: some Signer, _ algorithm: SignatureAlgorithm) async throws {
        let digest = try HashFunction.sha224.hash([])
        await #expect(throws: (any Error).self) { _ = try await signer.sign(digest: digest, using: algorithm) }
    }

    private static func sign(
        _ signer: some Signer, _ message: [UInt8], _ algorithm: SignatureAlgorithm
    ) async throws -> [UInt8] {
        try await signer.sign(message.span, using: algorithm)
    }

    private static func foreign(to algorithms: [SignatureAlgorithm]) -> [SignatureAlgorithm] {
        [.ecdsaSHA256, .ed25519, .rsaPSSSHA256, .rsaPKCS1v15SHA512].filter { candidate in
            !algorithms.contains { $0.scheme == candidate.scheme }
        }
    }
}

/// What every ``Decryptor`` must do.
package enum DecryptorSuite {
    package static func check(
        _ decryptor: some Decryptor, encrypt: ([UInt8], EncryptionAlgorithm) throws -> [UInt8]
    ) async throws {
        let info = try decryptor.subjectPublicKeyInfo
        let kind = try KeyAlgorithm(subjectPublicKeyInfo: info.span)
        #expect(kind == .rsa || kind == .sm2)
        #expect(!decryptor.encryptionAlgorithms.isEmpty)
        for algorithm in decryptor.encryptionAlgorithms {
            for count in kind == .sm2 ? [1, 32, 1024] : [0, 1, 32] {
                let secret = try SystemRandom().bytes(count: count)
                let sealed = try encrypt(secret, algorithm)
                let opened = try await decrypt(decryptor, sealed, algorithm)
                #expect(opened == secret)
                for index in [0, sealed.count / 2, sealed.count - 1] {
                    var damaged = sealed
                    damaged[index] ^= 1
                    await refuse(decryptor, damaged, algorithm)
                }
                await refuse(decryptor, Array(sealed.dropLast()), algorithm)
                await refuse(decryptor, sealed + [0], algorithm)
                await refuse(decryptor, [], algorithm)
            }
        }
    }

    private static func refuse(
        _ decryptor: some Decryptor, _ sealed: [UInt8], _ algorithm: EncryptionAlgorithm
    ) async {
        await #expect(throws: (any Error).self) { _ = try await decrypt(decryptor, sealed, algorithm) }
    }

    private static func decrypt(
        _ decryptor: some Decryptor, _ sealed: [UInt8], _ algorithm: EncryptionAlgorithm
    ) async throws -> [UInt8] {
        try await decryptor.decrypt(sealed.span, using: algorithm).revealed
    }
}

/// What every ``KeyAgreement`` must do; the peer has a key of the same kind.
package enum KeyAgreementSuite {
    package static func check(_ key: some KeyAgreement, peer: some KeyAgreement) async throws {
        let (own, other) = (try key.subjectPublicKeyInfo, try peer.subjectPublicKeyInfo)
        let one = try await agree(key, other)
        let two = try await agree(peer, own)
        #expect(one == two && one.count >= 32)
        #expect(own != other)
        let foreign = try RSA.PublicKey(modulus: [UInt8](repeating: 0xFF, count: 256).span, exponent: [1, 0, 1].span)
        for wrong in [[], Array(other.dropLast()), other + [0], foreign.subjectPublicKeyInfo] {
            await #expect(throws: (any Error).self) { _ = try await agree(key, wrong) }
        }
    }

    private static func agree(_ key: some KeyAgreement, _ peer: [UInt8]) async throws -> [UInt8] {
        try await key.sharedSecret(withPublicKey: peer.span).revealed
    }
}

/// What every ``MessageAuthenticator`` must do.
package enum MessageAuthenticatorSuite {
    package static func check(_ key: some MessageAuthenticator) async throws {
        for count in [0, 1, 64, 5000] {
            let message = try SystemRandom().bytes(count: count)
            let tag = try await authenticate(key, message)
            #expect(tag.count == key.tagByteCount)
            #expect(try await authenticate(key, message) == tag)
            #expect(try await isValid(key, tag, message))
            #expect(try await !isValid(key, tag, message + [0]))
            #expect(try await !isValid(key, tag.dropLast(), message))
            #expect(try await !isValid(key, [], message))
            var damaged = tag
            damaged[tag.count / 2] ^= 1
            #expect(try await !isValid(key, damaged, message))
        }
    }

    private static func authenticate(_ key: some MessageAuthenticator, _ message: [UInt8]) async throws -> [UInt8] {
        try await key.authenticate(message.span).array
    }

    private static func isValid(
        _ key: some MessageAuthenticator, _ tag: [UInt8], _ message: [UInt8]
    ) async throws -> Bool {
        try await key.isValid(tag.span, for: message.span)
    }
}
