internal import OpenSSLShim

extension AEADKey {
    /// Counts a message with a random nonce. After 2^32 of them the chance of a repeated 96-bit nonce passes 2^-32
    /// (SP 800-38D, 8.3).
    func countMessage() throws(CryptographyError) {
        guard countRandomNonce() <= 1 << 32 else {
            throw CryptographyError(.keyExhausted, "2^32 messages with random nonces")
        }
    }
}
