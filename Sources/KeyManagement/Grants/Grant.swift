public import AccessPolicy
public import FoundationEssentials

/// A permission to use one key in some ways, beside the policies: for one principal, until it is retired or revoked.
///
/// It never denies, and no policy that denies is overruled by it. Source: AWS KMS Developer Guide, "Grants in AWS KMS".
public struct Grant: Sendable, Hashable {
    let record: GrantRecord
    /// The key.
    public let keyARN: ARN
    /// Who may use the key.
    public let grantee: PrincipalName
    /// Who may end the grant, besides the account that made it.
    public let retiringPrincipal: PrincipalName?
    /// What the grantee may do.
    public let operations: Set<GrantOperation>
    /// Within what.
    public let constraints: GrantConstraints

    init(_ record: GrantRecord, scope: ServiceScope) throws(KeyManagementError) {
        self.record = record
        keyARN = scope.keyARN(id: record.key, account: record.account)
        guard let grantee = GrantRecord.principal(record.grantee) else {
            throw KeyManagementError(.tampered, "the grant \(record.id) is for nobody")
        }
        self.grantee = grantee
        retiringPrincipal = record.retiringPrincipal.flatMap { GrantRecord.principal($0) }
        operations = Set(record.operations.compactMap { GrantOperation(rawValue: $0) })
        constraints = record.constraints
    }

    /// The grant's identifier: 64 hexadecimal digits.
    public var id: String { record.id }
    /// The name by which a request may be repeated.
    public var name: String? { record.name }
    /// When it was made.
    public var creationDate: Date { Date(timeIntervalSince1970: record.created) }
    /// The account that made it.
    public var issuingAccount: String { record.issuingAccount }

    /// Grants of the same content are the same.
    public static func == (left: Grant, right: Grant) -> Bool { left.record == right.record }
    /// Hashes the identifier.
    public func hash(into hasher: inout Hasher) { hasher.combine(record.id) }
}

/// A grant as it is stored. Layout: Documentation/Formats/KeyStore.md.
struct GrantRecord: Codable, Sendable, Equatable {
    let id: String
    let account: String
    let key: String
    let created: Double
    let issuingAccount: String
    let grantee: String
    let retiringPrincipal: String?
    let operations: [String]
    let contextEquals: [String: String]?
    let contextIncludes: [String: String]?
    let sourceARN: String?
    let name: String?

    static let prefix = "grant/"

    /// Where the key's grants stand.
    static func prefix(ofKey place: String) -> String { "\(prefix)\(place)/" }

    /// The key's place and the grant's identifier of a record's name.
    static func place(_ name: String) -> (key: String, id: String)? {
        let rest = name.dropFirst(prefix.count)
        guard let slash = rest.lastIndex(of: "/") else { return nil }
        return (String(rest[..<slash]), String(rest[rest.index(after: slash)...]))
    }

    var recordName: String { "\(GrantRecord.prefix)\(account)/\(key)/\(id)" }

    var constraints: GrantConstraints {
        let context: GrantConstraints.Context? =
            contextEquals.map { .equals(EncryptionContext($0)) }
            ?? contextIncludes.map { .includes(EncryptionContext($0)) }
        return GrantConstraints(context: context, sourceARN: sourceARN)
    }

    /// Whether it grants the same to the same: a request that was repeated.
    func isSame(as other: GrantRecord) -> Bool {
        issuingAccount == other.issuingAccount && grantee == other.grantee
            && retiringPrincipal == other.retiringPrincipal && operations == other.operations
            && constraints == other.constraints && name == other.name
    }

    /// Services have a host for a name, which is no ARN.
    static func principal(_ text: String) -> PrincipalName? {
        text.hasPrefix("arn:") ? try? PrincipalName(text) : .service(text)
    }
}
