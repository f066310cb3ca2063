package import Cryptography

extension SecretBytes {
    /// The bytes as an array: for tests, where `#expect` cannot take a noncopyable value.
    package var revealed: [UInt8] { bytes.array }
}
