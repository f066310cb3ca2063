internal import FoundationEssentials
internal import Synchronization

/// Who sent a request, by its signature.
final class Authenticator: Sendable {
    /// An identity that a request has shown.
    struct Caller: Sendable {
        let principal: Principal
        let session: RoleSession?
        let region: String
        let accessKeyID: String
    }

    private let directory: any AccessKeyDirectory
    private let isDevelopment: Bool
    let sessions = SessionKeys()
    /// Signing keys by access key and scope: each is good for a day, so a few are in use at a time.
    private let signingKeys = Mutex([String: (secret: KeptSecret, key: HMAC)]())

    init(_ directory: any AccessKeyDirectory, isDevelopment: Bool) {
        self.directory = directory
        self.isDevelopment = isDevelopment
    }

    /// Checks a request's signature for a service.
    func caller(_ request: HTTPRequest, service: String, at now: Date) throws(AWSFailure) -> Caller {
        if isDevelopment { return developer(request) }
        let presented: PresentedSignature
        do throws(SignatureRefusal) {
            presented = try PresentedSignature(request)
        } catch { throw AWSFailure(error) }
        guard presented.scope.service == service else {
            throw AWSFailure(
                "InvalidSignatureException", "Credential should be scoped to correct service: '\(service)'.")
        }
        let id = presented.accessKeyID
        let session = sessions.entry(id)
        guard
            let owner = session.map({ ($0.session.principal, $0.secret) })
                ?? directory.owner(ofAccessKey: id).map({ ($0.principal, $0.secret) })
        else {
            throw AWSFailure("UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        if let session {
            guard let token = presented.sessionToken, token == session.token else {
                throw AWSFailure(
                    "UnrecognizedClientException", "The security token included in the request is invalid.")
            }
        }
        do throws(SignatureRefusal) {
            let key = try signingKey(id, presented.scope, owner.1)
            try presented.check(with: key, at: now)
            // Only what has proved itself is kept.
            keep(key, id, presented.scope, owner.1)
        } catch { throw AWSFailure(error) }
        if let session, session.session.expires <= now {
            throw AWSFailure("ExpiredTokenException", "The security token included in the request is expired")
        }
        return Caller(
            principal: owner.0, session: session?.session, region: presented.scope.region, accessKeyID: id)
    }

    /// Whoever it is: the account is the access key where that is one, else the accounts file's, else all zeros.
    private func developer(_ request: HTTPRequest) -> Caller {
        let presented = try? PresentedSignature(request)
        let id = presented?.accessKeyID ?? Authenticator.claimedKey(request)
        let region = presented?.scope.region ?? Authenticator.claimedRegion(request)
        if let entry = sessions.entry(id) {
            return Caller(principal: entry.session.principal, session: entry.session, region: region, accessKeyID: id)
        }
        let principal: Principal =
            if Principal.isAccount(id) {
                .root(account: id)
            } else {
                directory.owner(ofAccessKey: id)?.principal ?? .root(account: "000000000000")
            }
        return Caller(principal: principal, session: nil, region: region, accessKeyID: id)
    }

    /// The access key in whatever stands where a signature should.
    private static func claimedKey(_ request: HTTPRequest) -> String {
        claims(request).first.map(String.init) ?? ""
    }

    private static func claimedRegion(_ request: HTTPRequest) -> String {
        let parts = claims(request)
        return parts.count >= 4 ? String(parts[2]) : "us-east-1"
    }

    private static func claims(_ request: HTTPRequest) -> [Substring] {
        guard let field = request.header("Authorization"), let start = field.firstRange(of: "Credential=") else {
            return []
        }
        return field[start.upperBound...].prefix { $0 != "," && $0 != " " }.split(separator: "/")
    }

    private func signingKey(
        _ id: String, _ scope: CredentialScope, _ secret: KeptSecret
    ) throws(SignatureRefusal) -> HMAC {
        // A secret that was replaced is another object.
        if let known = signingKeys.withLock({ $0["\(id)/\(scope)"] }), known.secret === secret { return known.key }
        guard let key = try? scope.signingKey(secret.bytes) else { throw .mismatch }
        return key
    }

    private func keep(_ key: HMAC, _ id: String, _ scope: CredentialScope, _ secret: KeptSecret) {
        signingKeys.withLock { keys in
            if keys.count >= 1000 { keys.removeAll() }
            keys["\(id)/\(scope)"] = (secret, key)
        }
    }
}

extension AWSFailure {
    /// AWS's names for what is wrong with a signature.
    init(_ refusal: SignatureRefusal) {
        switch refusal {
        case .missing: self.init("MissingAuthenticationTokenException", "Missing Authentication Token")
        case .incomplete(let reason): self.init("IncompleteSignatureException", reason)
        case .expired(let signed, let now):
            self.init("InvalidSignatureException", "Signature expired: \(signed) is not within 15 minutes of \(now)")
        case .mismatch:
            self.init(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
            )
        }
    }
}
