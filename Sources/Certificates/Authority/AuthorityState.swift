internal import Auditing
internal import Cryptography
internal import FoundationEssentials
internal import PKIX
internal import RecordIntegrity
internal import RecordStorage

/// What an authority stores: its chain and every certificate that it has issued, authenticated, and its audit trail. Layout:
/// Documentation/Formats/CertificateAuthority.md.
struct AuthorityState: Sendable {
    private let records: AuthenticatedRecords
    private let trail: AuditTrail

    private static let name: RecordName = "authority"
    private static let issuedPrefix = "issued/"

    /// The key of an authority's state: what a key for authenticating messages says to one fixed message.
    static func secret(of key: some MessageAuthenticator) async throws -> SecretBytes {
        let message = Array("strongroom certificates: state key".utf8)
        let tag = try await key.authenticate(message.span)
        return try HKDF(.sha256).extract(SecretBytes(copying: tag.bytes))
    }

    static func create(
        _ store: any RecordStore, _ secret: borrowing SecretBytes, _ chain: [Certificate], _ event: AuthorityEvent,
        _ clock: any WallClock
    ) async throws -> AuthorityState {
        try checkIsFree(store)
        let keys = try AuthorityKeys(secret)
        let value = try StoredJSON.encode(AuthorityRecord(chain: chain.map(\.derEncoded)))
        do {
            try store.commit([try AuditTrail.beginning(rootKey: keys.audit)])
        } catch let error as RecordStoreError where error.code == .conflict {
            // Somebody has begun and got no further: under another key its trail does not open.
        }
        let records = try AuthenticatedRecords(store: store, key: keys.records)
        let trail = try AuditTrail(store: store, rootKey: keys.audit, durability: .recorded, isBegun: true)
        do {
            try await trail.record(event.audited(at: clock.now)) { auditWrites in
                _ = try records.commit([.put(name, value, expecting: .absent)], alongside: auditWrites)
            }
        } catch let error as RecordStoreError where error.code == .conflict {
            throw CertificatesError(.alreadyExists, "there is an authority in this store already")
        }
        return AuthorityState(records: records, trail: trail)
    }

    /// - Throws: `alreadyExists`.
    static func checkIsFree(_ store: any RecordStore) throws {
        guard try store.record(name) == nil else {
            throw CertificatesError(.alreadyExists, "there is an authority in this store already")
        }
    }

    static func open(
        _ store: any RecordStore, _ secret: borrowing SecretBytes
    ) throws -> (state: AuthorityState, chain: [Certificate]) {
        guard try store.record(name) != nil else {
            throw CertificatesError(.notFound, "there is no authority in this store")
        }
        let keys = try AuthorityKeys(secret)
        let records = try AuthenticatedRecords(store: store, key: keys.records)
        let all = try records.verifiedRecords(prefixes: [name.description, issuedPrefix]).records
        guard let record = all.first(where: { $0.name == name }) else {
            throw CertificatesError(.tampered, "the authority's record is gone")
        }
        let stored = try StoredJSON.decode(AuthorityRecord.self, record.value, name)
        guard stored.format <= AuthorityRecord.currentFormat else {
            throw RecordStoreError(.newerFormat, subject: "authority", reason: "format \(stored.format)")
        }
        let chain = try stored.chain.map { try Certificate(derEncoded: $0) }
        guard !chain.isEmpty else { throw CertificatesError(.tampered, "an authority without a certificate") }
        let trail = try AuditTrail(store: store, rootKey: keys.audit, durability: .recorded, isBegun: true)
        return (AuthorityState(records: records, trail: trail), chain)
    }

    /// Stores a certificate together with the event that tells of it.
    ///
    /// - Throws: a `conflict` where its number is taken.
    func keep(_ certificate: Certificate, _ event: AuthorityEvent, _ clock: any WallClock) async throws {
        let name = try AuthorityState.name(certificate.serialNumber)
        let records = records
        for _ in 0..<50 {
            do {
                try await trail.record(event.audited(at: clock.now)) { auditWrites in
                    _ = try records.commit(
                        [.put(name, certificate.derEncoded, expecting: .absent)], alongside: auditWrites)
                }
                return
            } catch let error as RecordStoreError where error.code == .conflict {
                // Others have issued meanwhile; that is no matter, but the number must be free.
                guard try records.store.record(name) == nil else { throw error }
            }
        }
        throw CertificatesError(.conflict, "others change the store, or its audit trail was changed behind this one")
    }

    func certificate(_ serialNumber: SerialNumber) throws -> Certificate? {
        try records.record(try AuthorityState.name(serialNumber)).map { try Certificate(derEncoded: $0.value) }
    }

    func certificates() throws -> [Certificate] {
        try records.verifiedRecords(prefixes: [AuthorityState.name.description, AuthorityState.issuedPrefix]).records
            .filter { $0.name.description.hasPrefix(AuthorityState.issuedPrefix) }
            .map { try Certificate(derEncoded: $0.value) }
    }

    func events() async throws -> [String] {
        try await trail.flush()
        return try AuditTrail.events(in: records.store)
    }

    func verifyTrail(
        _ secret: borrowing SecretBytes, _ checkpoint: AuditCheckpoint?
    ) throws -> AuditVerification {
        let keys = try AuthorityKeys(secret)
        return try AuditTrail.verify(in: records.store, rootKey: keys.audit, against: checkpoint)
    }

    private static func name(_ serialNumber: SerialNumber) throws -> RecordName {
        try RecordName("\(issuedPrefix)\(serialNumber)")
    }
}

/// The keys under an authority's state key.
private struct AuthorityKeys: ~Copyable {
    let records: SecretBytes
    let audit: SecretBytes

    init(_ secret: borrowing SecretBytes) throws(CryptographyError) {
        let expansion = try HKDF(.sha256).expansion(of: secret)
        let records = try expansion.expand(info: Array("authority records".utf8).span, count: 32)
        let audit = try expansion.expand(info: Array("authority audit".utf8).span, count: 32)
        self.records = records
        self.audit = audit
    }
}

private struct AuthorityRecord: Codable {
    static let currentFormat = 1

    var format = AuthorityRecord.currentFormat
    let chain: [[UInt8]]
}

/// What the audit trail tells of an act.
struct AuthorityEvent: Sendable {
    private let name: String
    private let certificate: Certificate
    private let issuer: Certificate

    init(_ name: String, _ certificate: Certificate, issuer: Certificate) {
        self.name = name
        self.certificate = certificate
        self.issuer = issuer
    }

    func audited(at time: Date) -> AuditEvent {
        var event = AuditEvent(
            time: time, source: "pca.strongroom", name: name, region: "", account: "",
            identity: AuditEvent.Identity(type: "CertificateAuthority", arn: issuer.subject.description, account: ""))
        let names = (try? certificate.extensions.value(SubjectAlternativeName.self))?.names ?? []
        event.requestParameters = [
            ("subject", .text(certificate.subject.description)),
            ("names", .text(names.map(\.description).joined(separator: ","))),
            ("notAfter", .number(Int(certificate.validity.notAfter.timeIntervalSince1970))),
        ]
        event.responseElements = [("serialNumber", .text(certificate.serialNumber.description))]
        event.isReadOnly = false
        event.resourceType = "PCA::Certificate"
        event.resources = ["pca:certificate/\(certificate.serialNumber)"]
        return event
    }
}
