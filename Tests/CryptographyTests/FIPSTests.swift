import Cryptography
import Foundation
import Testing

/// OpenSSL's FIPS provider: not there, asked for too late, and at work where the machine has one. Each in a process of its own, since what is
/// chosen stays.
@Suite struct FIPSTests {
    static let isThere = ProcessInfo.processInfo.environment["STRONGROOM_FIPS"] != nil

    @Test func `what is not there is not used, and everything goes on`() async {
        await #expect(processExitsWith: .success) {
            do throws(CryptographyError) {
                try FIPSProvider.use(configuration: "/nonexistent/fips.cnf", modules: "/nonexistent")
                exit(1)
            } catch { guard error.code == .unsupported else { exit(2) } }
            guard !FIPSProvider.isInUse else { exit(3) }
            try SelfTest.run()
            _ = try ChaCha20Poly1305(key: .random(count: 32)).seal([1])
        }
    }

    @Test(.enabled(if: isThere, "STRONGROOM_FIPS names no configuration; see CONTRIBUTING.md"))
    func `the provider calculates alone`() async {
        await #expect(processExitsWith: .success) {
            let environment = ProcessInfo.processInfo.environment
            guard let file = environment["STRONGROOM_FIPS"] else { exit(1) }
            try FIPSProvider.use(configuration: file, modules: environment["STRONGROOM_FIPS_MODULES"])
            guard FIPSProvider.isInUse else { exit(2) }
            try SelfTest.run()
            let cipher = try AESGCM(key: .random(count: 32))
            let sealed = try cipher.seal([1, 2, 3])
            guard try cipher.open(sealed) == SecretBytes(copying: [1, 2, 3]) else { exit(3) }
            let key = try ECDSA.PrivateKey(.p256)
            let digest = try HashFunction.sha256.hash([7])
            guard try key.publicKey.isValid(key.sign(digest), for: digest) else { exit(4) }
            let pair = try RSA.PrivateKey(bits: 2048)
            let secret = try pair.publicKey.encrypt(SecretBytes(copying: [5]), using: .rsaOAEPSHA256)
            guard try pair.decrypt(secret.span, using: .rsaOAEPSHA256) == SecretBytes(copying: [5]) else { exit(5) }
            do {
                _ = try ChaCha20Poly1305(key: .random(count: 32)).seal([1])
                exit(6)
            } catch let error as CryptographyError { guard error.code == .unsupported else { exit(7) } }
            // It was chosen once.
            do throws(CryptographyError) {
                try FIPSProvider.use(configuration: file, modules: environment["STRONGROOM_FIPS_MODULES"])
                exit(8)
            } catch { guard error.code == .unsupported else { exit(9) } }
        }
    }

    @Test(.enabled(if: isThere, "STRONGROOM_FIPS names no configuration; see CONTRIBUTING.md"))
    func `it is not chosen any more once something was calculated`() async {
        await #expect(processExitsWith: .success) {
            let environment = ProcessInfo.processInfo.environment
            _ = try SystemRandom().bytes(count: 1)
            do throws(CryptographyError) {
                try FIPSProvider.use(
                    configuration: environment["STRONGROOM_FIPS"] ?? "", modules: environment["STRONGROOM_FIPS_MODULES"]
                )
                exit(1)
            } catch { guard error.code == .unsupported, !FIPSProvider.isInUse else { exit(2) } }
            _ = try ChaCha20Poly1305(key: .random(count: 32)).seal([1])
        }
    }
}
