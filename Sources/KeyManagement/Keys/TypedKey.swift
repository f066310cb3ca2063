public import AccessPolicy
public import Cryptography

/// What a typed key is, by its kind: a specification that the compiler knows.
public protocol ManagedAlgorithm: Sendable {
    /// What such keys are for.
    associatedtype Purpose: KeyPurpose
    /// What kind they are.
    static var specification: KeySpecification<Purpose> { get }
}

/// An algorithm whose keys sign in one way, so that nobody needs to say in which.
public protocol ManagedSignatureAlgorithm: ManagedAlgorithm where Purpose == Signing {
    /// The way.
    static var signatureAlgorithm: SignatureAlgorithm { get }
}

/// A managed key whose algorithm the compiler knows, such as `Key<Signing>.ECDSA.P256`. It stands wherever a key of its
/// purpose does.
public struct TypedKey<Algorithm: ManagedAlgorithm>: KeyReference, CustomStringConvertible {
    /// What the key is for.
    public typealias Purpose = Algorithm.Purpose
    private let name: KeyName

    /// The key's name.
    public var arn: ARN { name.arn }
    /// The ARN.
    public var identifier: KeyIdentifier { name.identifier }

    init(arn: ARN) { name = KeyName(arn) }

    /// The ARN.
    public var description: String { arn.description }
}

extension KeyManagementClient {
    /// Makes a key of an algorithm that the compiler knows:
    /// `try await client.createKey(Key<Signing>.ECDSA.P256.self, alias: "alias/invoices")`. See
    /// ``createKey(_:alias:description:tags:policy:)-(KeySpecification<_>,_,_,_,_)``.
    public func createKey<Algorithm>(
        _ type: TypedKey<Algorithm>.Type, alias: String? = nil, description: String = "", tags: [String: String] = [:],
        policy: PolicyDocument? = nil
    ) async throws(KeyManagementError) -> TypedKey<Algorithm> {
        let key = try await createKey(
            Algorithm.specification, alias: alias, description: description, tags: tags, policy: policy)
        return TypedKey(arn: key.arn)
    }

    /// The key that an identifier names, narrowed to an algorithm.
    ///
    /// - Throws: `notFound`; `invalidKeyUsage` where it is of another algorithm or for another purpose.
    public func key<Algorithm>(
        _ identifier: KeyIdentifier, as type: TypedKey<Algorithm>.Type
    ) async throws(KeyManagementError) -> TypedKey<Algorithm> {
        let metadata = try await describe(identifier)
        guard metadata.usage == Algorithm.Purpose.usage, metadata.specification == Algorithm.specification.name else {
            throw KeyManagementError(
                .invalidKeyUsage, "\(metadata.arn) is \(metadata.specification) for \(metadata.usage)")
        }
        return TypedKey(arn: metadata.arn)
    }

    /// Signs a message as such keys do.
    public func sign<Algorithm: ManagedSignatureAlgorithm>(
        _ message: [UInt8], with key: TypedKey<Algorithm>
    ) async throws(KeyManagementError) -> [UInt8] {
        try await sign(message, with: key, using: Algorithm.signatureAlgorithm)
    }

    /// Checks a signature of a message as such keys make it.
    ///
    /// - Throws: `invalidSignature`.
    public func verify<Algorithm: ManagedSignatureAlgorithm>(
        _ signature: [UInt8], for message: [UInt8], with key: TypedKey<Algorithm>
    ) async throws(KeyManagementError) {
        try await verify(signature, for: message, with: key, using: Algorithm.signatureAlgorithm)
    }
}
