/// A request in the one form that both sides sign (AWS, "Create a signed AWS API request").
struct CanonicalRequest {
    let text: String

    /// - Parameters:
    ///   - signedHeaders: the names in lower case, sorted.
    ///   - query: the pairs that count, encoded or not.
    ///   - normalizesPath: whether `.`, `..` and double slashes mean nothing, as everywhere but in S3.
    init(
        _ request: HTTPRequest, signedHeaders: [String], query: [(String, String)], payloadHash: String,
        normalizesPath: Bool
    ) {
        let path = normalizesPath ? CanonicalRequest.normalized(request.path) : request.path
        let encodedPath = CanonicalRequest.encode(Array(path.utf8), keepingSlashes: true)
        let pairs = query.map { (CanonicalRequest.reencode($0), CanonicalRequest.reencode($1)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
        let headers = signedHeaders.map { name in
            let values = request.headers.filter { $0.name.equalsIgnoringCase(name) }.map {
                CanonicalRequest.trimmed($0.value)
            }
            return "\(name):\(values.joined(separator: ","))\n"
        }.joined()
        text = [
            request.method, encodedPath.isEmpty ? "/" : encodedPath, pairs, headers,
            signedHeaders.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    /// The pairs of a query as it was sent.
    static func pairs(_ query: String) -> [(String, String)] {
        query.utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
    }

    /// What a signature signs.
    func stringToSign(timestamp: String, _ scope: CredentialScope) throws(CryptographyError) -> String {
        let hash = Hexadecimal.encode(try HashFunction.sha256.hash(Array(text.utf8)).array)
        return "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(hash)"
    }

    /// Leading and trailing spaces away, others once.
    private static func trimmed(_ value: String) -> String {
        value.utf8.split { $0 == 0x20 || (0x09...0x0A).contains($0) || $0 == 0x0D }.map { Substring($0) }
            .joined(separator: " ")
    }

    /// A text as it was sent, with every escape written in the one way.
    static func reencode(_ text: String) -> String { encode(decode(text), keepingSlashes: false) }

    /// The bytes of a text with escapes; a per cent sign that begins none is itself.
    static func decode(_ text: String) -> [UInt8] { decode(Array(text.utf8)[...]) }

    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.first {
            if byte == UInt8(ascii: "%"), rest.count >= 3,
                let value = Hexadecimal.decode(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self))?.first
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }

    /// RFC 3986's unreserved characters stay, all others become escapes in capitals.
    static func encode(_ bytes: [UInt8], keepingSlashes: Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            case UInt8(ascii: "/") where keepingSlashes: encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// RFC 3986, 5.2.4, and slashes once.
    private static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." {
                _ = segments.popLast()
            } else {
                segments.append(segment)
            }
        }
        let end = path.hasSuffix("/") && !segments.isEmpty ? "/" : ""
        return "/" + segments.joined(separator: "/") + end
    }
}
