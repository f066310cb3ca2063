public import Auditing
public import Cryptography
internal import FoundationEssentials
public import PKIX
internal import RecordIntegrity
public import RecordStorage

/// A certificate authority: a key that signs, a certificate that says what for, and a store of what it has issued.
///
/// ```swift
/// let root = try await CertificateAuthority.createRoot(
///     subject: "CN=Example Root", key: caKey, store: store, stateKey: stateKey)
/// let certificate = try await root.issue(request, .server, names: [.dns("www.example.com")], for: .days(90))
/// ```
///
/// The key is any `Signer`: in memory, in an HSM, of a key service. What is stored is authenticated under a key that is made by
/// `stateKey`, any `MessageAuthenticator`, such as an HSM's HMAC key: nobody adds, edits or takes away a certificate
/// unseen. Each act is in the audit trail, in one batch with what it did.
///
/// What an authority's own certificate forbids is refused before anything is signed: authorities below it beyond its path
/// length, names outside its constraints and those above it, purposes that are not its own, and a validity beyond its own.
public final class CertificateAuthority: Sendable {
    /// Its certificate, and those above it up to the root.
    public let chain: [Certificate]

    let signer: any Signer
    let state: AuthorityState
    let clock: any WallClock

    /// Its certificate.
    public var certificate: Certificate { chain[0] }

    init(chain: [Certificate], signer: any Signer, state: AuthorityState, clock: any WallClock) {
        self.chain = chain
        self.signer = signer
        self.state = state
        self.clock = clock
    }

    /// Makes the top of a hierarchy.
    ///
    /// - Parameters:
    ///   - subject: its name.
    ///   - key: its key.
    ///   - store: where its state stands. One authority a store: give each a `RecordFolder`.
    ///   - stateKey: makes the key that authenticates what is stored. The same must be given at each opening.
    ///   - pathLength: how many authorities may stand below it, one under the other; nil for any number.
    ///   - constraints: which names may be certified below it.
    ///   - lifetime: how long it is valid.
    ///   - clock: the time.
    /// - Throws: `alreadyExists`, `signerFailure`, `storeFailure`, `invalidRequest`.
    public static func createRoot(
        subject: DistinguishedName, key: some Signer, store: any RecordStore, stateKey: some MessageAuthenticator,
        pathLength: Int? = nil, constraints: NameConstraints? = nil, lifetime: Duration = .days(3650),
        clock: any WallClock = SystemClock()
    ) async throws(CertificatesError) -> CertificateAuthority {
        do {
            let info = try key.subjectPublicKeyInfo
            let template = try CertificateTemplate.authority(
                .root(pathLength: pathLength), subject, info, issuer: subject, issuerKeyIdentifier: nil,
                Validity(from: clock.now, for: lifetime), constraints)
            let certificate = try await template.certificate(signedBy: key)
            return try await create([certificate], key, store, stateKey, clock, "CreateRootCertificateAuthority")
        } catch { throw CertificatesError(wrapping: error) }
    }

    /// Makes an authority below this one.
    ///
    /// - Parameters:
    ///   - pathLength: how many authorities may stand below it; none by default.
    ///   - purposes: what certificates below it may be for; none for any that this one may issue.
    /// - Throws: `beyondAuthority`; otherwise as ``createRoot(subject:key:store:stateKey:pathLength:constraints:lifetime:clock:)``.
    public func createIntermediate(
        subject: DistinguishedName, key: some Signer, store: any RecordStore, stateKey: some MessageAuthenticator,
        pathLength: Int? = 0, constraints: NameConstraints? = nil, purposes: [ExtendedKeyUsage.Purpose] = [],
        lifetime: Duration = .days(1825)
    ) async throws(CertificatesError) -> CertificateAuthority {
        do {
            // Looked at before anything is signed.
            try AuthorityState.checkIsFree(store)
            _ = try await AuthorityState.secret(of: stateKey).count
            let own = try certificate.extensions.value(ExtendedKeyUsage.self)?.purposes ?? []
            let template = try CertificateTemplate.authority(
                .intermediate(pathLength: pathLength, purposes: purposes.isEmpty ? own : purposes), subject,
                key.subjectPublicKeyInfo,
                issuer: certificate.subject, issuerKeyIdentifier: keyIdentifier,
                Validity(from: clock.now, for: lifetime), constraints)
            let certificate = try await sign(template, "IssueCertificateAuthority")
            return try await CertificateAuthority.create(
                [certificate] + chain, key, store, stateKey, clock, "CreateCertificateAuthority")
        } catch { throw CertificatesError(wrapping: error) }
    }

    /// Opens the authority of a store.
    ///
    /// - Throws: `notFound`; `wrongKey` where the key is not its own; `tampered` where what is stored is not what it wrote, or
    ///   the state key is another.
    public static func open(
        key: some Signer, store: any RecordStore, stateKey: some MessageAuthenticator,
        clock: any WallClock = SystemClock()
    ) async throws(CertificatesError) -> CertificateAuthority {
        do {
            let (state, chain) = try AuthorityState.open(store, try await AuthorityState.secret(of: stateKey))
            guard try key.subjectPublicKeyInfo == chain[0].subjectPublicKeyInfo else {
                throw CertificatesError(.wrongKey, "the key is not that of \(chain[0].subject)")
            }
            return CertificateAuthority(chain: chain, signer: key, state: state, clock: clock)
        } catch { throw CertificatesError(wrapping: error) }
    }

    private static func create(
        _ chain: [Certificate], _ key: some Signer, _ store: any RecordStore, _ stateKey: some MessageAuthenticator,
        _ clock: any WallClock, _ event: String
    ) async throws -> CertificateAuthority {
        let secret = try await AuthorityState.secret(of: stateKey)
        let state = try await AuthorityState.create(
            store, secret, chain, AuthorityEvent(event, chain[0], issuer: chain[chain.count > 1 ? 1 : 0]), clock)
        return CertificateAuthority(chain: chain, signer: key, state: state, clock: clock)
    }
}

extension Duration {
    /// A number of days of 86,400 seconds.
    public static func days(_ count: Int) -> Duration {
        // Ten thousand years are more than a certificate can say.
        .seconds(86400 * min(max(count, -3_652_425), 3_652_425))
    }
}
