/// What a caller signs with: the two halves of an access key, and a session's token where it is a session's.
public struct AccessKey: ~Copyable, Sendable {
    /// The half that is sent.
    public let id: String
    /// The half that is not.
    public let secret: SecretBytes
    /// The token that goes with a session's key.
    public let sessionToken: String?

    /// Joins the halves.
    public init(id: String, secret: consuming SecretBytes, sessionToken: String? = nil) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }
}

/// Where and when a signature holds: `20150830/us-east-1/kms/aws4_request`.
public struct CredentialScope: Sendable, Hashable, CustomStringConvertible {
    /// The day, as eight digits.
    public let day: String
    /// Such as "us-east-1".
    public let region: String
    /// Such as "kms".
    public let service: String

    /// Joins the three.
    public init(day: String, region: String, service: String) {
        self.day = day
        self.region = region
        self.service = service
    }

    /// The four parts, with slashes between.
    public var description: String { "\(day)/\(region)/\(service)/aws4_request" }

    /// The key for one scope: it is derived from the secret once, and signs for a day.
    public func signingKey(_ secret: borrowing SecretBytes) throws(CryptographyError) -> HMAC {
        let prefix = Array("AWS4".utf8)
        var key = SecretBytes(capacity: secret.count + 4) { output in
            output.append(copying: prefix.span)
            secret.withBytes { output.append(copying: $0) }
        }
        for part in [day, region, service, "aws4_request"] {
            let digest = try HMAC(.sha256, key: key).authenticate(Array(part.utf8).span)
            key = SecretBytes(copying: digest.bytes)
        }
        return try HMAC(.sha256, key: key)
    }
}
