internal import Auditing
internal import KeyManagement

/// Why a request is refused, as AWS's protocols say it.
struct AWSFailure: Error {
    let code: String
    let message: String
    var status = 400

    init(_ code: String, _ message: String, status: Int = 400) {
        (self.code, self.message, self.status) = (code, message, status)
    }

    /// An error of the key service. What has no name in AWS's API is an internal failure, which clients try again.
    init(_ error: KeyManagementError) {
        switch error.code {
        case _ where error.storeError?.code == .locked:
            self.init("DependencyTimeoutException", "The store is in use by others for too long.", status: 503)
        case .internalFailure, .storeFailure, .auditFailure, .clockJumped, .tampered, .wrongRootOfTrust:
            self.init("KMSInternalException", "The service failed: \(error.code.name)", status: 500)
        // What was tried against others in vain may be tried again.
        case .conflict: self.init("DependencyTimeoutException", error.message, status: 503)
        case .keyStoreFailure: self.init(error.code.name, error.message, status: 500)
        default: self.init(error.code.name, error.message)
        }
    }

    /// The same with the codes and statuses of the Query protocol.
    var inQuery: AWSFailure {
        switch code {
        case "InvalidSignatureException": AWSFailure("SignatureDoesNotMatch", message, status: 403)
        case "UnrecognizedClientException": AWSFailure("InvalidClientTokenId", message, status: 403)
        case "MissingAuthenticationTokenException": AWSFailure("MissingAuthenticationToken", message, status: 403)
        case "ExpiredTokenException": AWSFailure("ExpiredToken", message, status: 403)
        case "AccessDeniedException": AWSFailure("AccessDenied", message, status: 403)
        case "IncompleteSignatureException": AWSFailure("IncompleteSignature", message)
        case "ValidationException": AWSFailure("ValidationError", message)
        case "MalformedPolicyDocumentException": AWSFailure("MalformedPolicyDocument", message)
        case "KMSInternalException": AWSFailure("InternalFailure", message, status: 500)
        case "DependencyTimeoutException": AWSFailure("ServiceUnavailable", message, status: 503)
        default: self
        }
    }

    /// Several members that are not as they must be.
    init(violations: [String]) {
        let count = violations.count
        self.init(
            "ValidationException",
            "\(count) validation error\(count == 1 ? "" : "s") detected: \(violations.joined(separator: "; "))")
    }

    /// The body of AWS JSON 1.1.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.open()
        writer.field("__type", code)
        // AWS leaves some exceptions without a message.
        if !message.isEmpty { writer.field("message", message) }
        writer.close()
        return writer.bytes
    }
}
