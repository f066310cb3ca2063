public import FoundationEssentials

/// Why a request's signature is not taken.
public enum SignatureRefusal: Error, Sendable, Hashable {
    /// There is none.
    case missing
    /// There is something in its place, for a person to read.
    case incomplete(String)
    /// It is of another time; both are given, as `20150830T123600Z`.
    case expired(signed: String, now: String)
    /// It is not the key's for this request.
    case mismatch
}

/// A signature that came with a request, read and not yet checked.
public struct PresentedSignature: Sendable {
    /// Whose access key it claims to be.
    public let accessKeyID: String
    /// Where and when it holds.
    public let scope: CredentialScope
    /// The session's token, where one came.
    public let sessionToken: String?

    /// How far clocks may be apart, in seconds, where no expiry is signed.
    public static let tolerance = 900.0

    private let canonical: CanonicalRequest
    private let timestamp: String
    private let date: Date
    private let lifetime: Double?
    private let signature: [UInt8]

    /// Reads the signature in a request's header or query.
    ///
    /// What is signed must be what is sent: `host`, and every field that begins with `x-amz-` but a token that was added
    /// afterwards; a content hash that is given must be the content's.
    ///
    /// - Throws: `missing`, `incomplete`.
    public init(_ request: HTTPRequest, normalizesPath: Bool = true) throws(SignatureRefusal) {
        let query = CanonicalRequest.pairs(request.query)
        let fields: Fields
        if let authorization = request.header("Authorization") {
            fields = try Fields(authorization: authorization, request)
        } else if query.contains(where: { $0.0 == "X-Amz-Signature" }) {
            fields = try Fields(query: query)
        } else {
            throw .missing
        }
        let parts = fields.credential.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard parts.count >= 5, parts.last == "aws4_request" else {
            throw .incomplete("Credential must have the form KEY/DATE/REGION/SERVICE/aws4_request")
        }
        let scope = CredentialScope(
            day: String(parts[parts.count - 4]), region: String(parts[parts.count - 3]),
            service: String(parts[parts.count - 2]))
        guard let date = SignatureTime.date(fields.timestamp), fields.timestamp.hasPrefix(scope.day) else {
            throw .incomplete("Date in Credential scope does not match the date of the request")
        }
        let names = fields.signedHeaders.utf8.split(separator: UInt8(ascii: ";")).map { String(Substring($0)) }
        guard names.contains("host"), names == names.map({ $0.lowercased() }).sorted() else {
            throw .incomplete("SignedHeaders must be sorted, and have the host")
        }
        guard
            request.headers.allSatisfy({ field in
                guard Substring(field.name.utf8.prefix(6)).equalsIgnoringCase("x-amz-") else { return true }
                let name = field.name.lowercased()
                return name == "x-amz-security-token" || names.contains(name)
            })
        else { throw .incomplete("A field that begins with x-amz- is not signed") }
        guard let signature = Hexadecimal.decode(fields.signature), signature.count == 32,
            let hash = try? HashFunction.sha256.hash(request.body).array
        else { throw .incomplete("Signature must be 64 hexadecimal digits") }
        let payload = Hexadecimal.encode(hash)
        guard request.header("x-amz-content-sha256").map({ $0 == payload }) != false else { throw .mismatch }
        self.scope = scope
        self.date = date
        self.signature = signature
        timestamp = fields.timestamp
        lifetime = fields.lifetime
        sessionToken = fields.token
        accessKeyID = parts.dropLast(4).joined(separator: "/")
        canonical = CanonicalRequest(
            request, signedHeaders: names, query: query.filter { $0.0 != "X-Amz-Signature" }, payloadHash: payload,
            normalizesPath: normalizesPath)
    }

    /// Checks the signature, under the scope's key.
    ///
    /// - Parameter tolerance: how many seconds its time may differ, where it has no lifetime of its own.
    /// - Throws: `expired`, `mismatch`.
    public func check(
        with key: HMAC, at now: Date, within tolerance: Double = PresentedSignature.tolerance
    ) throws(SignatureRefusal) {
        let age = now.timeIntervalSince(date)
        guard age >= -tolerance, age <= lifetime ?? tolerance else {
            throw .expired(signed: timestamp, now: SignatureTime.text(now))
        }
        let isValid: Bool
        do throws(CryptographyError) {
            let text = try canonical.stringToSign(timestamp: timestamp, scope)
            isValid = try key.isValid(signature.span, for: Array(text.utf8).span)
        } catch { throw .mismatch }
        guard isValid else { throw .mismatch }
    }

    /// What a header or a query says.
    private struct Fields {
        let credential, signedHeaders, signature, timestamp: String
        let token: String?
        var lifetime: Double?

        init(authorization: String, _ request: HTTPRequest) throws(SignatureRefusal) {
            guard authorization.hasPrefix("AWS4-HMAC-SHA256 ") else {
                throw .incomplete("Authorization must begin with AWS4-HMAC-SHA256")
            }
            var values: [String: String] = [:]
            // By bytes: to look for characters, with all that may join one, takes longer than to check the signature.
            for part in authorization.utf8.dropFirst("AWS4-HMAC-SHA256 ".utf8.count).split(separator: UInt8(ascii: ","))
            {
                let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2 else { throw .incomplete("Authorization has a part without a value") }
                let texts = pair.map { String(decoding: $0.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self) }
                values[texts[0]] = texts[1]
            }
            guard let credential = values["Credential"], let headers = values["SignedHeaders"],
                let signature = values["Signature"], let timestamp = request.header("X-Amz-Date")
            else {
                throw .incomplete(
                    "Authorization needs Credential, SignedHeaders and Signature, and there must be a date")
            }
            (self.credential, signedHeaders, self.signature, self.timestamp) = (
                credential, headers, signature, timestamp
            )
            token = request.header("X-Amz-Security-Token")
        }

        init(query: [(String, String)]) throws(SignatureRefusal) {
            func value(_ name: String) -> String? {
                query.first { $0.0 == name }.map { String(decoding: CanonicalRequest.decode($0.1), as: UTF8.self) }
            }
            guard value("X-Amz-Algorithm") == "AWS4-HMAC-SHA256", let credential = value("X-Amz-Credential"),
                let headers = value("X-Amz-SignedHeaders"), let signature = value("X-Amz-Signature"),
                let timestamp = value("X-Amz-Date"), let seconds = value("X-Amz-Expires").flatMap({ Int($0) }),
                (1...604_800).contains(seconds)
            else { throw .incomplete("The query lacks a part of the signature") }
            (self.credential, signedHeaders, self.signature, self.timestamp) = (
                credential, headers, signature, timestamp
            )
            token = value("X-Amz-Security-Token")
            lifetime = Double(seconds)
        }
    }
}
