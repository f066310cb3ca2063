import StrongroomPropertyTesting
import Testing

@testable import HSMEmulation

/// No sequence of calls yields a sensitive key's bytes: the attacks of J. Clulow ("On the Security of PKCS #11", CHES 2003)
/// one by one, and whatever chance finds beside them.
@Suite struct AttackTests {
    let test: TestPartition

    init() throws { test = try TestPartition() }

    @Test func `a key that never leaves does not leave`() throws {
        let session = try test.session()
        let wrapping = try session.generateKey(.aesKeyWrap())
        for key in [try session.generateKey(.aes()).handle, try session.generateKey(.ecdsa(.p256)).handle] {
            #expect(throws: HSMError(.keyUnextractable)) { _ = try session.wrap(key, under: wrapping) }
            #expect(throws: HSMError(.attributeSensitive)) { _ = try session.value(of: key).count }
        }
    }

    @Test func `a wrapping key that somebody may know wraps nothing sensitive`() throws {
        let session = try test.session()
        let precious = try session.generateKey(.aes(), isExtractable: true).handle
        // A key that was made outside, and came in over RSA.
        let door = try session.generateKey(.rsaUnwrapping(bits: 2048))
        let known = try SecretBytes.random(count: 32)
        let parcel = try RSA.PublicKey(subjectPublicKeyInfo: door.subjectPublicKeyInfo)
            .encrypt(known, using: .rsaOAEPSHA256)
        let unwrapped = try session.unwrap(
            parcel.span, under: door, .rsaOAEP(.sha256), as: KeyAttributes(.aes(bits: 256), uses: [.wrap, .unwrap]))
        let outside = try session.key(unwrapped, for: .wrapping)
        #expect(throws: HSMError(.keyNotWrappable)) { _ = try session.wrap(precious, under: outside) }
        // A key whose value could be read, and then no longer.
        let readable = try session.generateKey(
            KeyAttributes(.aes(bits: 256), uses: [.wrap, .unwrap], isSensitive: false, isExtractable: true))
        #expect(try session.value(of: readable).count == 32)
        try session.changeAttributes(of: readable) { $0.isSensitive = true }
        #expect(throws: HSMError(.keyNotWrappable)) {
            _ = try session.wrap(precious, under: session.key(readable, for: .wrapping))
        }
        // An administrator may decide otherwise, and take it back.
        let admin = try test.administrator()
        try admin.setTrusted(true, unwrapped)
        let wrapped = try session.wrap(precious, under: outside)
        #expect(try AESKeyWrap(.padded, key: known).unwrap(wrapped.span).count == 32)
        try admin.setTrusted(false, unwrapped)
        #expect(throws: HSMError(.keyNotWrappable)) { _ = try session.wrap(precious, under: outside) }
    }

    @Test func `an unwrapped key cannot be read, and its rights do not grow by the journey`() throws {
        let session = try test.session()
        let precious = try session.generateKey(.aes(), isExtractable: true).handle
        let wrapping = try session.generateKey(.aesKeyWrap())
        let wrapped = try session.wrap(precious, under: wrapping)
        #expect(throws: HSMError(.templateInconsistent)) {
            _ = try session.unwrap(
                wrapped.span, under: wrapping,
                as: KeyAttributes(.aes(bits: 256), uses: [.encrypt, .decrypt], isSensitive: false))
        }
        let again = try session.unwrap(
            wrapped.span, under: wrapping,
            as: KeyAttributes(.aes(bits: 256), uses: [.wrap, .unwrap], isExtractable: true))
        let attributes = try session.attributes(of: again)
        #expect(!attributes.isLocal && !attributes.wasAlwaysSensitive && !attributes.mayWrapSensitiveKeys)
        // Not as a key of another type or length, either.
        for type in [KeyType.aes(bits: 128), .hmac(.sha1), .ed25519, .rsa(bits: 2048)] {
            #expect(throws: HSMError(.templateInconsistent)) {
                _ = try session.unwrap(
                    wrapped.span, under: wrapping, as: KeyAttributes(type, uses: type.possibleUses.firstUse))
            }
        }
    }

    @Test(arguments: 0..<24) func `no sequence of calls yields a sensitive key's bytes`(_ seed: UInt64) throws {
        var attacker = try Attacker(test.session(), seed: seed)
        for _ in 0..<200 { attacker.act() }
        #expect(attacker.knownSecrets == 0, "seed \(seed)")
        #expect(attacker.outputs > 10, "seed \(seed)")
    }
}

/// Somebody with a crypto user's password who makes calls by chance, keeps every byte they get, and opens what can be
/// opened with that.
private struct Attacker {
    private let session: HSMSession
    private var random: SeededGenerator
    private var known: Set<[UInt8]> = []
    private var blobs: Set<[UInt8]> = []
    /// Keys that have been sensitive all their lives, with their bytes, as only a test can see them.
    private var secrets: [[UInt8]] = []

    init(_ session: HSMSession, seed: UInt64) throws {
        self.session = session
        random = SeededGenerator(seed: seed)
        for type in [KeyType.aes(bits: 256), .hmac(.sha256), .ellipticCurve(.p256)] {
            try plant(KeyAttributes(type, uses: type.possibleUses.firstUse, isExtractable: true))
        }
    }

