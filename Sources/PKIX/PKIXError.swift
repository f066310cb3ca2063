internal import Cryptography

/// Why a certificate, request or name could not be read, made or used. Two errors are equal when their codes are.
public struct PKIXError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure. More may come.
    public struct Code: Sendable, Hashable {
        let name: String

        /// The bytes are not what the standard lays out, in strict DER.
        public static let malformed = Code(name: "malformed")
        /// A name, length or value that the standard does not allow.
        public static let invalidValue = Code(name: "invalidValue")
        /// An algorithm, version or form that this library does not have.
        public static let unsupported = Code(name: "unsupported")
        /// A signature is not the key's.
        public static let invalidSignature = Code(name: "invalidSignature")
        /// The key that should sign has failed.
        public static let signerFailure = Code(name: "signerFailure")
    }

    /// The kind of failure.
    public let code: Code
    /// What was wrong, for a person.
    public let message: String

    /// Describes a failure.
    public init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }

    /// The code, and the message where there is one.
    public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

    /// Compares the codes only.
    public static func == (left: PKIXError, right: PKIXError) -> Bool { left.code == right.code }

    /// Hashes the code only.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// Runs `body`, and takes whatever it throws of other modules for a malformed encoding.
func decoded<R>(_ what: String, _ body: () throws -> R) throws(PKIXError) -> R {
    do {
        return try body()
    } catch let error as PKIXError {
        throw error
    } catch let error as CryptographyError where error.code == .unsupported {
        throw PKIXError(.unsupported, error.reason)
    } catch { throw PKIXError(.malformed, what) }
}

/// Runs `body`, which writes what cannot be written wrong.
func encoded(_ body: () throws -> [UInt8]) throws(PKIXError) -> [UInt8] {
    do {
        return try body()
    } catch let error as PKIXError {
        throw error
    } catch { throw PKIXError(.invalidValue, "\(error)") }
}
