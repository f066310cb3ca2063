internal import Auditing
internal import FoundationEssentials

/// Speaks AWS's protocols in front of the key service: AWS JSON 1.1 for KMS, Query for STS, Signature V4 on both.
///
/// It has no transport: bytes and fields in, status and bytes out. AWS's SDKs and command line work with it by an endpoint's
/// address.
///
/// ```swift
/// let door = AWSFrontDoor(services: ["us-east-1": kms], accessKeys: keys)
/// let response = await door.answer(request)
/// ```
public final class AWSFrontDoor: Sendable {
    /// How it tells callers apart.
    public enum Mode: Sendable {
        /// By signatures, each of which is checked.
        case signed
        /// Not at all: any signature, or none. An access key of twelve digits is the account. For tests on one's own machine alone.
        case development
    }

    private let services: [String: KeyManagementService]
    private let authentication: Authenticator
    private let clock: any WallClock

    /// Takes a key service for each Region.
    ///
    /// - Parameters:
    ///   - services: by Region. A request is for the Region that its signature names.
    ///   - accessKeys: who may sign.
    ///   - mode: whether signatures are checked.
    ///   - clock: what time it is, for signatures and sessions.
    public init(
        services: [String: KeyManagementService], accessKeys: any AccessKeyDirectory, mode: Mode = .signed,
        clock: any WallClock = SystemClock()
    ) {
        self.services = services
        self.clock = clock
        authentication = Authenticator(accessKeys, isDevelopment: mode == .development)
    }

    /// Answers a request. Whatever is wrong with it is an answer too.
    public func answer(_ request: HTTPRequest, from address: String? = nil) async -> HTTPResponse {
        let requestID = UUID.random().lowercaseText
        let context = RequestContext(
            sourceIPAddress: address, userAgent: request.header("User-Agent"), requestID: requestID)
        if let target = request.header("X-Amz-Target") {
            return await answerJSON(request, target, context, requestID)
        }
        return await answerQuery(request, context, requestID)
    }

    private func answerJSON(
        _ request: HTTPRequest, _ target: String, _ context: RequestContext, _ requestID: String
    ) async -> HTTPResponse {
        do {
            let body = try await runKMS(request, target, context)
            return response(200, AWSFrontDoor.json, body, requestID)
        } catch {
            let failure = AWSFailure(wrapping: error)
            return response(failure.status, AWSFrontDoor.json, failure.json, requestID)
        }
    }

    private func runKMS(
        _ request: HTTPRequest, _ target: String, _ context: RequestContext
    ) async throws -> [UInt8] {
        let caller = try authentication.caller(request, service: "kms", at: clock.now)
        guard request.method == "POST", target.hasPrefix("TrentService."),
            let operation = KMSOperation.all[String(target.dropFirst("TrentService.".count))]
        else { throw AWSFailure("UnknownOperationException", "") }
        let client = try client(for: caller).with(context)
        let name = String(target.dropFirst("TrentService.".count))
        let input: Input
        do throws(AWSFailure) {
            input = try Input.read(request.body, required: operation.required)
        } catch { try await refuse(name, error, client) }
        var call = KMSCall(input, client)
        call.output.open()
        do {
            try await operation.run(&call)
        } catch let error as KeyManagementError where !call.report.isRecorded {
            // Refused here, before the service saw it: the trail knows all the same.
            try await client.refuse(name, error)
        } catch let error as AWSFailure { try await refuse(name, error, client) }
        call.output.close()
        // An operation without an answer has no content.
        return call.output.bytes.count == 2 ? [] : call.output.bytes
    }

    private func refuse(
        _ operation: String, _ failure: AWSFailure, _ client: KeyManagementClient
    ) async throws -> Never {
        let refusal = KeyManagementError(.init(name: failure.code), failure.message)
        do throws(KeyManagementError) {
            try await client.refuse(operation, refusal)
        } catch {
            if error.code == refusal.code { throw failure }
            throw error
        }
    }

    private func client(for caller: Authenticator.Caller) throws(AWSFailure) -> KeyManagementClient {
        guard let service = services[caller.region] else {
            throw AWSFailure(
                "InvalidSignatureException", "Credential should be scoped to a valid region, not '\(caller.region)'.")
        }
        return caller.session.map { service.client(for: $0) } ?? service.client(for: caller.principal)
    }

