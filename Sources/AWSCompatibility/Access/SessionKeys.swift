internal import FoundationEssentials
internal import Synchronization

/// The access keys of sessions that this process has made. They end with it.
final class SessionKeys: Sendable {
    struct Entry: Sendable {
        let session: RoleSession
        let token: String
        let secret: KeptSecret
    }

    /// More than a process has sessions at a time.
    private static let largestCount = 50_000
    private let entries = Mutex([String: Entry]())

    /// A new access key for a session.
    func issue(_ session: RoleSession, at now: Date) throws -> (
        id: String, secret: String, token: String
    ) {
        let random = SystemRandom()
        let id = "ASIA" + Hexadecimal.encode(try random.bytes(count: 8)).uppercased()
        let secret = Data(try random.bytes(count: 30)).base64EncodedString()
        let token = Data(try random.bytes(count: 48)).base64EncodedString()
        let kept = KeptSecret(SecretBytes(copying: Array(secret.utf8)))
        let isKept = entries.withLock { entries in
            if entries.count >= SessionKeys.largestCount { entries = entries.filter { $0.value.session.expires > now } }
            guard entries.count < SessionKeys.largestCount else { return false }
            entries[id] = Entry(session: session, token: token, secret: kept)
            return true
        }
        guard isKept else { throw AWSFailure("Throttling", "Too many sessions are open.") }
        return (id, secret, token)
    }

    func entry(_ id: String) -> Entry? { entries.withLock { $0[id] } }
}
