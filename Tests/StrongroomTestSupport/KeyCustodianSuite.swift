package import Cryptography
import Testing

/// What every ``KeyCustodian`` must do.
package enum KeyCustodianSuite {
    /// - Parameter kinds: those that the custodian keeps.
    package static func check(
        _ custodian: some KeyCustodian, kinds: [CustodialKeyKind] = CustodialKeyKind.all.filter(\.isAvailable)
    ) async throws {
        let wrapping = try await custodian.makeKey(.wrapping)
        for kind in kinds {
            // RSA keys take long to make; the smallest shows what the others would.
            if case .rsaSigning(let bits) = kind, bits > 2048 { continue }
            if case .rsaDecryption(let bits) = kind, bits > 2048 { continue }
            let handle = try await custodian.makeKey(kind)
            #expect(try await custodian.kind(of: KeyHandle(handle.bytes)) == kind)
            try await use(custodian, handle, kind)
            try await refuseOtherUses(custodian, handle, kind)
            try await wrap(custodian, handle, kind, wrapping)
            try await destroy(custodian, handle, kind, wrapping)
        }
        for handle in [KeyHandle([]), KeyHandle([UInt8](repeating: 7, count: 16))] {
            await expectUnknown { _ = try await custodian.kind(of: handle) }
            await expectUnknown { try await custodian.destroy(handle) }
        }
    }

    private static func use(
        _ custodian: some KeyCustodian, _ handle: KeyHandle, _ kind: CustodialKeyKind
    ) async throws {
        switch kind {
        case .sealing:
            let sealer = try await custodian.sealer(handle)
            let sealed = try await seal(sealer, [1, 2, 3], [9])
            #expect(try await open(sealer, sealed, [9]) == [1, 2, 3])
            await #expect(throws: (any Error).self) { _ = try await open(sealer, sealed, [8]) }
            await #expect(throws: (any Error).self) { _ = try await open(sealer, Array(sealed.dropLast()), [9]) }
        case .wrapping: break
        case .authentication: try await MessageAuthenticatorSuite.check(try await custodian.authenticator(handle))
        case .ecdsa, .ed25519, .mlDSA, .sm2Signing, .rsaSigning:
            try await SignerSuite.check(try await custodian.signer(handle))
        case .rsaDecryption, .sm2Decryption:
            let decryptor = try await custodian.decryptor(handle)
            let info = try decryptor.subjectPublicKeyInfo
            let key = try KeyAlgorithm.encryptionKey(subjectPublicKeyInfo: info.span)
            try await DecryptorSuite.check(decryptor) { secret, algorithm throws(CryptographyError) in
                try key.encrypt(SecretBytes(copying: secret), using: algorithm)
            }
        case .ecdh, .x25519:
            let peer = try await custodian.makeKey(kind)
            try await KeyAgreementSuite.check(
                try await custodian.keyAgreement(handle), peer: try await custodian.keyAgreement(peer))
        }
    }

    private static func refuseOtherUses(
        _ custodian: some KeyCustodian, _ handle: KeyHandle, _ kind: CustodialKeyKind
    ) async throws {
        var served = 0
        do {
            _ = try await custodian.sealer(handle)
            served += 1
        } catch {}
        do {
            _ = try await custodian.authenticator(handle)
            served += 1
        } catch {}
        do {
            _ = try await custodian.signer(handle)
            served += 1
        } catch {}
        do {
            _ = try await custodian.decryptor(handle)
            served += 1
        } catch {}
        do {
            _ = try await custodian.keyAgreement(handle)
            served += 1
        } catch {}
        do {
            _ = try await custodian.wrap(handle, under: handle)
            served += 1
        } catch {}
        #expect(served == 1, "\(kind)")
    }

    private static func wrap(
        _ custodian: some KeyCustodian, _ handle: KeyHandle, _ kind: CustodialKeyKind, _ wrapping: KeyHandle
    ) async throws {
        let wrapped = try await custodian.wrap(handle, under: wrapping)
        let again = try await unwrap(custodian, wrapped, kind, wrapping)
        #expect(again != handle)
        let rewrapped = try await custodian.wrap(again, under: wrapping)
        #expect(rewrapped == wrapped, "\(kind)")
        var damaged = wrapped
        damaged[wrapped.count / 2] ^= 1
        let other: CustodialKeyKind = kind == .ed25519 ? .x25519 : .ed25519
        for (bytes, kind) in [(damaged, kind), ([], kind), (Array(wrapped.dropLast(8)), kind), (wrapped, other)] {
            await #expect(throws: (any Error).self) { _ = try await unwrap(custodian, bytes, kind, wrapping) }
        }
        try await custodian.destroy(again)
    }

    /// After that, neither the handle nor a key that was fetched before does anything.
    private static func destroy(
        _ custodian: some KeyCustodian, _ handle: KeyHandle, _ kind: CustodialKeyKind, _ wrapping: KeyHandle
    ) async throws {
        let signer = try? await custodian.signer(handle)
        let sealer = try? await custodian.sealer(handle)
        try await custodian.destroy(handle)
        await expectUnknown { _ = try await custodian.kind(of: handle) }
        await expectUnknown { _ = try await custodian.wrap(handle, under: wrapping) }
        await expectUnknown { try await custodian.destroy(handle) }
        if let signer, let algorithm = signer.signatureAlgorithms.first {
            await expectUnknown { _ = try await sign(signer, algorithm) }
        }
        if let sealer { await expectUnknown { _ = try await seal(sealer, [1], []) } }
    }

    private static func expectUnknown(_ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("a key that is not there was used")
        } catch let error as CryptographyError {
            #expect(error.code == .unknownKey)
        } catch { Issue.record(error) }
    }

    private static func seal(_ sealer: any Sealer, _ plaintext: [UInt8], _ data: [UInt8]) async throws -> [UInt8] {
        try await sealer.seal(plaintext.span, authenticating: data.span)
    }

    private static func open(_ sealer: any Sealer, _ sealed: [UInt8], _ data: [UInt8]) async throws -> [UInt8] {
        try await sealer.open(sealed.span, authenticating: data.span).revealed
    }

    private static func sign(_ signer: any Signer, _ algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        let message: [UInt8] = [1, 2, 3]
        return try await signer.sign(message.span, using: algorithm)
    }

    private static func unwrap(
        _ custodian: some KeyCustodian, _ wrapped: [UInt8], _ kind: CustodialKeyKind, _ wrapping: KeyHandle
    ) async throws -> KeyHandle {
        try await custodian.unwrap(wrapped.span, as: kind, under: wrapping)
    }
}