    private func answerQuery(
        _ request: HTTPRequest, _ context: RequestContext, _ requestID: String
    ) async -> HTTPResponse {
        do {
            let caller = try authentication.caller(request, service: "sts", at: clock.now)
            let client = try client(for: caller).with(context)
            // An address that was signed has its parameters in the query.
            let isQuery = request.body.isEmpty
            let form = STSRequest(isQuery ? Array(request.query.utf8) : request.body, isQuery: isQuery)
            let body = try await runSTS(form, client, requestID)
            return response(200, "text/xml", body, requestID)
        } catch {
            let failure = AWSFailure(wrapping: error).inQuery
            return response(failure.status, "text/xml", STSAnswer.document(failure, requestID: requestID), requestID)
        }
    }

    private func runSTS(
        _ request: STSRequest, _ client: KeyManagementClient, _ requestID: String
    ) async throws -> [UInt8] {
        switch request["Action"] {
        case "GetCallerIdentity":
            let principal = client.principal
            return STSAnswer.document("GetCallerIdentity", requestID: requestID) { answer in
                answer.element("Arn", principal.description)
                answer.element(
                    "UserId", principal.description.split(separator: "/").last.map(String.init) ?? principal.account)
                answer.element("Account", principal.account)
            }
        case "AssumeRole":
            return try await assumeRole(request, client, requestID)
        default:
            throw AWSFailure(
                "InvalidAction", "Could not find operation \(request["Action"] ?? "") for version 2011-06-15")
        }
    }

    private func assumeRole(
        _ request: STSRequest, _ client: KeyManagementClient, _ requestID: String
    ) async throws -> [UInt8] {
        guard let text = request["RoleArn"], let name = request["RoleSessionName"], let role = try? PrincipalName(text)
        else {
            throw AWSFailure("ValidationError", "RoleArn and RoleSessionName are required.")
        }
        try request.refuseUnknown(besides: AWSFrontDoor.assumeRoleParameters)
        guard let seconds = Int(request["DurationSeconds"] ?? "3600"), (900...43200).contains(seconds) else {
            throw AWSFailure("ValidationError", "DurationSeconds is a number from 900 to 43200.")
        }
        let policies: [PolicyDocument]
        do {
            policies = try [request["Policy"]].compactMap(\.self).map { try PolicyDocument($0) }
        } catch { throw AWSFailure("MalformedPolicyDocument", "\(error)") }
        let session = try await client.directory.assumeRole(
            role, session: name, narrowedTo: policies, tags: try request.list("Tags", "Key", "Value"),
            for: .seconds(seconds), externalID: request["ExternalId"])
        let key = try authentication.sessions.issue(session, at: clock.now)
        return STSAnswer.document("AssumeRole", requestID: requestID) { answer in
            answer.element("AssumedRoleUser") { answer in
                answer.element("AssumedRoleId", "\(role.description.split(separator: "/").last ?? ""):\(name)")
                answer.element("Arn", session.principal.description)
            }
            answer.element("Credentials") { answer in
                answer.element("AccessKeyId", key.id)
                answer.element("SecretAccessKey", key.secret)
                answer.element("SessionToken", key.token)
                answer.element("Expiration", session.expires.ISO8601Format())
            }
        }
    }

    private func response(
        _ status: Int, _ type: String, _ body: [UInt8], _ requestID: String
    ) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("Content-Type", type), ("x-amzn-RequestId", requestID), ("Cache-Control", "no-store")],
            body: body)
    }

    /// What a request may say; anything else would narrow or name the session in a way that nobody heeds.
    private static let assumeRoleParameters = [
        "Action", "Version", "RoleArn", "RoleSessionName", "Policy", "DurationSeconds", "ExternalId", "Tags.member.",
    ]

    private static let json = "application/x-amz-json-1.1"
}

extension AWSFailure {
    /// Any error, as clients may see it.
    init(wrapping error: any Error) {
        switch error {
        case let error as AWSFailure: self = error
        case let error as KeyManagementError: self.init(error)
        default: self.init("KMSInternalException", "The service failed.", status: 500)
        }
    }
}
