internal import CStrongroomOpenSSL

/// A hash function, fetched once in the library context. One of each: to pass it on costs a reference.
@safe package final class DigestAlgorithm: @unchecked Sendable {
    // Safe to send: fetched algorithms are immutable and live as long as the process.
    let pointer: OpaquePointer?

    /// OpenSSL's name.
    package let name: String
    /// The digest's length in bytes.
    package let byteCount: Int
    /// The length of the function's input block in bytes.
    package let blockByteCount: Int
    /// Idle contexts, set up for this function.
    let pool: HandlePool
    /// Idle HMAC contexts, set up for this function, whose keys are replaced at the next use.
    let macPool: HandlePool

    private init(_ name: String) {
        let digest = unsafe LibraryContext.with { context in unsafe EVP_MD_fetch(context, name, nil) }
        unsafe pointer = unsafe digest
        self.name = name
        byteCount = unsafe digest.map { unsafe Int(EVP_MD_get_size($0)) } ?? 0
        blockByteCount = unsafe digest.map { unsafe Int(EVP_MD_get_block_size($0)) } ?? 0
        pool = unsafe HandlePool(free: EVP_MD_CTX_free)
        macPool = unsafe HandlePool(free: EVP_MAC_CTX_free)
        ERR_clear_error()
    }

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
