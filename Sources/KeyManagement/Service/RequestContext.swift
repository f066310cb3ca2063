public import AccessPolicy

/// How a request came, as policies' conditions and the audit trail see it. What is nil, conditions do not find.
public struct RequestContext: Sendable, Hashable {
    /// Where it came from: `aws:SourceIp`, and `sourceIPAddress` in events.
    public var sourceIPAddress: String?
    /// With what program: `aws:UserAgent`.
    public var userAgent: String?
    /// Whether it came by TLS: `aws:SecureTransport`.
    public var isSecureTransport: Bool?
    /// Through which service, such as "s3.us-east-1.amazonaws.com": `kms:ViaService`, `aws:ViaAWSService`, `aws:CalledVia`.
    public var viaService: String?
    /// On behalf of which resource: `aws:SourceArn`.
    public var sourceARN: ARN?
    /// Of which account that resource is: `aws:SourceAccount`.
    public var sourceAccount: String?
    /// Through which endpoint of a private network: `aws:SourceVpce`.
    public var sourceEndpoint: String?
    /// What its sender calls it: an external key store's proxy is told.
    public var requestID: String?
    /// The organisation of the principal's account: `aws:PrincipalOrgID`.
    public var organizationID: String?

    /// Joins what is known.
    public init(
        sourceIPAddress: String? = nil, userAgent: String? = nil, isSecureTransport: Bool? = nil,
        viaService: String? = nil, sourceARN: ARN? = nil, sourceAccount: String? = nil, sourceEndpoint: String? = nil,
        organizationID: String? = nil, requestID: String? = nil
    ) {
        self.sourceIPAddress = sourceIPAddress
        self.userAgent = userAgent
        self.isSecureTransport = isSecureTransport
        self.viaService = viaService
        self.sourceARN = sourceARN
        self.sourceAccount = sourceAccount
        self.sourceEndpoint = sourceEndpoint
        self.organizationID = organizationID
        self.requestID = requestID
    }

    /// The value of a condition key, given in lower case.
    func values(_ name: String) -> [String] {
        let value: String? =
            switch name {
            case "aws:sourceip": sourceIPAddress
            case "aws:useragent": userAgent
            case "aws:securetransport": isSecureTransport.map { $0 ? "true" : "false" }
            case "kms:viaservice": viaService
            case "aws:viaawsservice": viaService == nil ? "false" : "true"
            case "aws:calledvia", "aws:calledviafirst", "aws:calledvialast":
                viaService.map { "\($0.prefix { $0 != "." }).amazonaws.com" }
            case "aws:sourcearn": sourceARN?.description
            case "aws:sourceaccount": sourceAccount
            case "aws:sourcevpce": sourceEndpoint
            case "aws:principalorgid": organizationID
            default: nil
            }
        return value.map { [$0] } ?? []
    }
}
