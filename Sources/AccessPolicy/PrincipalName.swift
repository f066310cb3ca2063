/// A text by which policies and grants name a principal: an ARN of IAM or STS, an account, or a service's host.
///
/// The ARN of an account's root and the account's twelve digits both stand for everybody in the account. A role's ARN
/// stands for all of its sessions. Names of one principal in different partitions are the same.
public struct PrincipalName: Sendable, Hashable, CustomStringConvertible {
    /// What a name stands for.
    enum Form: Sendable {
        case principal
        case account
        case service
    }

    /// The ARN in the partition `aws`, or the host.
    public let description: String
    let form: Form

    private init(_ description: String, _ form: Form) {
        self.description = description
        self.form = form
    }

    /// Reads an ARN of IAM or STS, or twelve digits.
    ///
    /// - Throws: where the text names no principal.
    public init(_ text: String) throws(PolicyError) {
        if Principal.isAccount(text) {
            self = .account(text)
            return
        }
        guard text.utf8.allSatisfy({ $0 < 0x80 }), let arn = ARN(text), arn.service == "iam" || arn.service == "sts",
            arn.region.isEmpty,
            Principal.isAccount(arn.account)
        else { throw PolicyError("\(text) is no principal") }
        let name = ARN(service: arn.service, account: arn.account, resource: arn.resource).description
        self.init(name, arn.service == "iam" && arn.resource == "root" ? .account : .principal)
    }

    /// Everybody in an account.
    public static func account(_ account: String) -> PrincipalName {
        PrincipalName("arn:aws:iam::\(account):root", .account)
    }

    /// A user by name, with its path where it has one.
    public static func user(_ name: String, account: String) -> PrincipalName {
        PrincipalName("arn:aws:iam::\(account):user/\(name)", .principal)
    }

    /// A role by name, in all its sessions.
    public static func role(_ name: String, account: String) -> PrincipalName {
        PrincipalName("arn:aws:iam::\(account):role/\(name)", .principal)
    }

    /// A service by its host, such as "lambda.amazonaws.com".
    public static func service(_ host: String) -> PrincipalName { PrincipalName(host, .service) }

    /// The account in the name; nil for a service.
    public var account: String? { ARN(description)?.account }

    /// Whether it names the principal, itself or as one of its account.
    public func includes(_ principal: Principal) -> Bool { names(principal) || namesAccount(of: principal) }

    /// Whether it names the principal itself: its own ARN, or its role's.
    public func names(_ principal: Principal) -> Bool {
        principal.names.contains { $0.hasSameBytes(as: description) }
    }

    /// Whether it stands for everybody in the principal's account.
    public func namesAccount(of principal: Principal) -> Bool { form == .account && account == principal.account }

    /// Names of the same bytes are the same.
    public static func == (left: PrincipalName, right: PrincipalName) -> Bool {
        left.description.hasSameBytes(as: right.description)
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