    var outputs: Int { known.count + blobs.count }
    var knownSecrets: Int { secrets.count { known.contains($0) } }

    private mutating func plant(_ attributes: KeyAttributes) throws {
        let handle = try session.generateKey(attributes)
        guard attributes.isSensitive else { return }
        let object = try session.object(handle)
        secrets.append(try object.encoded(session.partition.cipher).withBytes { $0.array })
    }

    /// One call, whatever it answers.
    mutating func act() {
        do {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: try plant(attributes())
            case 1, 2: try wrap()
            case 3, 4: try unwrap()
            case 5: learn(try session.value(of: key { !$0.isSensitive }).withBytes { $0.array })
            case 6: try seal()
            case 7: try open()
            case 8: try change()
            default: try sign()
            }
        } catch {}
        openEverything()
    }

    /// Some key of which something is true.
    private mutating func key(_ isWanted: (KeyAttributes) -> Bool) throws -> KeyHandle {
        let fitting = try session.keys().filter { isWanted(try session.attributes(of: $0)) }
        guard let handle = fitting.randomElement(using: &random) else { throw HSMError(.objectHandleInvalid) }
        return handle
    }

    private mutating func attributes() -> KeyAttributes {
        let types: [KeyType] = [
            .aes(bits: 256), .aes(bits: 256), .aes(bits: 128), .hmac(.sha256), .ellipticCurve(.p256),
        ]
        let type = types.randomElement(using: &random) ?? .aes(bits: 256)
        let uses: [KeyUses] = [
            [.wrap, .unwrap], [.encrypt, .decrypt], [.wrap, .decrypt], [.unwrap, .encrypt], [.sign, .verify], .sign,
            .derive,
        ]
        return KeyAttributes(
            type, uses: uses.filter { $0.isSubset(of: type.possibleUses) }.randomElement(using: &random) ?? .sign,
            isPersistent: .random(using: &random), isSensitive: Int.random(in: 0..<3, using: &random) > 0,
            isExtractable: .random(using: &random))
    }

    private mutating func change() throws {
        let template = attributes()
        let uses = template.uses
        try session.changeAttributes(of: key { $0.isExtractable || !$0.isSensitive }) { attributes in
            if attributes.uses != uses { attributes.uses = attributes.uses.intersection([.wrap, .decrypt, .sign]) }
            attributes.isSensitive = template.isSensitive
            attributes.isExtractable = template.isExtractable
        }
    }

    private mutating func wrap() throws {
        let form: WrappingMechanism = .random(using: &random) ? .aesKeyWrap : .aesKeyWrapPadded
        let wrapping = try session.key(key { $0.uses.contains(.wrap) }, for: .wrapping)
        blobs.insert(try session.wrap(key { $0.isExtractable }, under: wrapping, form))
    }

    private mutating func unwrap() throws {
        guard let blob = blobs.randomElement(using: &random) else { return }
        let form: WrappingMechanism = .random(using: &random) ? .aesKeyWrap : .aesKeyWrapPadded
        let wrapping = try session.key(key { $0.uses.contains(.unwrap) }, for: .wrapping)
        var template = attributes()
        if .random(using: &random) { template.isSensitive = true }
        _ = try session.unwrap(blob.span, under: wrapping, form, as: template)
    }

    private mutating func seal() throws {
        let bytes = known.union(blobs).randomElement(using: &random) ?? [1, 2, 3]
        blobs.insert(try session.key(key { $0.uses.contains(.encrypt) }, for: .sealing).seal(bytes.span))
    }

    private mutating func open() throws {
        guard let bytes = blobs.randomElement(using: &random) else { return }
        let key = try session.key(key { $0.uses.contains(.decrypt) }, for: .sealing)
        learn(try key.open(bytes.span).withBytes { $0.array })
    }

    private mutating func sign() throws {
        let bytes = known.union(blobs).randomElement(using: &random) ?? [1, 2, 3]
        let handle = try key { $0.uses.contains(.sign) }
        if try session.attributes(of: handle).type.isPrivate {
            blobs.insert(try session.key(handle, for: .signing).sign(bytes.span, using: .ecdsaSHA256))
        } else {
            learn(try session.key(handle, for: .authentication).authenticate(bytes.span).array)
        }
    }

    private mutating func learn(_ bytes: [UInt8]) { known.insert(bytes) }

    /// All that follows from what is known.
    private mutating func openEverything() {
        for key in known where key.count == 16 || key.count == 32 {
            let secret = SecretBytes(copying: key)
            for blob in blobs {
                for form in AESKeyWrap.Form.allCases {
                    if let found = try? AESKeyWrap(form, key: secret).unwrap(blob.span) {
                        known.insert(found.withBytes { $0.array })
                    }
                }
                if let found = try? AESGCM(key: secret).open(blob.span) { known.insert(found.withBytes { $0.array }) }
            }
        }
    }
}

extension KeyUses {
    /// Some single use, or the two that go together.
    fileprivate var firstUse: KeyUses {
        isSuperset(of: [.encrypt, .decrypt]) ? [.encrypt, .decrypt] : KeyUses(rawValue: rawValue & -rawValue)
    }
}

extension UInt16 {
    fileprivate static prefix func - (value: UInt16) -> UInt16 { ~value &+ 1 }
}
