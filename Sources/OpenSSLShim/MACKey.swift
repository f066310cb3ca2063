internal import CStrongroomOpenSSL
internal import CStrongroomOpenSSLShims

/// A key of HMAC or CMAC with its pool of keyed contexts.
///
/// A context re-initialised without a key keeps its padded key: a fifth of the time of a fresh HMAC.
package final class MACKey: Sendable {
    /// What the MAC is built on.
    package enum Construction: Sendable {
        case hmac(DigestAlgorithm)
        case cmac(CipherAlgorithm)
    }

    /// The length of the tag in bytes.
    package let tagByteCount: Int

    private let construction: Construction
    private let key: SecretBuffer
    private let pool = unsafe HandlePool(free: EVP_MAC_CTX_free)

    /// Takes over a key.
    package init(_ construction: Construction, key: consuming SecretBuffer) throws(NativeError) {
        switch construction {
        case .hmac(let digest):
            guard unsafe digest.pointer != nil else { throw .unavailable(digest.name) }
            tagByteCount = digest.byteCount
        case .cmac(let cipher):
            guard cipher.isAvailable else { throw .unavailable(cipher.name) }
            guard key.count == cipher.keyByteCount else { throw .length }
            tagByteCount = 16
        }
        self.construction = construction
        self.key = key
    }

    /// The tag of one message: the short way, which moves no context between modules.
    package func authenticate(_ message: Span<UInt8>, into tag: inout MutableSpan<UInt8>) throws(NativeError) {
        var context = try begin()
        try context.update(message)
        try context.finish(into: &tag)
    }

    /// Starts a computation.
    package func begin() throws(NativeError) -> MACContext {
        guard key.isUsable else { throw .forked }
        if let context = unsafe pool.take() {
            guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else {
                unsafe pool.discard(context)
                throw .drained("EVP_MAC_init")
            }
            return unsafe MACContext(context, pool: pool, tagByteCount: tagByteCount)
        }
        guard let context = unsafe EVP_MAC_CTX_new(construction.algorithm) else { throw .memory }
        let isKeyed = key.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in unsafe construction.key(context, with: key) }
        }
        guard isKeyed == 1 else {
            unsafe EVP_MAC_CTX_free(context)
            throw .drained("EVP_MAC_init")
        }
        return unsafe MACContext(context, pool: pool, tagByteCount: tagByteCount)
    }
}

/// One computation under a `MACKey`. Finishing consumes it and gives the context back.
@safe package struct MACContext: ~Copyable, @unchecked Sendable {
    // Safe to send: the context has one owner.
    private let context: OpaquePointer
    private let pool: HandlePool
    private var isSound = true
    // One byte, so that the whole is three words: a fourth costs as much as anything here.
    private let tagCount: UInt8

    /// The length of the tag in bytes.
    package var tagByteCount: Int { Int(tagCount) }

    fileprivate init(_ context: OpaquePointer, pool: HandlePool, tagByteCount: Int) {
        unsafe self.context = unsafe context
        self.pool = pool
        tagCount = UInt8(tagByteCount)
    }

    /// Starts a computation under a key that is used here and nowhere else, in a context that waits for its next key: for
    /// derivations, whose keys serve once.
    package init(oneTime digest: DigestAlgorithm, key: Span<UInt8>) throws(NativeError) {
        guard unsafe digest.pointer != nil else { throw .unavailable(digest.name) }
        let idle = unsafe digest.macPool.take()
        guard let context = unsafe idle ?? EVP_MAC_CTX_new(MACKey.hmac) else { throw .memory }
        let isKeyed = unsafe key.withUnsafeBufferPointer { key in
            unsafe idle == nil
                ? MACKey.Construction.hmac(digest).key(context, with: key)
                : MACKey.Construction.rekey(context, with: key)
        }
        guard isKeyed == 1 else {
            unsafe EVP_MAC_CTX_free(context)
            throw .drained("EVP_MAC_init")
        }
        unsafe self.init(context, pool: digest.macPool, tagByteCount: digest.byteCount)
    }

    deinit {
        if isSound {
            unsafe pool.put(context)
        } else {
            unsafe pool.discard(context)
        }
    }

    package mutating func update(_ bytes: Span<UInt8>) throws(NativeError) {
        guard bytes.count > 0 else { return }
        isSound = unsafe bytes.withUnsafeBufferPointer {
            unsafe EVP_MAC_update(context, $0.baseAddress, $0.count) == 1
        }
        guard isSound else { throw .drained("EVP_MAC_update") }
    }

    package consuming func finish(into tag: inout MutableSpan<UInt8>) throws(NativeError) {
        guard tag.count == tagByteCount else { throw .length }
        isSound = unsafe MACContext.finish(context, into: &tag)
        guard isSound else { throw .drained("EVP_MAC_final") }
    }

    /// Writes the tag, and starts anew under the same key.
    package mutating func finishAndRestart(into tag: inout MutableSpan<UInt8>) throws(NativeError) {
        guard tag.count == tagByteCount else { throw .length }
        isSound = unsafe MACContext.finish(context, into: &tag) && EVP_MAC_init(context, nil, 0, nil) == 1
        guard isSound else { throw .drained("EVP_MAC_final") }
    }

    private static func finish(_ context: OpaquePointer, into tag: inout MutableSpan<UInt8>) -> Bool {
        unsafe tag.withUnsafeMutableBufferPointer {
            var written = 0
            return unsafe EVP_MAC_final(context, $0.baseAddress, &written, $0.count) == 1
        }
    }
}

extension MACKey.Construction {
    fileprivate func key(_ context: OpaquePointer, with key: UnsafeBufferPointer<UInt8>) -> Int32 {
        // A null pointer would mean "keep the key", so an empty key needs an address.
        var nothing: UInt8 = 0
        return unsafe withUnsafePointer(to: &nothing) { nothing in
            let start = unsafe key.baseAddress ?? nothing
            switch self {
            case .hmac(let digest):
                return unsafe strongroom_mac_init(context, start, key.count, strongroom_parameter_digest, digest.name)
            case .cmac(let cipher):
                return unsafe strongroom_mac_init(context, start, key.count, strongroom_parameter_cipher, cipher.name)
            }
        }
    }

    /// Gives a context that has its function another key.
    fileprivate static func rekey(_ context: OpaquePointer, with key: UnsafeBufferPointer<UInt8>) -> Int32 {
        var nothing: UInt8 = 0
        return unsafe withUnsafePointer(to: &nothing) { nothing in
            unsafe EVP_MAC_init(context, key.baseAddress ?? nothing, key.count, nil)
        }
    }

    fileprivate var algorithm: OpaquePointer? {
        switch self {
        case .hmac: unsafe MACKey.hmac
        case .cmac: unsafe MACKey.cmac
        }
    }
}

extension MACKey {
    // Safe because fetched algorithms are immutable and live as long as the process.
    fileprivate nonisolated(unsafe) static let hmac = unsafe LibraryContext.with {
        unsafe EVP_MAC_fetch($0, "HMAC", nil)
    }
    fileprivate nonisolated(unsafe) static let cmac = unsafe LibraryContext.with {
        unsafe EVP_MAC_fetch($0, "CMAC", nil)
    }
}
