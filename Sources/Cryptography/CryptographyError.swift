package import OpenSSLShim

/// Why a cryptographic operation was refused or failed.
///
/// Two errors are equal when their codes are equal, so that a test or a `catch` asks for the kind and not the words.
/// A failed decryption, verification or unwrapping has one code and never a detail: what an attacker may learn from it
/// is that it failed.
public struct CryptographyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        private enum Kind: String {
            case authenticationFailure
            case internalFailure
            case invalidEncoding
            case invalidKey
            case invalidLength
            case keyExhausted
            case secretOfParentProcess
            case unknownKey
            case unsupported
        }

        private let kind: Kind

        /// The tag, signature or padding did not match the key and the data.
        public static let authenticationFailure = Code(kind: .authenticationFailure)
        /// OpenSSL refused for a reason that the caller's input does not explain.
        public static let internalFailure = Code(kind: .internalFailure)
        /// Bytes that should be an encoded key, point or signature are not.
        public static let invalidEncoding = Code(kind: .invalidEncoding)
        /// The key does not suit the algorithm: wrong length, wrong curve, not on the curve, too weak.
        public static let invalidKey = Code(kind: .invalidKey)
        /// A nonce, tag, message or buffer has a length that the algorithm does not take.
        public static let invalidLength = Code(kind: .invalidLength)
        /// The key has done as many operations as its algorithm allows.
        public static let keyExhausted = Code(kind: .keyExhausted)
        /// The secret belongs to the parent of this forked process.
        public static let secretOfParentProcess = Code(kind: .secretOfParentProcess)
        /// The custodian has no such key, or no longer.
        public static let unknownKey = Code(kind: .unknownKey)
        /// The key is for something else, or the linked OpenSSL does not have the algorithm.
        public static let unsupported = Code(kind: .unsupported)

        var name: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was refused, for a person to read. Never a secret.
    public let reason: String

    /// Describes a failure. Custodians and signers of other modules state theirs so.
    public init(_ code: Code, _ reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// The kind, and the reason where there is one.
    public var description: String { reason.isEmpty ? code.name : "\(code.name): \(reason)" }

    /// Compares the codes only.
    public static func == (left: CryptographyError, right: CryptographyError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension CryptographyError {
    package init(_ error: NativeError) {
        switch error {
        case .authentication: self.init(.authenticationFailure)
        case .forked: self.init(.secretOfParentProcess)
        case .length: self.init(.invalidLength)
        case .memory: self.init(.internalFailure, "no memory")
        case .refused(let operation, let reasons):
            self.init(.internalFailure, "\(operation): \(reasons.joined(separator: "; "))")
        case .unavailable(let name): self.init(.unsupported, "\(name) is not in OpenSSL \(LibraryContext.version)")
        }
    }
}

/// Runs a call of the bridge and states its failure in this module's terms.
package func bridged<R: ~Copyable>(_ body: () throws(NativeError) -> R) throws(CryptographyError) -> R {
    do {
        return try body()
    } catch {
        throw CryptographyError(error)
    }
}
