import HSMEmulation
import KeyManagement
import StrongroomTestSupport
import Testing

@Suite struct HSMTests {
    let test: TestPartition

    init() throws { test = try TestPartition() }

    @Test func `a key signs, is found by its label, and outlives everybody`() async throws {
        let message: [UInt8] = [1, 2, 3]
        let handle: KeyHandle
        let publicKey: [UInt8]
        do {
            let session = try test.session()
            let key = try session.generateKey(.ecdsa(.p256), label: "issuing-ca", id: [7])
            handle = key.handle
            publicKey = key.subjectPublicKeyInfo
            try await SignerSuite.check(key)
        }
        let again = try test.elsewhere().session()
        #expect(try again.find(label: "issuing-ca") == [handle])
        let key = try again.key("issuing-ca", for: .signing)
        #expect(key.subjectPublicKeyInfo == publicKey)
        let signature = try key.sign(message.span, using: .ecdsaSHA256)
        let verifier = try ECDSA.PublicKey(subjectPublicKeyInfo: publicKey)
        #expect(try verifier.isValid(signature.span, for: message.span, using: .ecdsaSHA256))
        let attributes = try key.attributes
        #expect(attributes.id == [7] && attributes.owner == "alice" && attributes.isLocal && attributes.isSensitive)
        #expect(attributes.wasNeverExtractable && !attributes.isExtractable)
    }

    @Test func `a partition is a custodian`() async throws {
        let custodian = HSMCustodian(try test.session())
        let others = MLDSA.ParameterSet.allCases.map { CustodialKeyKind.mlDSA($0) } + [.sm2Signing, .sm2Decryption]
        try await KeyCustodianSuite.check(custodian, kinds: CustodialKeyKind.all.filter { !others.contains($0) })
        for kind in others {
            #expect(throws: CryptographyError(.unsupported)) { _ = try custodian.makeKey(kind) }
        }
    }

