package import Cryptography

/// The JSON of the XKS proxy protocol, version 1, of both sides (AWS KMS External Key Store Proxy API Specification).
package enum XKS {
    /// Who asks, and for what: shown in each request.
    package struct RequestMetadata: Codable, Sendable, Hashable {
        package var awsPrincipalArn: String?
        package var kmsKeyArn: String?
        package let kmsOperation: String
        package let kmsRequestId: String
        package var kmsViaService: String?
        package var awsSourceVpce: String?

        package init(operation: String, requestID: String, principal: String? = nil, key: String? = nil) {
            (kmsOperation, kmsRequestId, awsPrincipalArn, kmsKeyArn) = (operation, requestID, principal, key)
        }
    }

    /// A question that has nothing but its metadata.
    package struct PlainRequest: Codable, Sendable {
        package let requestMetadata: RequestMetadata

        package init(requestMetadata: RequestMetadata) { self.requestMetadata = requestMetadata }
    }

    package struct EncryptRequest: Codable, Sendable {
        package let requestMetadata: RequestMetadata
        package let plaintext: Base64Text
        package let encryptionAlgorithm: String
        package let additionalAuthenticatedData: Base64Text?
        package let ciphertextDataIntegrityValueAlgorithm: String?
    }

    package struct EncryptResponse: Codable, Sendable {
        package let ciphertext: Base64Text
        package let ciphertextMetadata: Base64Text?
        package let initializationVector: Base64Text
        package let authenticationTag: Base64Text
        package let ciphertextDataIntegrityValue: Base64Text?

        package init(
            ciphertext: Base64Text, initializationVector: Base64Text, authenticationTag: Base64Text,
            ciphertextDataIntegrityValue: Base64Text?
        ) {
            self.ciphertext = ciphertext
            ciphertextMetadata = nil
            self.initializationVector = initializationVector
            self.authenticationTag = authenticationTag
            self.ciphertextDataIntegrityValue = ciphertextDataIntegrityValue
        }
    }

    package struct DecryptRequest: Codable, Sendable {
        package let requestMetadata: RequestMetadata
        package let ciphertext: Base64Text
        package let ciphertextMetadata: Base64Text?
        package let encryptionAlgorithm: String
        package let additionalAuthenticatedData: Base64Text?
        package let initializationVector: Base64Text
        package let authenticationTag: Base64Text
    }

    package struct DecryptResponse: Codable, Sendable {
        package let plaintext: Base64Text

        package init(plaintext: Base64Text) { self.plaintext = plaintext }
    }

    package struct KeyMetadata: Codable, Sendable {
        package let keySpec: String
        package let keyUsage: [String]
        package let keyStatus: String

        package init(keySpec: String, keyUsage: [String], keyStatus: String) {
            (self.keySpec, self.keyUsage, self.keyStatus) = (keySpec, keyUsage, keyStatus)
        }
    }

    package struct Health: Codable, Sendable {
        package struct Manager: Codable, Sendable {
            package let id: String
            package let model: String
            package let healthStatus: String

            package init(id: String, model: String, healthStatus: String) {
                (self.id, self.model, self.healthStatus) = (id, model, healthStatus)
            }
        }

        package let xksProxyFleetSize: Int
        package let xksProxyVendor: String
        package let xksProxyModel: String
        package let ekmVendor: String
        package let ekmFleetDetails: [Manager]

        package init(vendor: String, model: String, managers: [Manager]) {
            xksProxyFleetSize = 1
            (xksProxyVendor, xksProxyModel, ekmVendor, ekmFleetDetails) = (vendor, model, vendor, managers)
        }
    }

    package struct Failure: Codable, Sendable {
        package let errorName: String
        package let errorMessage: String?

        package init(errorName: String, errorMessage: String?) {
            (self.errorName, self.errorMessage) = (errorName, errorMessage)
        }
    }

    /// The errors that a proxy has, with their HTTP status.
    package enum ErrorName: String, Sendable, CaseIterable {
        case validation = "ValidationException"
        case invalidState = "InvalidStateException"
        case invalidCiphertext = "InvalidCiphertextException"
        case invalidKeyUsage = "InvalidKeyUsageException"
        case authenticationFailed = "AuthenticationFailedException"
        case accessDenied = "AccessDeniedException"
        case keyNotFound = "KeyNotFoundException"
        case invalidURIPath = "InvalidUriPathException"
        case throttling = "ThrottlingException"
        case unsupportedOperation = "UnsupportedOperationException"
        case dependencyTimeout = "DependencyTimeoutException"
        case `internal` = "InternalException"

        package var status: Int {
            switch self {
            case .validation, .invalidState, .invalidCiphertext, .invalidKeyUsage: 400
            case .authenticationFailed: 401
            case .accessDenied: 403
            case .keyNotFound, .invalidURIPath: 404
            case .throttling: 429
            case .internal: 500
            case .unsupportedOperation: 501
            case .dependencyTimeout: 503
            }
        }
    }

    package static let service = "kms-xks-proxy"
    package static let algorithm = "AES_GCM"
    package static let integrityAlgorithm = "SHA_256"
    /// The most bytes that a proxy must take as a plaintext, as additional data, and that it may give as metadata.
    package static let largestPlaintext = 4300
    package static let largestAdditionalData = 8192
    package static let largestMetadata = 20

    /// The hash that shows that an answer arrived as it was sent (Appendix C).
    package static func integrityValue(
        _ additionalData: [UInt8], _ metadata: [UInt8], _ vector: [UInt8], _ ciphertext: [UInt8], _ tag: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        try HashFunction.sha256.hash(additionalData + metadata + vector + ciphertext + tag).array
    }
}
