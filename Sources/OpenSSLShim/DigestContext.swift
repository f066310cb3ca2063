internal import CStrongroomOpenSSL

/// One hash computation at a time; finishing starts the next.
@safe package struct DigestContext: ~Copyable, @unchecked Sendable {
    // Safe to send: the context has one owner.
    private let context: OpaquePointer
    package let algorithm: DigestAlgorithm

    package init(_ algorithm: DigestAlgorithm) throws(NativeError) {
        guard unsafe algorithm.pointer != nil else { throw .unavailable(algorithm.name) }
        guard let context = unsafe algorithm.takeContext() ?? EVP_MD_CTX_new() else { throw .memory }
        guard unsafe EVP_DigestInit_ex2(context, algorithm.pointer, nil) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            throw .drained("EVP_DigestInit_ex2")
        }
        unsafe self.context = unsafe context
        self.algorithm = algorithm
    }

    private init(adopting context: OpaquePointer, _ algorithm: DigestAlgorithm) {
        unsafe self.context = unsafe context
        self.algorithm = algorithm
    }

    deinit {
        unsafe algorithm.putContext(context)
    }

    package mutating func update(_ bytes: Span<UInt8>) throws(NativeError) {
        guard bytes.count > 0 else { return }
        let isDone = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) == 1 }
        guard isDone else { throw .drained("EVP_DigestUpdate") }
    }

    /// Writes the digest and starts anew.
    package mutating func finish(into digest: inout MutableSpan<UInt8>) throws(NativeError) {
        guard digest.count == algorithm.byteCount else { throw .length }
        let isDone = unsafe digest.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil) == 1
        }
        guard unsafe isDone && EVP_DigestInit_ex2(context, nil, nil) == 1 else { throw .drained("EVP_DigestFinal_ex") }
    }

    /// Writes as many bytes of an extendable output (FIPS 202, 6.2) as there is room for, and starts anew.
    package mutating func finish(extendingInto output: inout MutableSpan<UInt8>) throws(NativeError) {
        let isDone = unsafe output.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinalXOF(context, $0.baseAddress, $0.count) == 1
        }
        guard unsafe isDone && EVP_DigestInit_ex2(context, nil, nil) == 1 else { throw .drained("EVP_DigestFinalXOF") }
    }

    /// A context in the same state, to go on from here twice.
    package func copy() throws(NativeError) -> DigestContext {
        guard let duplicate = unsafe EVP_MD_CTX_new() else { throw .memory }
        guard unsafe EVP_MD_CTX_copy_ex(duplicate, context) == 1 else {
            unsafe EVP_MD_CTX_free(duplicate)
            throw .drained("EVP_MD_CTX_copy_ex")
        }
        return unsafe DigestContext(adopting: duplicate, algorithm)
    }
}