    @Test func `keys of each kind do what they are for`() async throws {
        let session = try test.session()
        try await SignerSuite.check(try session.generateKey(.ed25519))
        try await SignerSuite.check(try session.generateKey(.rsa(bits: 2048)))
        try await MessageAuthenticatorSuite.check(try session.generateKey(.hmac(.sha384)))
        try await KeyAgreementSuite.check(
            try session.generateKey(.ecdh(.p384)), peer: try session.generateKey(.ecdh(.p384)))
        for bits in [128, 192, 256] {
            let key = try session.generateKey(.aes(bits: bits), isPersistent: false)
            let (message, data): ([UInt8], [UInt8]) = ([1, 2, 3], [4])
            let sealed = try key.seal(message.span, authenticating: data.span)
            #expect(try key.open(sealed.span, authenticating: data.span).withBytes { $0.array } == message)
            #expect(throws: CryptographyError(.authenticationFailure)) {
                _ = try key.open(sealed.span).count
            }
        }
        #expect(throws: HSMError(.mechanismInvalid)) { try session.generateKey(.aes(bits: 100)) }
        #expect(throws: HSMError(.mechanismInvalid)) { try session.generateKey(.rsa(bits: 1024)) }
    }

    @Test func `uses and attributes that contradict each other are refused`() throws {
        let session = try test.session()
        let refused: [KeyAttributes] = [
            KeyAttributes(.aes(bits: 256), uses: []), KeyAttributes(.aes(bits: 256), uses: .sign),
            KeyAttributes(.aes(bits: 256), uses: [.wrap, .decrypt]),
            KeyAttributes(.aes(bits: 256), uses: [.unwrap, .encrypt]),
            KeyAttributes(.rsa(bits: 2048), uses: [.decrypt, .unwrap]), KeyAttributes(.ed25519, uses: .derive),
            KeyAttributes(.ed25519, uses: .sign, isSensitive: false),
            KeyAttributes(.ed25519, label: String(repeating: "x", count: 1025), uses: .sign),
        ]
        for attributes in refused {
            #expect(throws: HSMError(.templateInconsistent)) { _ = try session.generateKey(attributes) }
        }
    }

    @Test func `rights are taken away and never added to`() throws {
        let session = try test.session()
        let handle = try session.generateKey(
            KeyAttributes(.aes(bits: 256), label: "a", uses: [.encrypt, .decrypt], isExtractable: true))
        try session.changeAttributes(of: handle) { attributes in
            attributes.label = "b"
            attributes.uses = .decrypt
            attributes.isExtractable = false
        }
        #expect(try session.find(label: "a").isEmpty && session.find(label: "b") == [handle])
        let key = try session.key("b", for: .sealing)
        let message: [UInt8] = [1]
        #expect(throws: CryptographyError(.unsupported)) { _ = try key.seal(message.span) }
        let additions: [(inout KeyAttributes) -> Void] = [
            { $0.uses = [.encrypt, .decrypt] }, { $0.isExtractable = true }, { $0.isSensitive = false },
            { $0.isPersistent = false },
        ]
        for addition in additions {
            #expect(throws: HSMError(.attributeReadOnly)) { try session.changeAttributes(of: handle, by: addition) }
        }
        let attributes = try session.attributes(of: handle)
        #expect(attributes.uses == .decrypt && !attributes.isExtractable && !attributes.wasNeverExtractable)
    }

    @Test func `a key is its owner's, and others' as far as it is shared`() throws {
        let (alice, bob) = (try test.session("alice"), try test.session("bob"))
        let handle = try alice.generateKey(.ed25519, label: "shared", isExtractable: true).handle
        let gone = HSMError(.objectHandleInvalid)
        #expect(try bob.find(label: "shared").isEmpty && bob.keys().isEmpty)
        #expect(throws: gone) { _ = try bob.key(handle, for: .signing) }
        try alice.share(handle, with: "bob")
        let message: [UInt8] = [1]
        let key = try bob.key("shared", for: .signing)
        _ = try key.sign(message.span, using: .ed25519)
        let wrapping = try bob.generateKey(.aesKeyWrap())
        #expect(throws: gone) { _ = try bob.wrap(handle, under: wrapping) }
        #expect(throws: gone) { try bob.destroy(handle) }
        #expect(throws: gone) { try bob.share(handle, with: "bob") }
        #expect(throws: gone) { try bob.changeAttributes(of: handle) { $0.label = "mine" } }
        #expect(throws: HSMError(.userNotFound)) { try alice.share(handle, with: "carol") }
        try alice.unshare(handle, with: "bob")
        #expect(throws: CryptographyError(.unknownKey)) { _ = try key.sign(message.span, using: .ed25519) }
    }

    @Test func `a session ends with its keys, and with its user`() throws {
        let message: [UInt8] = [1]
        let session = try test.session("bob")
        let kept = try session.generateKey(.ed25519, label: "kept")
        let passing = try session.generateKey(.ed25519, label: "passing", isPersistent: false)
        _ = try passing.sign(message.span, using: .ed25519)
        let other = try test.session("bob")
        #expect(try other.keys().count == 2)
        session.logOut()
        // That is not said of a key that is gone: whoever destroys keys must not take the one for the other.
        for key in [kept, passing] {
            #expect(throws: CryptographyError(.internalFailure)) { _ = try key.sign(message.span, using: .ed25519) }
        }
        #expect(try other.keys() == [kept.handle])
        let admin = try test.administrator()
        #expect(throws: HSMError(.userNotRemovable)) { try admin.deleteUser("bob") }
        try other.destroy(kept.handle)
        try admin.deleteUser("bob")
        #expect(throws: HSMError(.sessionClosed)) { _ = try other.keys() }
        #expect(throws: HSMError(.pinIncorrect)) { _ = try test.session("bob") }
        #expect(throws: HSMError(.userNotRemovable)) { try admin.deleteUser("admin") }
    }

    @Test func `a key service has its root, and so every key, in the HSM`() async throws {
        let session = try test.session()
        let handle = try session.generateKey(.aes(), label: "kms-root").handle
        let state = MemoryRecordStore()
        let root = CustodianRoot(HSMCustodian(session), key: handle)
        let service = try await KeyManagementService(store: state, rootOfTrust: root)
        let client = service.client(for: .root(account: "111122223333"))
        let orders = try await client.createKey(.symmetric, alias: "alias/orders")
        let sealed = try await client.encrypt([1, 2], under: orders)
        let again = try await KeyManagementService(
            store: state, rootOfTrust: CustodianRoot(HSMCustodian(try test.elsewhere().session()), key: handle))
        let opened = try await again.client(for: .root(account: "111122223333")).decrypt(sealed).revealed
        #expect(opened == [1, 2])
        try session.destroy(handle)
        await #expect(throws: KeyManagementError(.wrongRootOfTrust)) {
            _ = try await KeyManagementService(store: state, rootOfTrust: root)
        }
    }

    @Test func `the audit trail tells of each signature and each change`() throws {
        let session = try test.session()
        let key = try session.generateKey(.ecdsa(.p256), label: "audited")
        let message: [UInt8] = [1]
        for _ in 0..<5 { _ = try key.sign(message.span, using: .ecdsaSHA256) }
        #expect(throws: HSMError(.keyUnextractable)) {
            _ = try session.wrap(key.handle, under: session.generateKey(.aesKeyWrap()))
        }
        try session.destroy(key.handle)
        let admin = try test.administrator()
        let events = try admin.auditEvents()
        func count(_ name: String) -> Int { events.count { $0.contains("\"eventName\":\"\(name)\"") } }
        #expect(count("Sign") == 5 && count("GenerateKeyPair") == 1 && count("DestroyObject") == 1)
        #expect(count("CreateUser") == 2 && count("Login") >= 2)
        #expect(events.allSatisfy { !$0.contains("correct horse") })
        let verification = try admin.verifyAuditTrail()
        #expect(verification.isSound && verification.events == UInt64(events.count))
    }
}
