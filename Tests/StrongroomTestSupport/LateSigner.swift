package import Cryptography

/// A key that only answers later.
package struct LateSigner<Key: Signer>: Signer {
    package let key: Key

    package init(key: Key) { self.key = key }

    package var subjectPublicKeyInfo: [UInt8] { get throws { try key.subjectPublicKeyInfo } }
    package var signatureAlgorithms: [SignatureAlgorithm] { key.signatureAlgorithms }

    package func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        try await key.sign(message, using: algorithm)
    }

    package func sign(digest: Digest, using algorithm: SignatureAlgorithm) async throws -> [UInt8] {
        try await key.sign(digest: digest, using: algorithm)
    }
}
