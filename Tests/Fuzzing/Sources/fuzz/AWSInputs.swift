import AWSCompatibility
import Foundation

/// Requests of AWS's clients, in development mode, so that what is behind the signature is reached.
enum AWSInputs {
    static let operations = [
        "CreateKey", "DescribeKey", "ListKeys", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "Sign", "Verify",
        "CreateGrant", "ListGrants", "RetireGrant", "TagResource", "CreateAlias", "PutKeyPolicy", "ImportKeyMaterial",
        "ScheduleKeyDeletion", "EnableKeyRotation", "ListKeyRotations", "GenerateMac",
    ]
    static let time = Date(timeIntervalSince1970: 1_790_000_000)

    nonisolated(unsafe) private static var made: AWSFrontDoor?
    static var door: AWSFrontDoor {
        guard let made else { fatalError("prepare first") }
        return made
    }

    static func prepare(_ service: KeyManagementService) {
        made = AWSFrontDoor(services: ["us-east-1": service], accessKeys: StaticAccessKeys(), mode: .development)
    }

    static let nobodysKey: HMAC = {
        guard let key = try? HMAC(.sha256, key: SecretBytes(copying: [UInt8](repeating: 7, count: 32))) else {
            fatalError()
        }
        return key
    }()

    /// The first byte says which operation, or STS; the rest is the content.
    static func request(_ bytes: [UInt8]) -> HTTPRequest {
        let body = Array(bytes.dropFirst())
        let choice = Int(bytes.first ?? 0) % (operations.count + 1)
        guard choice < operations.count else {
            return HTTPRequest(method: "POST", target: "/", headers: [("Host", "localhost")], body: body)
        }
        return HTTPRequest(
            method: "POST", target: "/",
            headers: [("Host", "localhost"), ("X-Amz-Target", "TrentService.\(operations[choice])")], body: body)
    }

    static let requests: [[UInt8]] = [
        "\u{0}{\"KeySpec\":\"HMAC_256\",\"KeyUsage\":\"GENERATE_VERIFY_MAC\",\"Tags\":[{\"TagKey\":\"a\",\"TagValue\":\"b\"}]}",
        "\u{2}{\"Limit\":1,\"Marker\":\"YQ==\"}",
        "\u{3}{\"KeyId\":\"alias/a\",\"Plaintext\":\"YWJj\",\"EncryptionContext\":{\"a\":\"b\"}}",
        "\u{9}{\"KeyId\":\"alias/a\",\"GranteePrincipal\":\"arn:aws:iam::111122223333:root\",\"Operations\":[\"Decrypt\"],\"Constraints\":{\"EncryptionContextSubset\":{\"a\":\"b\"}}}",
        "\u{14}Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fr&RoleSessionName=s1&DurationSeconds=900&Tags.member.1.Key=a&Tags.member.1.Value=b",
    ].map { Array($0.utf8) }

    /// Lines of a request: its target, then fields.
    static func signedRequest(_ bytes: [UInt8]) -> HTTPRequest {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let target = lines.isEmpty ? "/" : String(lines.removeFirst())
        let headers = lines.map { line in
            let field = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(field[0]), value: field.count == 2 ? String(field[1]) : "")
        }
        return HTTPRequest(method: "POST", target: target, headers: headers, body: [1, 2, 3])
    }

    static func signatures() throws -> [[UInt8]] {
        let signer = RequestSigner(
            AccessKey(id: "AKIA", secret: SecretBytes(copying: [1]), sessionToken: "token"), region: "us-east-1",
            service: "kms")
        let plain = HTTPRequest(
            method: "POST", target: "/a/../b?x=%20&y", headers: [("Host", "localhost"), ("X-Amz-Target", "T.O")],
            body: [1, 2, 3])
        return try [signer.sign(plain, at: time), signer.presign(plain, at: time, expiresIn: 60)].map { request in
            let target = "\(request.path)?\(request.query)"
            return Array(([target] + request.headers.map { "\($0.name):\($0.value)" }).joined(separator: "\n").utf8)
        }
    }
}
