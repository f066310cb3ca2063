import AtRest
import Foundation
import Glibc
import KeyManagement
import StrongroomTestSupport
import Testing

/// Where key bytes are after use: in no writable memory of the process, and in no core dump.
@Suite struct MemoryTests {
    /// Everything that takes a secret is given the same one.
    private static func use(_ held: HeldSecret) async throws {
        try held.usePrimitives()
        let message = [UInt8](repeating: 1, count: 4000)
        let envelope = Envelope(keyring: try held.keyring)
        _ = try await envelope.decrypt(envelope.encrypt(message)).plaintext.count
        let service = try await KeyManagementService(store: MemoryRecordStore(), rootOfTrust: held.root)
        let client = service.client(for: .root(account: "111122223333"))
        let managed = try await client.createKey(.symmetric)
        let sealed = try await client.encrypt(message, under: managed)
        #expect(try await client.decrypt(sealed).revealed == message)
    }

    @Test(.enabled(if: !ProcessMemory.isInstrumented, "a sanitizer is here"))
    func `after use a key is nowhere in writable memory outside the slab`() async throws {
        await #expect(processExitsWith: .success) {
            do {
                ProcessMemory.open()
                let found = try await MemoryTests.search()
                #expect(found.whilePlanted > 0, "the search finds what is there")
                #expect(found.afterwards == 0)
                #expect(found.inTheSlab == 1)
            } catch { Issue.record("\(error)") }
        }
    }

    /// A secret that everything has used.
    private static func used(noting path: String) async throws -> HeldSecret {
        let held = HeldSecret(try .random(count: 32))
        try await use(held)
        try Data(held.masked).write(to: URL(fileURLWithPath: path))
        return held
    }

    /// In how many places a key was found: while an array had it, after its use, and with the slab that still has it.
    private static func search() async throws -> (whilePlanted: Int, afterwards: Int, inTheSlab: Int) {
        let held = HeldSecret(try .random(count: 32))
        let mask = held.masked
        let slab = held.address
        var planted = mask.map { $0 ^ 0xA5 }
        let first = try ProcessMemory.places(masked: mask, outside: slab)
        for index in planted.indices { planted[index] = 0 }
        try await use(held)
        return try withExtendedLifetime(held) {
            (
                first, try ProcessMemory.places(masked: mask, outside: slab),
                try ProcessMemory.places(masked: mask, outside: 0)
            )
        }
    }

    @Test(.enabled(if: ProcessMemory.dumpsCore, "core dumps go to a program here"))
    func `a core dump has no live secret`() throws {
        let folder = try TemporaryFolder()
        // Not an exit test: those dump no core.
        let result = try Subprocess.run(
            ProcessMemory.executable, ["--testing-library", "swift-testing", "--filter", "MemoryTests/crash"],
            environment: [MemoryTests.crashFolder: folder.url.path], folder: folder.url)
        #expect(result.status == SIGABRT, "\(result.text)")
        let mask = Array(try Data(contentsOf: folder.url.appendingPathComponent("mask")))
        let name = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).first { $0.hasPrefix("core") }
        let core = try Data(contentsOf: folder.url.appendingPathComponent(try #require(name)), options: .alwaysMapped)
        #expect(core.count > 1 << 20)
        #expect(unsafe core.withUnsafeBytes { unsafe ProcessMemory.count(mask, in: $0) } == 0)
    }

    private static let crashFolder = "STRONGROOM_CRASH_FOLDER"

    /// Leaves a core dump. Run by the test above alone.
    @Test(.enabled(if: ProcessInfo.processInfo.environment[MemoryTests.crashFolder] != nil))
    func crash() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment[MemoryTests.crashFolder])
        let held = try await MemoryTests.used(noting: folder + "/mask")
        var limit = rlimit(rlim_cur: .max, rlim_max: .max)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        signal(SIGABRT, SIG_DFL)
        withExtendedLifetime(held) { abort() }
    }
}

/// A secret that asynchronous functions can be given.
private final class HeldSecret: Sendable {
    let secret: SecretBytes
    init(_ secret: consuming SecretBytes) { self.secret = secret }
    /// The bytes XORed with 0xA5, by which a search knows them without having them.
    var masked: [UInt8] { secret.withBytes { bytes in bytes.indices.map { bytes[$0] ^ 0xA5 } } }
    var address: UInt {
        secret.withBytes { bytes in unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
    }
    var root: KeyFileRoot { get throws { try KeyFileRoot(key: secret.copy()) } }
    var keyring: RawAESKeyring { get throws { try RawAESKeyring(namespace: "n", name: "k", key: secret) } }

    func usePrimitives() throws {
        let message = [UInt8](repeating: 1, count: 4000)
        let gcm = try AESGCM(key: secret)
        let chacha = try ChaCha20Poly1305(key: secret)
        _ = try gcm.open(gcm.seal(message)).count
        _ = try chacha.open(chacha.seal(message)).count
        _ = try HMAC(.sha256, key: secret).authenticate(message)
        let info: [UInt8] = [1]
        _ = try HKDF(.sha256).derive(from: secret, info: info.span, count: 32).count
        let wrapping = try AESKeyWrap(.plain, key: secret)
        let wrapped = try wrapping.wrap(secret)
        _ = try wrapping.unwrap(wrapped.span).count
        let key = try ECDSA.PrivateKey(.p256, scalar: secret)
        _ = try key.sign(HashFunction.sha256.hash(message))
        let encrypted = try key.encryptedPKCS8(passphrase: secret)
        let again = try ECDSA.PrivateKey(encryptedPKCS8: encrypted.span, passphrase: secret)
        #expect(try again.publicKey == key.publicKey)
    }
}
