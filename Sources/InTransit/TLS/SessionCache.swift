internal import FoundationEssentials
internal import Synchronization
internal import TLSShim

/// The sessions that a client may go on with.
final class SessionCache: Sendable {
    /// A session, and how its server was verified.
    struct Entry: Sendable {
        let session: NativeTLSSession
        let path: CertificatePath
        let end: Date
    }

    private let entries = Mutex<[ServerIdentity: [Entry]]>([:])

    /// Sessions per server, and servers.
    private static let limit = (sessions: 4, servers: 1024)
    /// What a ticket may promise at most: seven days (RFC 8446, 4.6.1).
    private static let longest = 604_800

    func insert(_ session: NativeTLSSession, for server: ServerIdentity, verified path: CertificatePath, now: Date) {
        guard session.isResumable else { return }
        let lifetime = session.lifetime > 0 ? min(session.lifetime, SessionCache.longest) : 7200
        // It must not outlive what was verified.
        let end = path.certificates.map(\.validity.notAfter).reduce(now.addingTimeInterval(Double(lifetime)), min)
        let entry = Entry(session: session, path: path, end: end)
        entries.withLock { entries in
            // Any other one makes room: a full handshake is all that is lost.
            if entries[server] == nil, entries.count >= SessionCache.limit.servers, let other = entries.keys.first {
                entries[other] = nil
            }
            entries[server, default: []].append(entry)
            if let count = entries[server]?.count, count > SessionCache.limit.sessions {
                entries[server]?.removeFirst()
            }
        }
    }

    /// The newest session that is still good. One of TLS 1.3 is taken out: each is for one connection.
    func take(for server: ServerIdentity, now: Date) -> Entry? {
        entries.withLock { entries in
            guard var known = entries[server] else { return nil }
            known.removeAll { $0.end <= now || !$0.session.isResumable }
            let newest = known.last
            if newest?.session.isForOneConnection == true { known.removeLast() }
            entries[server] = known.isEmpty ? nil : known
            return newest
        }
    }
}
