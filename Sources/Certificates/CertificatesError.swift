internal import Auditing
internal import Cryptography
internal import PKIX
internal import RecordIntegrity
public import RecordStorage

/// Why an authority refused or failed. Two errors are equal when their codes are.
public struct CertificatesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        let name: String

        /// There is an authority in this store already.
        public static let alreadyExists = Code(name: "AlreadyExists")
        /// There is no authority in this store.
        public static let notFound = Code(name: "NotFound")
        /// The key that was given is not the authority's.
        public static let wrongKey = Code(name: "WrongKey")
        /// The authority may not issue such a certificate: its own limits it.
        public static let beyondAuthority = Code(name: "BeyondAuthority")
        /// What was asked for is no certificate of its profile, or has a name that is none.
        public static let invalidRequest = Code(name: "InvalidRequest")
        /// The request is not signed with the key that it is for.
        public static let noProofOfPossession = Code(name: "NoProofOfPossession")
        /// The authority's key has not signed.
        public static let signerFailure = Code(name: "SignerFailure")
        /// The store cannot be read or written.
        public static let storeFailure = Code(name: "StoreFailure")
        /// The event could not be recorded, and nothing has happened.
        public static let auditFailure = Code(name: "AuditFailure")
        /// What is stored is not what was written, or does not open under this key.
        public static let tampered = Code(name: "Tampered")
        /// Others change the store all the time. Nothing has changed.
        public static let conflict = Code(name: "Conflict")
        /// Something within failed that should not.
        public static let internalFailure = Code(name: "InternalFailure")
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong, for a person.
    public let message: String
    /// The store's error, where it was the store.
    public let storeError: RecordStoreError?

    /// Describes a failure.
    public init(_ code: Code, _ message: String = "", storeError: RecordStoreError? = nil) {
        self.code = code
        self.message = message
        self.storeError = storeError
    }

    /// The code, and the message where there is one.
    public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

    /// Compares the codes only.
    public static func == (left: CertificatesError, right: CertificatesError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// States any error of the layers below in this module's terms.
    init(wrapping error: any Error) {
        switch error {
        case let error as CertificatesError: self = error
        case let error as RecordStoreError:
            self.init(error.code == .conflict ? .conflict : .storeFailure, "\(error)", storeError: error)
        case let error as RecordIntegrityError:
            self.init(error.code == .tampered ? .tampered : .conflict, error.description)
        case let error as AuditError:
            self.init(error.isTampering ? .tampered : .auditFailure, error.description, storeError: error.storeError)
        case let error as PKIXError:
            self.init(error.code == .signerFailure ? .signerFailure : .invalidRequest, error.description)
        case let error as CryptographyError: self.init(.internalFailure, error.description)
        default: self.init(.internalFailure, "\(error)")
        }
    }
}
