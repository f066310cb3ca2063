/// Who asks.
///
/// The process that embeds the service vouches for its principals: it has authenticated them. Accounts are twelve digits.
public struct Principal: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of principal that policies tell apart.
    public enum Kind: Sendable, Hashable {
        /// An account's root.
        case root
        /// A user by name.
        case user(String)
        /// A role by name, in a named session.
        case role(String, session: String)
        /// A service by its host name, such as "lambda.amazonaws.com". It belongs to no account.
        case service(String)
    }

    /// One object: a principal is handed on with each request, by several threads at once.
    private final class Identity: Sendable {
        let kind: Kind
        let account: String
        let names: [String]

        init(_ kind: Kind, account: String, names: [String]) {
            (self.kind, self.account, self.names) = (kind, account, names)
        }
    }

    private let identity: Identity

    /// What kind it is, and its name.
    public var kind: Kind { identity.kind }
    /// The account it belongs to; empty for a service.
    public var account: String { identity.account }
    /// The ARN that audit events show; for a service its host name.
    public var description: String { identity.names[0] }
    /// The texts a policy may name it by: its own ARN, and for a role session its role's.
    var names: [String] { identity.names }

    /// Whether both are of one kind and account. Principals of the same bytes are the same.
    public static func == (left: Principal, right: Principal) -> Bool {
        left.identity === right.identity
            || left.kind == right.kind && left.account == right.account
                && left.description.hasSameBytes(as: right.description)
    }

    /// Hashes kind and account.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(account)
    }

    /// Whether a text is an account: twelve digits.
    public static func isAccount(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private init(_ kind: Kind, account: String) {
        let names =
            switch kind {
            case .root: ["arn:aws:iam::\(account):root"]
            case .user(let name): ["arn:aws:iam::\(account):user/\(name)"]
            case .role(let name, let session):
                ["arn:aws:sts::\(account):assumed-role/\(name)/\(session)", "arn:aws:iam::\(account):role/\(name)"]
            case .service(let host): [host]
            }
        identity = Identity(kind, account: account, names: names)
    }

    /// The account itself, with every right in it.
    public static func root(account: String) -> Principal { Principal(.root, account: account) }
    /// A user of an account.
    public static func user(_ name: String, account: String) -> Principal { Principal(.user(name), account: account) }
    /// A role of an account, taken on for a session.
    public static func role(_ name: String, session: String, account: String) -> Principal {
        Principal(.role(name, session: session), account: account)
    }
    /// A service acting by itself.
    public static func service(_ host: String) -> Principal { Principal(.service(host), account: "") }
}
