/// Why an external key store's proxy did not do what it was asked, and what that is to the callers of the key service
/// (XKS proxy API specification, "Error codes").
enum XKSFailure: Error, Hashable {
    /// It says so.
    case refused(XKS.ErrorName)
    /// It says what nobody understands.
    case malformed
    /// It does not say anything.
    case silent(XKSTransportError)

    /// For making and changing a key store.
    var whileConfiguring: KeyManagementError {
        switch self {
        case .refused(.authenticationFailed): KeyManagementError(.incorrectProxyCredential, message)
        case .refused(.invalidURIPath): KeyManagementError(.invalidProxyConfiguration, message)
        case .refused(.dependencyTimeout), .refused(.throttling), .silent:
            KeyManagementError(.unreachableProxy, message)
        case .refused, .malformed: KeyManagementError(.invalidProxyResponse, message)
        }
    }

    /// For making a key.
    var whileCreating: KeyManagementError {
        switch self {
        case .refused(.invalidState), .refused(.invalidKeyUsage): KeyManagementError(.invalidExternalKey, message)
        case .refused(.keyNotFound): KeyManagementError(.externalKeyNotFound, message)
        case .refused(.accessDenied): KeyManagementError(.invalidState, message)
        default: KeyManagementError(.keyStoreInvalidState, message)
        }
    }

    /// For using a key.
    var whileUsing: KeyManagementError { KeyManagementError(.invalidState, message) }

    /// For connecting.
    var connectionError: KeyStoreConnectionError {
        switch self {
        case .refused(.authenticationFailed), .refused(.accessDenied): .proxyAccessDenied
        case .refused(.invalidURIPath): .proxyInvalidConfiguration
        case .silent(.untrusted): .proxyInvalidTLS
        case .silent(.timedOut), .refused(.dependencyTimeout): .proxyTimedOut
        case .silent(.notReachable), .refused(.throttling): .proxyNotReachable
        case .refused, .malformed, .silent(.malformed): .proxyInvalidResponse
        }
    }

    private var message: String {
        switch self {
        case .refused(.invalidState): "The external key is not enabled in its key manager."
        case .refused(.invalidCiphertext): "The external key store proxy did not accept the ciphertext or its context."
        case .refused(.invalidKeyUsage): "The external key is not for this operation."
        case .refused(.authenticationFailed): "The external key store proxy does not accept the credential."
        case .refused(.accessDenied): "The external key store proxy denies the operation."
        case .refused(.keyNotFound): "The external key is not in its key manager."
        case .refused(.invalidURIPath): "The external key store proxy has no such URI path."
        case .refused(.unsupportedOperation): "The external key store proxy does not do that."
        case .refused(.dependencyTimeout): "The external key manager did not answer in time."
        case .refused(.throttling): "The external key store proxy gets too many requests."
        case .refused(.internal): "The external key store proxy does not reach its key manager."
        case .refused(.validation), .malformed, .silent(.malformed):
            "The answer of the external key store proxy cannot be interpreted."
        case .silent(.notReachable): "The external key store proxy cannot be reached."
        case .silent(.untrusted): "The external key store proxy has no certificate that is trusted."
        case .silent(.timedOut): "The external key store proxy did not answer in time."
        }
    }
}
