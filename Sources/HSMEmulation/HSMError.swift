internal import Auditing
internal import Cryptography
internal import RecordIntegrity
public import RecordStorage

/// Why the HSM refused or failed. Two errors are equal when their codes are.
///
/// Each code is that of a return value of PKCS #11 (version 3.0, section 5.1), which a module in front of it passes on.
public struct HSMError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        let name: String

        /// Somebody or something of this name is there already.
        public static let alreadyExists = Code(name: "AlreadyExists")
        /// The attribute cannot be changed, or not in this direction.
        public static let attributeReadOnly = Code(name: "AttributeReadOnly")
        /// The value of a sensitive key is not given out.
        public static let attributeSensitive = Code(name: "AttributeSensitive")
        /// The event could not be recorded, and nothing has happened.
        public static let auditFailure = Code(name: "AuditFailure")
        /// Others change the partition faster than this change goes through. Nothing has changed.
        public static let conflict = Code(name: "Conflict")
        /// A ciphertext, tag or wrapped key is not what the key made, without a reason.
        public static let encryptedDataInvalid = Code(name: "EncryptedDataInvalid")
        /// Something within failed that should not.
        public static let generalError = Code(name: "GeneralError")
        /// The key may not be used so.
        public static let keyFunctionNotPermitted = Code(name: "KeyFunctionNotPermitted")
        /// The key may leave, but not under this wrapping key.
        public static let keyNotWrappable = Code(name: "KeyNotWrappable")
        /// The key never leaves.
        public static let keyUnextractable = Code(name: "KeyUnextractable")
        /// The key does not have this mechanism, or the linked OpenSSL does not.
        public static let mechanismInvalid = Code(name: "MechanismInvalid")
        /// Another key is called so, too: ask by its handle.
        public static let objectAmbiguous = Code(name: "ObjectAmbiguous")
        /// There is no such key, or no longer, or not for this user.
        public static let objectHandleInvalid = Code(name: "ObjectHandleInvalid")
        /// There is no such partition.
        public static let partitionNotFound = Code(name: "PartitionNotFound")
        /// Wrong name or wrong password, without telling which.
        public static let pinIncorrect = Code(name: "PinIncorrect")
        /// A password that is too short or too long.
        public static let pinLengthRange = Code(name: "PinLengthRange")
        /// Too many wrong passwords: an administrator has to unlock the user.
        public static let pinLocked = Code(name: "PinLocked")
        /// The session has ended, or its user is no more.
        public static let sessionClosed = Code(name: "SessionClosed")
        /// The store cannot be read or written.
        public static let storeFailure = Code(name: "StoreFailure")
        /// What is stored is not what was written.
        public static let tampered = Code(name: "Tampered")
        /// The attributes contradict each other, or the key.
        public static let templateInconsistent = Code(name: "TemplateInconsistent")
        /// A name that is empty, too long, or has other characters than letters, digits and `-_.@`.
        public static let invalidName = Code(name: "InvalidName")
        /// There is no such user.
        public static let userNotFound = Code(name: "UserNotFound")
        /// The user still has keys, or is the last administrator.
        public static let userNotRemovable = Code(name: "UserNotRemovable")
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

    /// The code, and the message where there is one.
    public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

    /// Compares the codes only.
    public static func == (left: HSMError, right: HSMError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension HSMError {
    /// States any error of the layers below in this module's terms.
    init(wrapping error: any Error) {
        switch error {
        case let error as HSMError: self = error
        case let error as RecordStoreError:
            self.init(error.code == .conflict ? .conflict : .storeFailure, "\(error)", storeError: error)
        case let error as RecordIntegrityError:
            self.init(error.code == .tampered ? .tampered : .conflict, error.description)
        case let error as AuditError:
            self.init(error.isTampering ? .tampered : .auditFailure, error.description, storeError: error.storeError)
        case let error as CryptographyError: self.init(error)
        default: self.init(.generalError, "\(error)")
        }
    }

    private init(_ error: CryptographyError) {
        switch error.code {
        case .authenticationFailure: self.init(.encryptedDataInvalid, "")
        case .unsupported: self.init(.mechanismInvalid, error.reason)
        case .unknownKey: self.init(.objectHandleInvalid, error.reason)
        case .invalidKey, .invalidEncoding, .invalidLength: self.init(.templateInconsistent, error.reason)
        default: self.init(.generalError, error.description)
        }
    }
}

extension CryptographyError {
    /// States the HSM's refusal in the terms of Cryptography's protocols.
    init(_ error: HSMError) {
        switch error.code {
        case .encryptedDataInvalid: self.init(.authenticationFailure)
        case .objectHandleInvalid: self.init(.unknownKey, error.message)
        case .keyFunctionNotPermitted, .mechanismInvalid, .keyUnextractable, .keyNotWrappable:
            self.init(.unsupported, error.description)
        case .templateInconsistent: self.init(.invalidKey, error.message)
        default: self.init(.internalFailure, error.description)
        }
    }
}

/// Runs `body` and states its failure in this module's terms.
func stated<R: ~Copyable>(_ body: () throws -> R) throws(HSMError) -> R {
    do { return try body() } catch { throw HSMError(wrapping: error) }
}
