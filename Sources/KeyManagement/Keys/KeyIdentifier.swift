internal import AccessPolicy

/// One of the four texts that name a key: its id, its ARN, an alias's name (`alias/orders`) or an alias's ARN.
public struct KeyIdentifier: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The text.
    public let description: String
    /// Where the service has the key, `ACCOUNT/ID`, if the text is the ARN of one in some Region: read once, since handles are used
    /// again and again.
    let place: String?

    /// Takes any text; whether it names a key shows on use.
    public init(_ text: String) {
        description = text
        place = KeyIdentifier.place(text)
    }

    /// Takes a literal.
    public init(stringLiteral text: String) { self.init(text) }

    /// Compares the texts.
    public static func == (left: KeyIdentifier, right: KeyIdentifier) -> Bool { left.description == right.description }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }

    /// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
    private static func place(_ text: String) -> String? {
        guard text.hasPrefix("arn:") else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[5].starts(with: "key/".utf8) else { return nil }
        return "\(Substring(parts[4]))/\(Substring(parts[5].dropFirst(4)))"
    }

    /// The alias by which the key is named; nil for another way.
    var alias: String? {
        if description.hasPrefix("alias/") { return description }
        // Asked on the way of every operation, so nothing is taken apart: what follows the fifth colon.
        let bytes = description.utf8Span.span
        var (place, colons) = (0, 0)
        while place < bytes.count, colons < 5 {
            if bytes[place] == UInt8(ascii: ":") { colons += 1 }
            place += 1
        }
        guard colons == 5, place < bytes.count, bytes[place] == UInt8(ascii: "a") else { return nil }
        let resource = description.utf8.dropFirst(place)
        return resource.starts(with: "alias/".utf8) ? String(Substring(resource)) : nil
    }

    /// Whether it may be an alias: a quick look, on the way of every encryption, at what stands 38 bytes before the end, where
    /// the ARN of a key has `y/`, and an alias has not.
    var mayBeAlias: Bool {
        let bytes = description.utf8Span.span
        guard bytes.count >= 40 else { return true }
        return bytes[bytes.count - 37] != UInt8(ascii: "/") || bytes[bytes.count - 38] != UInt8(ascii: "y")
    }

    /// What a handle names its key by.
    public init(_ key: some KeyReference) { self = key.identifier }
}

/// What a key identifier's text means to a caller.
enum ResolvedName: Hashable {
    case key(id: String, account: String)
    case alias(AliasName)

    /// Reads a text; nil where it can name no key in this partition and Region.
    init?(_ identifier: KeyIdentifier, account: String, region: String, partition: String) {
        let text = identifier.description
        if text.hasPrefix("arn:") {
            guard let arn = ARN(text), arn.service == "kms", arn.region == region, arn.partition == partition else {
                return nil
            }
            if arn.resource.hasPrefix("key/") {
                self = .key(id: String(arn.resource.dropFirst(4)), account: arn.account)
            } else if arn.resource.hasPrefix("alias/") {
                self = .alias(AliasName(account: arn.account, name: arn.resource))
            } else {
                return nil
            }
        } else if text.hasPrefix("alias/") {
            self = .alias(AliasName(account: account, name: text))
        } else {
            self = .key(id: text, account: account)
        }
    }
}

/// An alias of an account: `alias/...`.
struct AliasName: Sharded {
    let account: String
    let name: String

    /// `^[a-zA-Z0-9/_-]+$` behind "alias/", 256 characters in all; `alias/aws/` is for managed services.
    var refusal: KeyManagementError? {
        let rest = name.utf8.dropFirst("alias/".utf8.count)
        guard name.hasPrefix("alias/"), !rest.isEmpty else {
            return KeyManagementError(.invalidAliasName, #"Alias must start with the prefix "alias/"."#)
        }
        guard name.dropFirst("alias/".count).hasOnlyLettersDigits(and: "/_-"), name.utf8.count <= 256 else {
            return KeyManagementError(.invalidAliasName, "\(name) is not a valid alias name")
        }
        return name.hasPrefix("alias/aws/")
            ? KeyManagementError(.notAuthorized) : nil
    }
}
