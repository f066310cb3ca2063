internal import CStrongroomOpenSSL

/// A hash function, fetched once in the library context. One of each, which lives as long as the process: to pass it on counts no
/// reference, at which all threads would meet.
@safe package struct DigestAlgorithm: Hashable, @unchecked Sendable {
    // Safe to send: what it refers to is immutable and never released.
    private let properties: Unmanaged<Properties>

    @safe private final class Properties {
        let pointer: OpaquePointer?
        let name: String
        let byteCount: Int
        let blockByteCount: Int
        let pool = unsafe HandlePool(free: EVP_MD_CTX_free)
        let macPool = unsafe HandlePool(free: EVP_MAC_CTX_free)

        init(_ name: String) {
            let digest = unsafe LibraryContext.with { context in unsafe EVP_MD_fetch(context, name, nil) }
            unsafe pointer = unsafe digest
            self.name = name
            byteCount = unsafe digest.map { unsafe Int(EVP_MD_get_size($0)) } ?? 0
            blockByteCount = unsafe digest.map { unsafe Int(EVP_MD_get_block_size($0)) } ?? 0
            ERR_clear_error()
        }
    }

    private init(_ name: String) { unsafe properties = Unmanaged.passRetained(Properties(name)) }

    /// Nil where the linked OpenSSL does not have it.
    var pointer: OpaquePointer? { unsafe properties._withUnsafeGuaranteedRef { unsafe $0.pointer } }

    /// OpenSSL's name.
    package var name: String { unsafe properties._withUnsafeGuaranteedRef { $0.name } }
    /// The digest's length in bytes.
    package var byteCount: Int { unsafe properties._withUnsafeGuaranteedRef { $0.byteCount } }
    /// The length of the function's input block in bytes.
    package var blockByteCount: Int { unsafe properties._withUnsafeGuaranteedRef { $0.blockByteCount } }

    /// An idle context, set up for this function.
    func takeContext() -> OpaquePointer? { unsafe properties._withUnsafeGuaranteedRef { unsafe $0.pool.take() } }
    func putContext(_ context: OpaquePointer) {
        unsafe properties._withUnsafeGuaranteedRef { unsafe $0.pool.put(context) }
    }

    /// Idle HMAC contexts, set up for this function, whose keys are replaced at the next use.
    var macPool: HandlePool { unsafe properties._withUnsafeGuaranteedRef { $0.macPool } }

    package static func == (left: DigestAlgorithm, right: DigestAlgorithm) -> Bool {
        unsafe left.properties.toOpaque() == right.properties.toOpaque()
    }

    package func hash(into hasher: inout Hasher) { unsafe hasher.combine(properties.toOpaque()) }

    package static let sha1 = DigestAlgorithm("SHA1")
    package static let sha224 = DigestAlgorithm("SHA2-224")
    package static let sha256 = DigestAlgorithm("SHA2-256")
    package static let sha384 = DigestAlgorithm("SHA2-384")
    package static let sha512 = DigestAlgorithm("SHA2-512")
    package static let sha512_256 = DigestAlgorithm("SHA2-512/256")
    package static let sha3_224 = DigestAlgorithm("SHA3-224")
    package static let sha3_256 = DigestAlgorithm("SHA3-256")
    package static let sha3_384 = DigestAlgorithm("SHA3-384")
    package static let sha3_512 = DigestAlgorithm("SHA3-512")
    package static let sm3 = DigestAlgorithm("SM3")
    /// Of any length: newer versions of OpenSSL give it none of its own.
    package static let shake256 = DigestAlgorithm("SHAKE-256")
}
