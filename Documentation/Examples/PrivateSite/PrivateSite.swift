package import Certificates
internal import HSMEmulation
package import InTransit
internal import Synchronization

/// A site on the loopback whose keys are in an emulated HSM: one signs the certificates of a private authority, the other the
/// handshakes of TLS. Both were made there, and neither ever leaves.
package final class PrivateSite: Sendable {
    /// Who issues the site's certificates.
    package let authority: CertificateAuthority
    /// Accepts its connections, always with the newest certificate.
    package let server: TLSServer
    /// What has happened since it was opened.
    package let statistics: SiteStatistics

    private let key: CountedKey
    private let names: [GeneralName]
    private let newest: Mutex<Certificate>

    /// The name of the HSM's partition.
    package static let partition = "https"

    /// Opens the site in a store, or makes it in an empty one: a partition with an administrator and a crypto user, both with
    /// the passphrase for a password, the keys, and the authority.
    package static func open(
        store: any RecordStore, passphrase: borrowing SecretBytes,
        names: [GeneralName] = [.dns("localhost"), .dns("*.example.test")], passwordCost: Scrypt = .standard
    ) async throws -> PrivateSite {
        let device = HSMDevice(store: try RecordFolder("hsm", of: store), passwordCost: passwordCost)
        if try !device.partitionNames.contains(partition) {
            let made = try device.createPartition(partition, administrator: "admin", password: passphrase)
            try made.administer("admin", password: passphrase).createUser("server", password: passphrase)
        }
        let session = try device.partition(partition).logIn("server", password: passphrase)
        let tls = try session.findOrGenerate(.ecdsa(.p256), "tls", for: .signing)
        let issuing = try session.findOrGenerate(.ecdsa(.p256), "authority", for: .signing)
        let stateKey = try session.findOrGenerate(.hmac(.sha256), "authority-state", for: .authentication)
        let folder = try RecordFolder("authority", of: store)
        let authority: CertificateAuthority
        do {
            authority = try await CertificateAuthority.open(key: issuing, store: folder, stateKey: stateKey)
        } catch {
            guard error.code == .notFound else { throw error }
            authority = try await CertificateAuthority.createRoot(
                subject: "CN=Private HTTPS Root, O=Strongroom", key: issuing, store: folder, stateKey: stateKey,
                pathLength: 0)
        }
        return try await PrivateSite(authority, tls, names)
    }

    private init(_ authority: CertificateAuthority, _ key: HSMKey<HSMSigning>, _ names: [GeneralName]) async throws {
        let statistics = SiteStatistics()
        let counted = CountedKey(key: key, statistics: statistics)
        let first = try await PrivateSite.issue(authority, counted, names)
        (self.authority, self.statistics, self.key, self.names) = (authority, statistics, counted, names)
        newest = Mutex(first)
        server = TLSServer(try PrivateSite.context(first, authority, counted))
    }

    /// The certificate that new connections get.
    package var certificate: Certificate { newest.withLock { $0 } }

    /// Gets a new certificate, and serves new connections with it. Those that are open go on.
    package func renew() async throws -> Certificate {
        let next = try await PrivateSite.issue(authority, key, names)
        server.replace(try PrivateSite.context(next, authority, key))
        newest.withLock { $0 = next }
        statistics.note { $0.certificates += 1 }
        return next
    }

    private static func issue(
        _ authority: CertificateAuthority, _ key: CountedKey, _ names: [GeneralName]
    ) async throws -> Certificate {
        try await authority.issue(for: key, .server, names: names, for: .days(30))
    }

    private static func context(
        _ certificate: Certificate, _ authority: CertificateAuthority, _ key: CountedKey
    ) throws -> TLSServerContext {
        try TLSServerContext(
            TLSServerConfiguration(
                identity: TLSIdentity([certificate] + authority.chain, key: key),
                applicationProtocols: ["http/1.1"]))
    }
}

extension HSMSession {
    /// The key of a label, made on first use. It does not leave the HSM.
    fileprivate func findOrGenerate<Use>(
        _ specification: HSMKeySpecification<Use>, _ label: String, for use: HSMUse<Use>
    ) throws(HSMError) -> HSMKey<Use> {
        if try find(label: label).isEmpty { return try generateKey(specification, label: label) }
        return try key(label, for: use)
    }
}
