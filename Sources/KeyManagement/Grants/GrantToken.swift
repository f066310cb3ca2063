internal import Cryptography
internal import FoundationEssentials

/// Stands for a grant that may be too new for another process to have seen. It is no secret: it gives nobody anything that
/// the grant does not.
public struct GrantToken: Sendable, Hashable, CustomStringConvertible {
    /// The token as text.
    public let description: String

    /// Takes a text; whether it is a token shows on use.
    public init(_ text: String) { description = text }

    /// A new token of a grant: no two are the same.
    init(_ grant: GrantRecord) throws(CryptographyError) {
        let text = "\(Hexadecimal.encode(try SystemRandom().bytes(count: 8)))/\(grant.account)/\(grant.key)/\(grant.id)"
        description = Data(text.utf8).base64EncodedString()
    }

    /// The key's place and the grant's identifier; nil where it is no token.
    var place: (key: String, id: String)? {
        guard description.utf8.count <= 8192, let data = Data(base64Encoded: description) else { return nil }
        let parts = String(decoding: data, as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        return ("\(parts[1])/\(parts[2])", String(parts[3]))
    }
}
