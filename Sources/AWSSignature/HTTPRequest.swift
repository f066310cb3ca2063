/// A request as HTTP has it, without a transport.
public struct HTTPRequest: Sendable {
    /// Such as "POST".
    public var method: String
    /// The path as it was sent, from the first slash to the question mark.
    public var path: String
    /// What stands behind the question mark; empty where there is none.
    public var query: String
    /// The fields in their order. Names have no case.
    public var headers: [(name: String, value: String)]
    /// The content.
    public var body: [UInt8]

    /// Takes the target as it was sent, path and query.
    public init(method: String, target: String, headers: [(name: String, value: String)], body: [UInt8] = []) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = parts.count == 2 ? String(parts[1]) : ""
        self.headers = headers
        self.body = body
    }

    /// The value of a field; nil where there is none, the first where there are several.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.equalsIgnoringCase(name) }?.value
    }
}

extension StringProtocol {
    /// Whether two texts are the same but for the case of ASCII's letters, as names of fields are.
    package func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { left, right in
                left == right || (left | 0x20 == right | 0x20 && (0x61...0x7A).contains(left | 0x20))
            }
    }
}

extension HTTPRequest {
    /// A text of a query or a form: escapes resolved, and in a form plus signs.
    package static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> String {
        let bytes = plusIsSpace ? bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }[...] : bytes
        return String(decoding: CanonicalRequest.decode(bytes), as: UTF8.self)
    }
}
