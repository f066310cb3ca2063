import Foundation
import StrongroomTestSupport
import Testing

@testable import AWSSignature

/// AWS's own cases of Signature V4, signed and checked.
@Suite(.vectors("sigv4/v4"))
struct SignatureVectorTests {
    struct Context: Decodable {
        struct Credentials: Decodable {
            let access_key_id, secret_access_key: String
            let token: String?
        }
        let credentials: Credentials
        let region, service, timestamp: String
        let normalize, sign_body: Bool
        let expiration_in_seconds: Int
        let omit_session_token: Bool?
    }

    @Test func `all of AWS's cases are signed as theirs, and taken`() throws {
        let folder = try #require(Vectors.url("sigv4/v4"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        for name in names {
            func text(_ file: String) throws -> String {
                try String(contentsOf: folder.appendingPathComponent("\(name)/\(file)"), encoding: .utf8)
            }
            let context = try JSONDecoder().decode(Context.self, from: Data(text("context.json").utf8))
            let request = try Self.request(text("request.txt"))
            let date = try Date(context.timestamp, strategy: .iso8601)
            let secret = SecretBytes(copying: Array(context.credentials.secret_access_key.utf8))
            var signer = RequestSigner(
                AccessKey(
                    id: context.credentials.access_key_id, secret: secret.copy(),
                    sessionToken: context.credentials.token), region: context.region, service: context.service)
            signer.normalizesPath = context.normalize
            signer.sendsContentHash = context.sign_body
            signer.leavesTokenUnsigned = context.omit_session_token ?? false
            let signed = try signer.sign(request, at: date)
            #expect(
                try signed.header("Authorization")?.hasSuffix(text("header-signature.txt").trimmed) == true, "\(name)")
            let presigned = try signer.presign(request, at: date, expiresIn: context.expiration_in_seconds)
            #expect(try presigned.query.hasSuffix(text("query-signature.txt").trimmed), "\(name)")
            // A token that was added afterwards to a query cannot be told from one that was signed.
            for taken in context.omit_session_token == true ? [signed] : [signed, presigned] {
                let presented = try PresentedSignature(taken, normalizesPath: context.normalize)
                #expect(presented.accessKeyID == context.credentials.access_key_id)
                #expect(presented.sessionToken == context.credentials.token)
                let key = try presented.scope.signingKey(secret)
                try presented.check(with: key, at: date)
                let other = try presented.scope.signingKey(SecretBytes(copying: [1]))
                #expect(throws: SignatureRefusal.mismatch) { try presented.check(with: other, at: date) }
                for seconds in [-1000.0, 4000] {
                    #expect(throws: SignatureRefusal.self) { try presented.check(with: key, at: date + seconds) }
                }
                for damaged in Self.damaged(taken) {
                    #expect(throws: SignatureRefusal.self, "\(name): \(damaged)") {
                        try PresentedSignature(damaged, normalizesPath: context.normalize).check(with: key, at: date)
                    }
                }
            }
        }
        #expect(names.count == 38)
    }

    /// The request with one thing changed each.
    private static func damaged(_ request: HTTPRequest) -> [HTTPRequest] {
        var all: [HTTPRequest] = []
        func change(_ body: (inout HTTPRequest) -> Void) {
            var copy = request
            body(&copy)
            all.append(copy)
        }
        change { $0.method = "PUT" }
        change { $0.path += "x" }
        change { $0.query = "a=b" + ($0.query.isEmpty ? "" : "&" + $0.query) }
        change { $0.body.append(1) }
        change { $0.headers.append(("X-Amz-Target", "Other")) }
        change { $0.headers.removeAll { $0.name == "Host" } }
        change { request in
            guard let place = request.headers.firstIndex(where: { $0.name == "Host" }) else { return }
            request.headers[place].value += "x"
        }
        return all
    }

    private static func request(_ text: String) throws -> HTTPRequest {
        let parts = text.components(separatedBy: "\n\n")
        var lines = parts[0].components(separatedBy: "\n")
        let start = lines.removeFirst()
        let (method, rest) = (start.prefix { $0 != " " }, start.drop { $0 != " " }.dropFirst())
        let target = String(rest.dropLast(" HTTP/1.1".count))
        var headers: [(name: String, value: String)] = []
        for line in lines where !line.isEmpty {
            if line.hasPrefix(" "), let last = headers.indices.last {
                headers[last].value += "\n" + line
            } else {
                let field = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                headers.append((String(field[0]), String(field[1])))
            }
        }
        let body = parts.count > 1 ? parts[1...].joined(separator: "\n\n") : ""
        return HTTPRequest(method: String(method), target: target, headers: headers, body: Array(body.utf8))
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
