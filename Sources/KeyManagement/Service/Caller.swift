public import AccessPolicy
internal import FoundationEssentials

/// As whom, and how, a client asks. One object: each operation hands it on several times.
final class Caller: Sendable {
    /// How a client asks.
    struct Options: Sendable {
        /// Grants that may be too new to have been seen.
        var grantTokens: [GrantToken] = []
        /// Whether the answer is withheld, and nothing is changed.
        var isDryRun = false
        /// Whether the request was counted already.
        var isAdmitted = false
        /// How its requests come.
        var context = RequestContext()
        /// Where its operations note what they did, for an adapter whose answers tell.
        var report: OperationReport?
    }

    let principal: Principal
    /// The session of a role that it acts in, where it took the role on here.
    let session: RoleSession?
    let options: Options
    /// On behalf of which resource, as a text.
    let sourceARN: String?
    /// The names by which grants may be for it.
    let grantNames: [PrincipalName]
    /// The marks of those.
    let grantMarks: UInt64

    init(_ principal: Principal, session: RoleSession? = nil, options: Options = Options()) {
        self.principal = principal
        self.session = session
        self.options = options
        grantNames = principal.grantNames
        grantMarks = grantNames.reduce(0) { $0 | $1.grantMark }
        sourceARN = options.context.sourceARN?.description
    }

    /// The same, asking in another way.
    init(_ other: Caller, options: Options) {
        (principal, session, grantNames, grantMarks) = (
            other.principal, other.session, other.grantNames, other.grantMarks
        )
        self.options = options
        sourceARN = options.context.sourceARN?.description
    }

    var grantTokens: [GrantToken] { options.grantTokens }
    var isDryRun: Bool { options.isDryRun }
    var isAdmitted: Bool { options.isAdmitted }
    var context: RequestContext { options.context }
    var report: OperationReport? { options.report }

    /// Refuses a session that is over.
    func check(at time: Date) throws(KeyManagementError) {
        guard session.map({ time < $0.expires }) != false else {
            throw KeyManagementError(.expiredSession, "The session of \(principal) has ended.")
        }
    }

    /// The service when it acts by itself.
    static let service = Caller(.service("kms.amazonaws.com"))
}

extension KeyManagementClient {
    /// The client with tokens of grants that another process may have made just now.
    ///
    /// - Parameter tokens: up to 10. One that stands for no grant makes every operation `invalidGrantToken`.
    public func using(_ tokens: GrantToken...) -> KeyManagementClient { using(tokens) }

    /// The client with tokens of grants, in a list.
    public func using(_ tokens: [GrantToken]) -> KeyManagementClient { copy { $0.grantTokens = tokens } }

    /// The client whose operations note what they did.
    package func reporting(to report: OperationReport) -> KeyManagementClient { copy { $0.report = report } }

    /// How the names of operations begin that change nothing.
    private static let reading = [
        "Describe", "Get", "List", "Encrypt", "Decrypt", "ReEncrypt", "Generate", "Sign", "Verify", "DeriveShared",
    ]

    /// Records the refusal of an operation that an adapter refuses by itself, and throws it.
    package func refuse(
        _ operation: String, _ error: KeyManagementError
    ) async throws(KeyManagementError) -> Never {
        let isReadOnly = KeyManagementClient.reading.contains { operation.hasPrefix($0) }
        try await service.perform(operation, as: caller) { (log: inout OperationLog) throws -> Void in
            log.isReadOnly = isReadOnly
            throw error
        }
        throw error
    }

    /// The client whose operations are tried only, and throw `dryRun` where they would succeed.
    package var trying: KeyManagementClient { copy { $0.isDryRun = true } }

    /// The client as it asks on behalf of a resource, such as a bucket: conditions know it as `aws:SourceArn`.
    public func onBehalf(of resource: ARN) -> KeyManagementClient {
        copy { $0.context.sourceARN = resource }
    }

    /// The client as its requests come in some way, for policies' conditions and the audit trail.
    public func with(_ context: RequestContext) -> KeyManagementClient { copy { $0.context = context } }

    /// Tries operations without doing them: everything is checked and recorded, nothing is changed or answered.
    ///
    /// ```swift
    /// try await client.dryRun { _ = try await $0.decrypt(ciphertext) }    // throws what decrypting would
    /// ```
    ///
    /// - Parameter body: one operation; of several, the first alone is tried.
    /// - Throws: what the operation would.
    public func dryRun(
        _ body: (KeyManagementClient) async throws -> Void
    ) async throws {
        do {
            try await body(copy { $0.isDryRun = true })
        } catch let error as KeyManagementError where error.code == .dryRun {}
    }

    func copy(_ change: (inout Caller.Options) -> Void) -> KeyManagementClient {
        var options = caller.options
        change(&options)
        return KeyManagementClient(service: service, caller: Caller(caller, options: options))
    }
}
