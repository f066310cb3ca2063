public import FoundationEssentials

/// Signs requests with Signature Version 4, in their headers or in their query.
public struct RequestSigner: ~Copyable, Sendable {
    private let accessKey: AccessKey
    private let region: String
    private let service: String
    /// Whether `.`, `..` and double slashes in paths mean nothing: everywhere but in S3.
    public var normalizesPath = true
    /// Whether the content's hash stands in a header of its own.
    public var sendsContentHash = false
    /// Whether a session's token is sent without being signed, as some services want it.
    public var leavesTokenUnsigned = false

    /// Takes the key, and where its signatures are to hold.
    public init(_ accessKey: consuming AccessKey, region: String, service: String) {
        self.accessKey = accessKey
        self.region = region
        self.service = service
    }

    /// The request with its signature in the field Authorization. All of its fields are signed, so it must have its Host.
    public func sign(_ request: HTTPRequest, at date: Date) throws(CryptographyError) -> HTTPRequest {
        let timestamp = SignatureTime.text(date)
        let hash = Hexadecimal.encode(try HashFunction.sha256.hash(request.body).array)
        var request = request
        request.headers.append(("X-Amz-Date", timestamp))
        if sendsContentHash { request.headers.append(("x-amz-content-sha256", hash)) }
        let token = accessKey.sessionToken.map { (name: "X-Amz-Security-Token", value: $0) }
        if let token, !leavesTokenUnsigned { request.headers.append(token) }
        let names = Set(request.headers.map { $0.name.lowercased() }).sorted()
        let canonical = CanonicalRequest(
            request, signedHeaders: names, query: CanonicalRequest.pairs(request.query), payloadHash: hash,
            normalizesPath: normalizesPath)
        let scope = CredentialScope(day: String(timestamp.prefix(8)), region: region, service: service)
        let signature = try signature(canonical, timestamp, scope)
        if let token, leavesTokenUnsigned { request.headers.append(token) }
        request.headers.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKey.id)/\(scope), SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"
            ))
        return request
    }

    /// The request with its signature in the query: whoever has the address may make it, until it expires.
    public func presign(
        _ request: HTTPRequest, at date: Date, expiresIn seconds: Int
    ) throws(CryptographyError) -> HTTPRequest {
        let timestamp = SignatureTime.text(date)
        var request = request
        let hash = Hexadecimal.encode(try HashFunction.sha256.hash(request.body).array)
        let scope = CredentialScope(day: String(timestamp.prefix(8)), region: region, service: service)
        let names = Set(request.headers.map { $0.name.lowercased() }).sorted()
        var added = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(accessKey.id)/\(scope)"),
            ("X-Amz-Date", timestamp), ("X-Amz-SignedHeaders", names.joined(separator: ";")),
            ("X-Amz-Expires", String(seconds)),
        ]
        let token = accessKey.sessionToken.map { ("X-Amz-Security-Token", $0) }
        if let token, !leavesTokenUnsigned { added.append(token) }
        func escaped(_ pairs: [(String, String)]) -> [(String, String)] {
            pairs.map { ($0, CanonicalRequest.encode(Array($1.utf8), keepingSlashes: false)) }
        }
        var pairs = CanonicalRequest.pairs(request.query) + escaped(added)
        let canonical = CanonicalRequest(
            request, signedHeaders: names, query: pairs, payloadHash: hash, normalizesPath: normalizesPath)
        if let token, leavesTokenUnsigned { pairs += escaped([token]) }
        pairs.append(("X-Amz-Signature", try signature(canonical, timestamp, scope)))
        request.query = pairs.map { "\($0)=\($1)" }.joined(separator: "&")
        return request
    }

    private func signature(
        _ canonical: CanonicalRequest, _ timestamp: String, _ scope: CredentialScope
    ) throws(CryptographyError) -> String {
        let text = try canonical.stringToSign(timestamp: timestamp, scope)
        return Hexadecimal.encode(try scope.signingKey(accessKey.secret).authenticate(Array(text.utf8).span).array)
    }
}

/// Times as signatures have them: `20150830T123600Z`.
enum SignatureTime {
    static func text(_ date: Date) -> String {
        let time = CivilTime(secondsSince1970: Int(date.timeIntervalSince1970.rounded(.down)))
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return digits(time.year, 4) + digits(time.month, 2) + digits(time.day, 2) + "T" + digits(time.hour, 2)
            + digits(time.minute, 2) + digits(time.second, 2) + "Z"
    }

    /// The time of a text; nil for any other text.
    static func date(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        let digits = (bytes[..<8] + bytes[9..<15]).map { Int($0) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        return CivilTime(
            year: number(0..<4), month: number(4..<6), day: number(6..<8), hour: number(8..<10),
            minute: number(10..<12), second: number(12..<14)
        ).map { Date(timeIntervalSince1970: Double($0.secondsSince1970)) }
    }
}
