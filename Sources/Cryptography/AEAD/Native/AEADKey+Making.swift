internal import OpenSSLShim
internal import Synchronization

extension AEADKey {
    /// Copies a secret into a key of its own.
    static func make(
        _ algorithm: CipherAlgorithm, _ key: borrowing SecretBytes
    ) throws(CryptographyError) -> AEADKey {
        let copy = key.copy()
        do {
            return try AEADKey(algorithm, key: copy.intoBuffer())
        } catch {
            throw CryptographyError(error)
        }
    }
}

/// How many messages one key has sealed under random nonces.
final class RandomNonceCounter: Sendable {
    private let sealed = Atomic<UInt64>(0)

    /// After 2^32 messages the chance of a repeated 96-bit nonce passes 2^-32 (SP 800-38D, 8.3).
    private static let limit: UInt64 = 1 << 32

    func count() throws(CryptographyError) {
        guard sealed.add(1, ordering: .relaxed).newValue <= RandomNonceCounter.limit else {
            throw CryptographyError(.keyExhausted, "2^32 messages with random nonces")
        }
    }
}
