internal import CStrongroomOpenSSL
internal import Glibc

/// Random bytes from the library context's private generator (CTR-DRBG), batched per thread.
///
/// One call of the generator costs about a microsecond whatever it yields, so small requests are served from a
/// reservoir of this thread. Served bytes are erased from it; a forked child never sees its parent's.
package enum NativeRandom {
    /// Fills `bytes`, or throws and leaves them cleansed.
    package static func fill(_ bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        guard bytes.count > 0 else { return }
        guard bytes.count <= Reservoir.largestRequest, let reservoir = Reservoir.ofThisThread() else {
            return try generate(into: &bytes)
        }
        try reservoir.serve(&bytes)
    }

    fileprivate static func generate(into bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        let done = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            unsafe LibraryContext.with { context in
                unsafe RAND_priv_bytes_ex(context, buffer.baseAddress, buffer.count, 256)
            }
        }
        guard done == 1 else {
            ConstantTime.cleanse(&bytes)
            throw .drained("RAND_priv_bytes_ex")
        }
    }
}

/// The random bytes that one thread has in stock, in secret memory.
private final class Reservoir {
    static let largestRequest = 128
    private static let capacity = 1024

    private var stock: SecretStock
    private var position = Reservoir.capacity

    private init() { stock = SecretStock(count: Reservoir.capacity) }

    /// This thread's reservoir, made on first use and released when the thread ends.
    static func ofThisThread() -> Reservoir? {
        guard let key = threadKey else { return nil }
        if let stored = unsafe pthread_getspecific(key) {
            return unsafe Unmanaged<Reservoir>.fromOpaque(stored).takeUnretainedValue()
        }
        let reservoir = Reservoir()
        let stored = unsafe Unmanaged.passRetained(reservoir)
        guard unsafe pthread_setspecific(key, stored.toOpaque()) == 0 else {
            unsafe stored.release()
            return nil
        }
        return reservoir
    }

    func serve(_ bytes: inout MutableSpan<UInt8>) throws(NativeError) {
        if !stock.isUsable {
            stock = SecretStock(count: Reservoir.capacity)
            position = Reservoir.capacity
        }
        if Reservoir.capacity - position < bytes.count {
            try stock.withMutableBytes { stocked throws(NativeError) in try NativeRandom.generate(into: &stocked) }
            position = 0
        }
        let start = position
        stock.withMutableBytes { stocked in
            for index in bytes.indices {
                bytes[index] = stocked[start + index]
                stocked[start + index] = 0
            }
        }
        position += bytes.count
    }

    private static let threadKey: pthread_key_t? = {
        var key = pthread_key_t()
        let status = unsafe pthread_key_create(&key) { stored in
            if let stored = unsafe stored { unsafe Unmanaged<Reservoir>.fromOpaque(stored).release() }
        }
        return status == 0 ? key : nil
    }()
}
