internal import Auditing
internal import RecordIntegrity
public import RecordStorage

/// Why the key service refused or failed. Two errors are equal when their codes are.
///
/// The codes of operations are those of AWS KMS, with its messages, so that a front door can pass them on. A ciphertext
/// that does not open has one code and no message, whatever the cause.
public struct KeyManagementError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        /// AWS's name of the exception, or ours where AWS has none.
        public let name: String
        /// What tells apart two kinds of one name.
        private let kind: String

        package init(name: String, kind: String = "") { (self.name, self.kind) = (name, kind) }

        /// The principal may not do this. The message names what decided.
        public static let accessDenied = Code(name: "AccessDeniedException")
        /// The alias is taken.
        public static let alreadyExists = Code(name: "AlreadyExistsException")
        /// Another writer changed the same state at the same time, again and again.
        public static let conflict = Code(name: "ConflictException")
        /// The key is about to be rotated by itself, or is being rotated.
        public static let rotationScheduled = Code(name: "ConflictException", kind: "rotation")
        /// The key is disabled.
        public static let disabled = Code(name: "DisabledException")
        /// The operation would have succeeded, had it not been tried only; ``KeyManagementClient/dryRun(_:)`` hides this.
        public static let dryRun = Code(name: "DryRunOperationException")
        /// The ciphertext is another key's than the one named.
        public static let incorrectKey = Code(name: "IncorrectKeyException")
        /// The service itself failed.
        public static let internalFailure = Code(name: "KMSInternalException")
        /// The alias's name is not allowed.
        public static let invalidAliasName = Code(name: "InvalidAliasNameException")
        /// The ciphertext does not open. No detail.
        public static let invalidCiphertext = Code(name: "InvalidCiphertextException")
        /// A text is no ARN, or names nobody.
        public static let invalidARN = Code(name: "InvalidArnException")
        /// There is no such grant on the key.
        public static let invalidGrantID = Code(name: "InvalidGrantIdException")
        /// A grant token stands for no grant.
        public static let invalidGrantToken = Code(name: "InvalidGrantTokenException")
        /// The key is for another purpose.
        public static let invalidKeyUsage = Code(name: "InvalidKeyUsageException")
        /// The code is not the key's for this message.
        public static let invalidMAC = Code(name: "KMSInvalidMacException")
        /// The signature is not the key's for this message.
        public static let invalidSignature = Code(name: "KMSInvalidSignatureException")
        /// The key's state does not allow this.
        public static let invalidState = Code(name: "KMSInvalidStateException")
        /// The custodian of a key store does not answer, or no longer has the key.
        public static let keyStoreFailure = Code(name: "KeyUnavailableException")
        /// There is no key store of this name here.
        public static let keyStoreNotFound = Code(name: "CustomKeyStoreNotFoundException")
        /// The role's session is over.
        public static let expiredSession = Code(name: "ExpiredTokenException")
        /// The import token has expired.
        public static let expiredImportToken = Code(name: "ExpiredImportTokenException")
        /// The import token is none, or another key's.
        public static let invalidImportToken = Code(name: "InvalidImportTokenException")
        /// The material does not fit the key, or is not the one that was imported before.
        public static let incorrectKeyMaterial = Code(name: "IncorrectKeyMaterialException")
        /// A tag is not one, or is reserved.
        public static let invalidTag = Code(name: "TagException")
        /// A quota is used up.
        public static let limitExceeded = Code(name: "LimitExceededException")
        /// The key policy is not one, or would lock its owner out.
        public static let malformedPolicy = Code(name: "MalformedPolicyDocumentException")
        /// The name is reserved for managed services.
        public static let notAuthorized = Code(name: "NotAuthorizedException")
        /// There is no such key or alias.
        public static let notFound = Code(name: "NotFoundException")
        /// Keys of this kind or in this place do not do that.
        public static let unsupportedOperation = Code(name: "UnsupportedOperationException")
        /// The account asks too much at a time.
        public static let throttled = Code(name: "ThrottlingException")
        /// A parameter is out of bounds.
        public static let validation = Code(name: "ValidationException")

        /// The root of trust does not open this store: a wrong passphrase or key file.
        public static let wrongRootOfTrust = Code(name: "WrongRootOfTrust")
        /// What OpenSSL calculates is wrong: nothing is begun.
        public static let selfTestFailed = Code(name: "SelfTestFailed")
        /// The clock was set while the service ran, or is behind the store's newest key: no date for a deletion is taken
        /// from it. Open the store again once it is right.
        public static let clockJumped = Code(name: "ClockJumped")
        /// The stored state is not what this service wrote.
        public static let tampered = Code(name: "StoreTampered")
        /// The store failed; ``KeyManagementError/storeError`` says how.
        public static let storeFailure = Code(name: "StoreFailure")
        /// The event could not be recorded, so the answer was not released.
        public static let auditFailure = Code(name: "AuditFailure")
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong, for a person. Never a secret.
    public let message: String
    /// The store's error, where it was the store.
    public let storeError: RecordStoreError?

    /// Describes a failure.
    public init(_ code: Code, _ message: String = "", storeError: RecordStoreError? = nil) {
        self.code = code
        self.message = message
        self.storeError = storeError
    }

    static let dryRun = KeyManagementError(
        .dryRun, "The request would have succeeded, but the DryRun option is set.")

    /// The code, and the message where there is one.
    public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

    /// Compares the codes only.
    public static func == (left: KeyManagementError, right: KeyManagementError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// States any error of the layers below in this module's terms.
    init(wrapping error: any Error) {
        switch error {
        case let error as KeyManagementError: self = error
        case let error as RecordStoreError:
            self.init(error.code == .conflict ? .conflict : .storeFailure, "\(error)", storeError: error)
        case let error as AuditError:
            self.init(error.isTampering ? .tampered : .auditFailure, error.description, storeError: error.storeError)
        case let error as RecordIntegrityError:
            self.init(error.code == .tampered ? .tampered : .conflict, error.description)
        default: self.init(.internalFailure, "\(error)")
        }
    }
}

/// Runs `body` and states its failure in this module's terms.
func stated<R: ~Copyable>(_ body: () throws -> R) throws(KeyManagementError) -> R {
    do { return try body() } catch { throw KeyManagementError(wrapping: error) }
}
