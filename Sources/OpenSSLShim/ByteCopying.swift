internal import Glibc

/// Copies between spans as memory is copied: a loop over checked indices costs ten times as much.
package enum ByteCopying {
    /// Overwrites the bytes from `start` on. Stops the process where they do not fit, as an index out of bounds does.
    package static func copy(_ bytes: Span<UInt8>, to target: inout MutableSpan<UInt8>, at start: Int) {
        precondition(start >= 0 && bytes.count <= target.count - start, "bytes that do not fit")
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe target.withUnsafeMutableBytes { target in
                if let source = bytes.baseAddress, let base = target.baseAddress {
                    unsafe memcpy(base + start, source, bytes.count)
                }
            }
        }
    }

    /// Appends bytes. Stops the process where there is no room.
    package static func append(_ bytes: Span<UInt8>, to target: inout OutputSpan<UInt8>) {
        precondition(bytes.count <= target.freeCapacity, "bytes that do not fit")
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe target.withUnsafeMutableBufferPointer { target, count in
                if let source = bytes.baseAddress, let base = target.baseAddress {
                    unsafe memcpy(base + count, source, bytes.count)
                    count += bytes.count
                }
            }
        }
    }

    /// Appends `count` bytes that `body` writes in place. They are not zeroed before: the body must write them all.
    package static func append<E: Error>(
        _ count: Int, to target: inout OutputSpan<UInt8>, _ body: (inout MutableSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        precondition(count >= 0 && count <= target.freeCapacity, "bytes that do not fit")
        unsafe try target.withUnsafeMutableBufferPointer { (target, initialized) throws(E) in
            guard let base = target.baseAddress else { return }
            // Safe because any bytes are UInt8s, and the memory belongs to the output.
            var span = unsafe MutableSpan(_unsafeStart: base + initialized, count: count)
            try body(&span)
            initialized += count
        }
    }
}
