internal import Cryptography

/// A data key with several holders: the materials of a cache, and the messages made with them. It is one secret in one
/// place, erased with its last holder.
final class SharedSecret: Sendable {
    private let secret: SecretBytes

    init(_ secret: consuming SecretBytes) { self.secret = secret }

    var count: Int { secret.count }

    func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try secret.withBytes(body)
    }

    func copy() -> SecretBytes { secret.copy() }
}
