internal import OpenSSLShim

/// A key that several values share, for ciphers that set up a context per message.
final class NativeKeyBox: Sendable {
    private let key: SecretBytes

    init(_ key: consuming SecretBytes) { self.key = key }

    /// Runs a cipher into the caller's buffer, which has room for two blocks more than the input.
    func run(
        _ algorithm: CipherAlgorithm, _ direction: NativeCipher.Direction, iv: Span<UInt8>, isPadding: Bool,
        input: Span<UInt8>, output: inout MutableSpan<UInt8>
    ) throws(CryptographyError) -> Int {
        guard key.buffer.isUsable else { throw CryptographyError(.secretOfParentProcess) }
        var count = 0
        do throws(NativeError) {
            try key.withBytes { key throws(NativeError) in
                count = try NativeCipher.run(
                    algorithm, direction, key: key, iv: iv, isPadding: isPadding, input: input, output: &output)
            }
        } catch {
            throw CryptographyError(error)
        }
        return count
    }

    /// Runs a cipher into secret memory.
    func secret(
        _ algorithm: CipherAlgorithm, _ direction: NativeCipher.Direction, iv: Span<UInt8>, isPadding: Bool,
        input: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: input.count + 32) { bytes throws(CryptographyError) in
            bytes.append(repeating: 0, count: input.count + 32)
            var output = bytes.mutableSpan
            let count = try run(algorithm, direction, iv: iv, isPadding: isPadding, input: input, output: &output)
            bytes.removeLast(input.count + 32 - count)
        }
    }

    /// Runs a cipher into an array.
    func array(
        _ algorithm: CipherAlgorithm, _ direction: NativeCipher.Direction, iv: Span<UInt8>, isPadding: Bool,
        input: Span<UInt8>
    ) throws(CryptographyError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: input.count + 32)
        let count: Int
        do {
            var output = bytes.mutableSpan
            count = try run(algorithm, direction, iv: iv, isPadding: isPadding, input: input, output: &output)
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
