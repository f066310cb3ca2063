internal import FoundationEssentials
internal import Synchronization

/// The access keys of sessions that this process has made. They end with it.
final class SessionKeys: Sendable {
    struct Entry: Sendable {
        let session: RoleSession
        let token: String
        let secret: KeptSecret
    }

    private let entries = Mutex([String: Entry]())

    /// A new access key for a session.
    func issue(_ session: RoleSession, at now: Date) throws(CryptographyError) -> (
        id: String, secret: String, token: String
    ) {
        let random = SystemRandom()
        let id = "ASIA" + Hexadecimal.encode(try random.bytes(count: 8)).uppercased()
        let secret = Data(try random.bytes(count: 30)).base64EncodedString()
        let token = Data(try random.bytes(count: 48)).base64EncodedString()
        let kept = KeptSecret(SecretBytes(copying: Array(secret.utf8)))
        entries.withLock { entries in
            entries = entries.filter { $0.value.session.expires > now }
            entries[id] = Entry(session: session, token: token, secret: kept)
        }
        return (id, secret, token)
    }

    func entry(_ id: String) -> Entry? { entries.withLock { $0[id] } }
}
