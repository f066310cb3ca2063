internal import HSMEmulation

/// A key that counts what it signs.
struct CountedKey: SynchronousSigner {
    let key: HSMKey<HSMSigning>
    let statistics: SiteStatistics

    var subjectPublicKeyInfo: [UInt8] { key.subjectPublicKeyInfo }
    var signatureAlgorithms: [SignatureAlgorithm] { key.signatureAlgorithms }

    func sign(_ message: Span<UInt8>, using algorithm: SignatureAlgorithm) throws -> [UInt8] {
        statistics.note { $0.signatures += 1 }
        return try key.sign(message, using: algorithm)
    }

    func sign(digest: Digest, using algorithm: SignatureAlgorithm) throws -> [UInt8] {
        statistics.note { $0.signatures += 1 }
        return try key.sign(digest: digest, using: algorithm)
    }
}
